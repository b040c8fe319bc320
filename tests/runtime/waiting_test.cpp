// Handlers that wait for hours: what they cost an epoch, and who is named where a snapshot at rest
// comes before they end.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <cairn/testing/simulation.hpp>

#include "../catch.hpp"

namespace waiting_long {

using namespace std::chrono_literals;
using cairn::event_kind;

struct doze {};
struct nap {};
struct touch {};
struct look {};

struct sleeper {
  using protocol = cairn::protocol<doze, nap, look>;
  int done = 0;
  void serialize(auto& ar) { ar(done); }
  cairn::task<> on(doze, cairn::context<sleeper>& self) {
    co_await self.sleep(10h);
    ++done;
  }
  cairn::task<> on(nap, cairn::context<sleeper>& self) { co_await self.sleep(8s); }
  int on(look) const { return done; }
};
struct busy {
  using protocol = cairn::protocol<touch, look>;
  int touched = 0;
  void serialize(auto& ar) { ar(touched); }
  void on(touch) { ++touched; }
  int on(look) const { return touched; }
};

using actors = cairn::actors<sleeper, busy>;

struct bench {
  std::vector<cairn::epoch_cost> costs{};
  std::vector<std::string> unfinished{};
  std::chrono::milliseconds rest = 5s;

  cairn::testing::simulation_options options() {
    cairn::testing::simulation_options made;
    made.workers = 2;
    made.configure = [this](cairn::options& chosen) {
      chosen.epoch.every = {};
      chosen.rest = rest;
      chosen.ask_timeout = 100h;
    };
    made.on_event = [this](const cairn::event& what) {
      if (what.kind == event_kind::committed) costs.push_back(what.cost);
      if (what.kind == event_kind::unfinished) unfinished.push_back(what.text);
    };
    return made;
  }
};

/// What is told of a snapshot at rest while so many sleep.
std::string unfinished_of(bench& on, int sleepers) {
  cairn::testing::simulation<actors> sim{on.options()};
  sim.start([&](cairn::root& top) {
    return [](cairn::root& root, int count) -> cairn::task<int> {
      auto above = root.supervise("top");
      (void)above.spawn<sleeper>("awake");
      for (int at = 0; at < count; ++at) above.spawn<sleeper>(std::to_string(at)).tell<doze>();
      co_await root.sleep(1s);
      co_await root.savepoint("kept", cairn::at_rest);
      co_return 0;
    }(top, sleepers);
  });
  CHECK(sim.run() == 0);
  REQUIRE(on.unfinished.size() == 1);
  return on.unfinished[0];
}

struct work {};
inline std::vector<std::chrono::seconds> tries{};
inline bool throws_next = true;  // each message fails once

struct failing_member {
  using protocol = cairn::protocol<work, look>;
  int done = 0;
  void serialize(auto& ar) { ar(done); }
  void on(work, cairn::context<failing_member>& self) {
    const auto now = self.now();
    if (!self.replaying()) {
      tries.push_back(std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()));
    }
    throws_next = !throws_next;
    if (!throws_next) throw std::runtime_error{"planned"};
    ++done;
  }
  int on(look) const { return done; }
};

}  // namespace waiting_long

TEST_CASE("a group's backoff doubles beyond the period in which restarts count") {
  using namespace waiting_long;
  cairn::testing::simulation_options chosen;
  chosen.workers = 1;
  chosen.configure = [](cairn::options& with) { with.ask_timeout = 100h; };
  tries.clear();
  throws_next = true;
  cairn::testing::simulation<cairn::actors<failing_member>> sim{chosen};
  sim.start([](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.strategy = cairn::one_for_all,
                                      .intensity = {.restarts = 3, .within = 5s},
                                      .attempts = 1,
                                      .backoff = {.first = 2s, .most = 8s, .jitter = 0}});
    auto one = top.spawn<failing_member>("one");
    for (int at = 0; at < 5; ++at) one.tell<work>();
    co_await root.sleep(1h);
    const int done = co_await one.ask<look>();
    CHECK(done == 5);
    co_return 0;
  });
  CHECK(sim.run() == 0);
  REQUIRE(tries.size() == 10);
  std::vector<long> waits;
  for (std::size_t at = 0; at < tries.size(); at += 2) {
    waits.push_back((tries[at + 1] - tries[at]).count());
  }
  CHECK(waits == std::vector<long>{2, 4, 8, 8, 8});
}

