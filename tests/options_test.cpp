#include <cairn/options.hpp>

#include <utility>

#include "catch.hpp"

TEST_CASE("options have the defaults that the documentation names, and move") {
  cairn::options chosen{.workers = 3, .program_version = "2"};
  CHECK_FALSE(chosen.store);
  CHECK_FALSE(chosen.executor);
  CHECK(chosen.ask_timeout == std::chrono::seconds{5});
  CHECK(chosen.epoch.every == std::chrono::milliseconds{100});
  CHECK(chosen.epoch.retain == 3);
  CHECK(chosen.run_threads == 4);
  CHECK_FALSE(chosen.accept_older);
  const cairn::options moved = std::move(chosen);
  CHECK(moved.workers == 3);
  CHECK(moved.program_version == "2");
}
