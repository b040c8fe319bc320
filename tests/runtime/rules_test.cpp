// Rules of recovery, each with the schedule that needs it.
#include <map>
#include <stdexcept>

#include <cairn/testing/simulation.hpp>

#include "../catch.hpp"

namespace rules {

using namespace std::chrono_literals;
using cairn::event_kind;

struct work {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct question {};
struct look {};

int throws_left = 0;  // how often `work` still throws
int begun = 0;

/// Its handlers fail as planned.
struct member {
  using protocol = cairn::protocol<work, question, look>;
  std::string name{};  // with it the state is no plain bytes, and a base is not taken every turn
  int worked = 0;
  int asked = 0;
  void serialize(auto& ar) { ar(name, worked, asked); }
  void on(work) {
    if (throws_left > 0) {
      --throws_left;
      throw std::runtime_error{"planned"};
    }
    ++worked;
  }
  int on(question) { return ++asked; }
  std::pair<int, int> on(look) { return {worked, asked}; }
};

/// What it sends is as much each time and of another kind.
struct fickle {
  using protocol = cairn::protocol<work, look>;
  std::string name{};
  cairn::ref<member> other{};
  void serialize(auto& ar) { ar(name, other); }
  void on(work what) {
    if (what.value == 2) throw std::runtime_error{"planned"};
    ++begun == 1 ? other.tell<question>() : other.tell<look>();
  }
  int on(look) { return begun; }
};

using actors = cairn::actors<member, fickle>;

struct bench {
  std::map<event_kind, int> told{};
  std::string diverged{};

  cairn::testing::simulation_options options() {
    cairn::testing::simulation_options made;
    made.workers = 1;
    made.configure = [](cairn::options& chosen) {
      chosen.epoch.every = {};
      chosen.ask_timeout = 100h;
    };
    made.on_event = [this](const cairn::event& what) {
      ++told[what.kind];
      if (what.kind == event_kind::diverged) diverged = what.text;
    };
    throws_left = begun = 0;
    return made;
  }
};

}  // namespace rules

TEST_CASE("how often a turn has failed is not forgotten over a crash") {
  using namespace rules;
  bench on;
  cairn::testing::simulation<actors> sim{on.options()};
  const auto app = [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.attempts = 1, .backoff = {.first = 1h, .most = 1h}});
    auto one = top.spawn<member>("one");
    if (!root.restored()) {
      throws_left = 2;
      one.tell<work>(1);
      while (throws_left == 2) co_await root.sleep(1ms);
      co_await root.checkpoint();
      co_return 0;
    }
    co_await root.sleep(10h);
    const auto found = co_await one.ask<look>();
    CHECK(found.first == 0);
    co_return 0;
  };
  sim.start(app);
  REQUIRE(sim.run() == 0);
  REQUIRE(throws_left == 1);
  sim.crash();
  REQUIRE(on.told[event_kind::given_up] == 0);
  sim.start(app);
  CHECK(sim.run() == 0);
  CHECK(throws_left == 0);
  CHECK(on.told[event_kind::given_up] == 1);
}

TEST_CASE("a handler that sends as much and of another kind in replay is named") {
  using namespace rules;
  bench on;
  cairn::testing::simulation<actors> sim{on.options()};
  sim.start([](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto other = top.spawn<member>("other");
    auto one = top.spawn<fickle>("one", "one", other);
    one.tell<work>(1);
    one.tell<work>(2);  // throws: the first one is replayed
    const auto answer = co_await one.ask<look>().as_result();
    CHECK(answer.code() == cairn::errc::failed);
    co_return 0;
  });
  CHECK(sim.run() == 0);
  CHECK(on.told[event_kind::diverged] == 1);
  CHECK(on.diverged.find(", seen was ") != std::string::npos);
}

TEST_CASE("an ask that a suspended actor has refused is not handled once it goes on") {
  using namespace rules;
  bench on;
  cairn::testing::simulation<actors> sim{on.options()};
  sim.start([](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.intensity = {.restarts = 0, .within = 1h}});
    auto one = top.spawn<member>("one");
    for (int round = 1; round <= 2; ++round) {  // what is remembered of the mailbox is forgotten
      throws_left = 1;
      one.tell<work>(1);
      for (int times = 0; times < 3; ++times) {
        const auto answer = co_await one.ask<question>().as_result();
        CHECK(answer.code() == cairn::errc::failed);
      }
      root.resume(one);
      const auto found = co_await one.ask<look>();
      CHECK(found.first == round);
      CHECK(found.second == 0);
    }
    co_return 0;
  });
  CHECK(sim.run() == 0);
}