TEST_CASE("handlers that wait for hours cost an epoch nothing") {
  using namespace waiting_long;
  bench on;
  cairn::testing::simulation<actors> sim{on.options()};
  sim.start([](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    std::vector<cairn::ref<sleeper>> all;
    for (int at = 0; at < 500; ++at) {
      all.push_back(top.spawn<sleeper>(std::to_string(at)));
      all.back().tell<doze>();
    }
    auto one = top.spawn<busy>("busy");
    co_await root.sleep(1s);
    co_await root.checkpoint();  // with all of them suspended
    for (int epoch = 0; epoch < 3; ++epoch) {
      one.tell<touch>();
      co_await root.sleep(1s);
      co_await root.checkpoint();
    }
    co_await root.sleep(11h);
    const int done = co_await all.front().ask<look>();
    CHECK(done == 1);
    co_return 0;
  });
  CHECK(sim.run() == 0);
  REQUIRE(on.costs.size() >= 4);
  CHECK(on.costs[0].visited > 500);
  for (std::size_t at = 1; at < 4; ++at) {
    INFO("epoch " << at << ": " << on.costs[at].visited << " visited");
    CHECK(on.costs[at].visited < 5);
    CHECK(on.costs[at].records < 5);
  }
}

TEST_CASE("a snapshot at rest names the handlers that have not ended") {
  using namespace waiting_long;
  bench on;
  const std::string text = unfinished_of(on, 2);
  CHECK(text.starts_with("2 handlers had not ended before a snapshot at rest: "));
  CHECK(text.find("0 (waiting_long::doze)") != std::string::npos);
  CHECK(text.find("1 (waiting_long::doze)") != std::string::npos);
  CHECK(text.find("awake") == std::string::npos);
}

TEST_CASE("where many handlers have not ended some are named, and the others counted") {
  using namespace waiting_long;
  bench on;
  const std::string text = unfinished_of(on, 30);
  CHECK(text.starts_with("30 handlers had not ended"));
  CHECK(text.ends_with(" more"));
}

namespace waiting_long {

/// How long a savepoint at rest takes while a handler sleeps for eight seconds.
std::chrono::nanoseconds time_of_rest(bench& on, cairn::at_rest_t how) {
  cairn::testing::simulation<actors> sim{on.options()};
  std::chrono::nanoseconds took{};
  sim.start([&](cairn::root& top) {
    return [](cairn::root& root, cairn::at_rest_t asked, auto* in,
              std::chrono::nanoseconds* to) -> cairn::task<int> {
      root.supervise("top").spawn<sleeper>("one").tell<nap>();
      co_await root.sleep(1s);
      const auto before = in->now();
      co_await root.savepoint("kept", asked);
      *to = in->now() - before;
      co_return 0;
    }(top, how, &sim, &took);
  });
  CHECK(sim.run() == 0);
  return took;
}

}  // namespace waiting_long

TEST_CASE("a savepoint at rest has the deadline that it is given, else that of the options") {
  using namespace waiting_long;
  const auto about = [](std::chrono::nanoseconds took, std::chrono::nanoseconds wanted) {
    return took >= wanted && took < wanted + 1s;
  };
  bench on;
  CHECK(about(time_of_rest(on, cairn::at_rest), 5s));
  CHECK(on.unfinished.size() == 1);
  CHECK(about(time_of_rest(on, {.deadline = 2s}), 2s));
  CHECK(on.unfinished.size() == 2);
  CHECK(about(time_of_rest(on, {.deadline = 0s}), 0s));
  CHECK(on.unfinished.size() == 3);
  CHECK(about(time_of_rest(on, {.deadline = 1h}), 7s));  // the handler has ended
  CHECK(on.unfinished.size() == 3);
}

TEST_CASE("a savepoint at rest without a bound waits until the handlers have ended") {
  using namespace waiting_long;
  bench on;
  on.rest = std::chrono::milliseconds::max();
  CHECK(time_of_rest(on, cairn::at_rest) >= 7s);
  CHECK(time_of_rest(on, {.deadline = std::chrono::nanoseconds::max()}) >= 7s);
  CHECK(on.unfinished.empty());
}

TEST_CASE("an orderly end does not wait for a savepoint that may take longer") {
  using namespace waiting_long;
  bench on;
  cairn::testing::simulation<actors> sim{on.options()};
  sim.start([](cairn::root& root) -> cairn::task<int> {
    root.supervise("top").spawn<sleeper>("one").tell<doze>();
    co_await root.sleep(1s);
    (void)root.savepoint("kept", {.deadline = 9h});
    co_await root.sleep(1s);
    co_return 0;
  });
  CHECK(sim.run() == 0);
  const auto before = sim.now();
  CHECK(sim.finish());
  CHECK(sim.now() - before < 11s);
  CHECK(on.unfinished.size() == 2);
}
