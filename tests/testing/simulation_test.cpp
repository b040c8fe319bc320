#include <cairn/testing/simulation.hpp>

#include <set>

#include "catch.hpp"

namespace simulation_tests {

using namespace std::chrono_literals;

struct roll {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct look {};

/// Two of them throw a ball to each other, and sleep now and then.
struct player {
  using protocol = cairn::protocol<roll, look>;
  cairn::ref<player> other{};
  int caught = 0;
  void serialize(auto& ar) { ar(other, caught); }
  cairn::task<> on(roll what, cairn::context<player>& self) {
    ++caught;
    if (what.left % 4 == 0) co_await self.sleep(1h);
    if (!other) other = self.ref();
    if (what.left > 0) other.tell<roll>(what.left - 1);
  }
  int on(look) const { return caught; }
};

using actors = cairn::actors<player>;
using cairn::testing::simulation;

cairn::task<int> game(cairn::root& root) {
  auto court = root.supervise("court");
  auto one = court.spawn<player>("one");
  auto two = court.spawn<player>("two", player{one});
  if (!root.restored()) two.tell<roll>(20);
  int caught = 0;
  while (caught < 21) {
    caught = co_await one.ask<look>() + co_await two.ask<look>();
    co_await root.sleep(1min);
  }
  co_return caught;
}

/// Whoever sleeps answers when it has slept.
cairn::testing::simulation_options patient(std::uint64_t seed) {
  return {.seed = seed, .configure = [](cairn::options& chosen) { chosen.ask_timeout = 1000h; }};
}

struct played {
  int result = -1;
  std::uint64_t trace = 0;
};

played play(std::uint64_t seed, std::uint64_t crash_after) {
  simulation<actors> sim{patient(seed)};
  sim.start(game);
  if (crash_after != 0) {
    sim.run_steps(crash_after);
    sim.crash();
    sim.start(game);
  }
  played how;
  how.result = sim.run().value_or(-1);
  REQUIRE(sim.finish());
  how.trace = sim.trace();
  return how;
}

}  // namespace simulation_tests

TEST_CASE("the same seed gives the same run, another seed another one") {
  using namespace simulation_tests;
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto first = play(seed, 0);
    CHECK(first.result == 21);
    CHECK(play(seed, 0).trace == first.trace);
    traces.insert(first.trace);
  }
  CHECK(traces.size() == 10);
}

TEST_CASE("a simulated power failure loses nothing that was committed, at any step") {
  using namespace simulation_tests;
  for (std::uint64_t step = 1; step < 150; ++step) {
    INFO("step " << step);
    CHECK(play(step, step).result == 21);
  }
}

TEST_CASE("power may fail in a simulation's last epoch, before any operation of its disk") {
  using namespace simulation_tests;
  std::uint64_t at = 0;
  for (bool failed = true; failed; ++at) {
    INFO("operation " << at);
    simulation<actors> sim{patient(at + 1)};
    sim.start(game);
    REQUIRE(sim.run() == 21);
    sim.disk().crash_after(at);
    const bool committed = sim.finish();
    failed = sim.disk().crashed();
    CHECK(committed == !failed);
    if (!failed) break;
    sim.crash();
    sim.start(game);
    CHECK(sim.run() == 21);
    CHECK(sim.finish());
  }
  CHECK(at > 5);
}

TEST_CASE("simulated hours pass when nothing is ready, and only then") {
  using namespace simulation_tests;
  simulation<actors> sim{patient(5)};
  const auto before = sim.now();
  sim.start(game);
  REQUIRE(sim.run() == 21);
  CHECK(sim.now() - before >= 5h);  // 20, 16, 12, 8 and 4, each after the other, and 0
  CHECK(sim.now() - before < 8h);
}

TEST_CASE("a simulation that never ends says so, with its seed") {
  using namespace simulation_tests;
  simulation<actors> sim{{.seed = 77, .most_steps = 1000}};
  sim.start([](cairn::root& root) -> cairn::task<int> {
    auto one = root.supervise("court").spawn<player>("one");
    for (;;) (void)co_await one.ask<look>();
  });
  std::string what;
  try {
    (void)sim.run();
  } catch (const cairn::error& why) {
    what = why.what();
  }
  CHECK(what == "seed 77: no end after 1000 steps");
}
