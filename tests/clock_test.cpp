#include <cairn/clock.hpp>

#include "catch.hpp"

TEST_CASE("the machine's steady clock never goes back and its wall clock shows this era") {
  const cairn::machine_clock clock;
  auto before = clock.steady();
  for (int at = 0; at < 1000; ++at) {
    const auto now = clock.steady();
    REQUIRE(now >= before);
    before = now;
  }
  CHECK(clock.wall() > std::chrono::sys_days{std::chrono::year{2024} / 1 / 1});
}
