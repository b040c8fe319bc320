#include <cairn/epoch.hpp>

#include "catch.hpp"

using namespace std::chrono_literals;

TEST_CASE("adaptive epochs begin with a second, within their bounds") {
  const cairn::epoch_policy plain = cairn::adaptive{};
  CHECK(plain.every == 1s);
  CHECK(plain.mtbf == 24h);
  const cairn::epoch_policy quick = cairn::adaptive{.at_most = 100ms};
  CHECK(quick.every == 100ms);
  const cairn::epoch_policy slow = cairn::adaptive{.at_least = 1min};
  CHECK(slow.every == 1min);
}

TEST_CASE("the interval follows Young and Daly within its bounds") {
  const cairn::epoch_policy by = cairn::adaptive{.mtbf = 24h};
  // sqrt(2 * 10 ms * 86400 s) = 41.569 s
  CHECK(cairn::detail::young_daly(by, 10ms) > 41569ms);
  CHECK(cairn::detail::young_daly(by, 10ms) < 41570ms);
  const cairn::epoch_policy often = cairn::adaptive{.mtbf = 1s};
  CHECK(cairn::detail::young_daly(often, 0ns) == often.at_least);
  CHECK(cairn::detail::young_daly(by, 24h) == by.at_most);
  const cairn::epoch_policy fixed;
  CHECK(cairn::detail::young_daly(fixed, 10ms) == fixed.every);
}
