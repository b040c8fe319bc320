// Schedules that the model of the epoch protocol found (docs/model), played by hand.
#include <functional>
#include <thread>

#include "by_hand.hpp"

namespace played {

using namespace std::chrono_literals;

std::function<void()> hook;
struct slow {
  using protocol = cairn::protocol<meet, go, look>;
  cairn::ref<listener> whom{};
  int said = 0;
  void serialize(auto& ar) { ar(whom, said); }
  void on(meet what) { whom = what.whom; }
  void on(go) {
    if (hook) hook();
    ++said;
    whom.tell<word>();
  }
  int on(look) { return said; }
};
struct ping {};
int pings = 0;  // by all, in this process
struct total {
  int answered = 0;
  int failed = 0;
  void serialize(auto& ar) { ar(answered, failed); }
};
struct echo {
  using protocol = cairn::protocol<ping>;
  int pinged = 0;
  void serialize(auto& ar) { ar(pinged); }
  int on(ping) {
    ++pings;
    return ++pinged;
  }
};
struct ask_all {
  std::vector<cairn::ref<echo>> whom{};
  void serialize(auto& ar) { ar(whom); }
};
constexpr int asked = 1024;
struct gatherer {
  using protocol = cairn::protocol<ask_all, look>;
  total seen{};
  void serialize(auto& ar) { ar(seen); }
  cairn::task<void> on(ask_all what) {
    std::vector<cairn::asking_result<int>> answers;
    for (std::size_t at = 0; at < asked; ++at) {
      answers.push_back(what.whom[at * what.whom.size() / asked].ask<ping>().as_result());
    }
    for (auto& each : answers) {
      const auto answer = co_await std::move(each);
      answer ? ++seen.answered : ++seen.failed;
    }
  }
  total on(look) { return seen; }
};
using all = cairn::actors<listener, speaker, slow>;

/// Gives up what it is sent.
struct unwilling {
  using protocol = cairn::protocol<go, look>;
  bool late = false;
  void serialize(auto& ar) { ar(late); }
  void on(go) {
    if (late && hook) hook();
    throw std::runtime_error{"no"};
  }
  std::uint64_t on(look, cairn::context<unwilling>& self) { return raw(self.consumed()) - 1; }
};

TEST_CASE(
    "a message of the next epoch that arrives before its worker's acknowledgement stays in "
    "flight") {
  fixture::bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto a = top.spawn<listener>("a");
    auto c = top.spawn<speaker>("c");
    auto d = top.spawn<slow>("d");
    c.tell<meet>(a);
    d.tell<meet>(a);
    co_await root.checkpoint();
    co_return 0;
  });

  on.workers = 2;
  {
    by_hand hand;
    auto chosen = on.options();
    chosen.schedulers = [&](cairn::seats of) { return std::make_unique<by_hand::seat>(hand, of); };
    cairn::ref<speaker> c;
    cairn::ref<slow> d;
    cairn::system<all> running{std::move(chosen)};
    running.start([&](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      auto a = top.spawn<listener>("a");
      c = top.spawn<speaker>("c");
      d = top.spawn<slow>("d");
      a.tell<begin>();
      co_return 0;
    });
    hand.until_quiet();
    const auto before = on.told.count(cairn::event_kind::committed);
    // d is at the second worker, with a; c is at the first one.
    hook = [&] {
      std::thread{[&] {
        running.inner().leader().request();
        hand.step(0, 2);  // flips, acknowledges
        c.tell<go>();
        hand.step(0, 2);  // c tells a, in the new epoch
      }}.join();
    };
    d.tell<go>();
    hand.step(1);  // d's turn; its local send takes over what c has sent
    hook = {};
    hand.until_quiet();
    REQUIRE(on.told.count(cairn::event_kind::committed) == before + 1);
    running.inner().leader().request();
    hand.until_quiet();
    REQUIRE(on.told.count(cairn::event_kind::committed) == before + 2);
  }

  on.workers = 1;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto a = top.spawn<listener>("a");
    const int by_c = co_await top.spawn<speaker>("c").ask<look>();
    const int by_d = co_await top.spawn<slow>("d").ask<look>();
    CHECK(by_c == 1);
    CHECK(by_d == 1);
    on.clock.advance(2h);  // a has slept enough
    const int heard = co_await a.ask<look>();
    CHECK(heard == by_c + by_d);
    co_return 0;
  });
}

TEST_CASE("the first dead letter of the next epoch is overtaken by one of this epoch") {
  using actors = cairn::actors<unwilling>;
  fixture::bench on;
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.attempts = 0});
    top.spawn<unwilling>("late", true);
    top.spawn<unwilling>("early", false);
    co_await root.checkpoint();
    co_return 0;
  });

  on.workers = 2;
  {
    by_hand hand;
    auto chosen = on.options();
    chosen.schedulers = [&](cairn::seats of) { return std::make_unique<by_hand::seat>(hand, of); };
    cairn::ref<unwilling> late;
    cairn::ref<unwilling> early;
    cairn::system<actors> running{std::move(chosen)};
    running.start([&](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top", {.attempts = 0});
      late = top.spawn<unwilling>("late");
      early = top.spawn<unwilling>("early");
      co_return 0;
    });
    hand.until_quiet();
    const auto before = on.told.count(cairn::event_kind::committed);
    // One is at the second worker, the other at the first one.
    hook = [&] {
      std::thread{[&] {
        running.inner().leader().request();
        hand.step(0, 2);  // flips, acknowledges
        early.tell<go>();
        hand.step(0, 2);  // gives it up in the new epoch: the keeper is born
      }}.join();
    };
    late.tell<go>();
    hand.step(1);  // gives it up in the old one
    hook = {};
    REQUIRE(on.told.count(cairn::event_kind::given_up) == 2);
    hand.until_quiet();
    REQUIRE(on.told.count(cairn::event_kind::committed) == before + 1);
  }

  on.workers = 1;
  fixture::crash<actors>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.attempts = 0});
    const auto by_late = co_await top.spawn<unwilling>("late").ask<look>();
    const auto by_early = co_await top.spawn<unwilling>("early").ask<look>();
    CHECK(by_late == 1);
    CHECK(by_early == 0);
    const auto kept = co_await root.dead_letters();
    CHECK(kept.letters.size() == by_late + by_early);
    if (!kept.letters.empty()) CHECK(kept.letters[0].letter.name == "late");
    co_return 0;
  });
}

TEST_CASE("an answer that waits over two cuts is in the second one too") {
  using actors = cairn::actors<gatherer, echo>;
  fixture::bench on;
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    top.spawn<gatherer>("a");
    for (int at = 0; at < 64; ++at) top.spawn<echo>("e" + std::to_string(at));
    co_await root.checkpoint();
    co_return 0;
  });
  const auto committed = [&] { return on.told.count(cairn::event_kind::committed); };
  const auto before = committed();
  on.workers = 2;
  {
    by_hand hand;
    auto chosen = on.options();
    chosen.schedulers = [&](cairn::seats of) { return std::make_unique<by_hand::seat>(hand, of); };
    cairn::system<actors> running{std::move(chosen)};
    running.start([&](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      ask_all what;
      for (int at = 1; at < 64; at += 2)
        what.whom.push_back(top.spawn<echo>("e" + std::to_string(at)));
      top.spawn<gatherer>("a").tell<ask_all>(what.whom);
      co_return 0;
    });
    // A step of the second worker is one activation: at most 64 answers between two stages.
    running.inner().slice = 1;
    pings = 0;
    while (pings < asked) {
      hand.step(0);
      hand.step(1);
    }
    running.inner().leader().request();
    bool again = false;
    while (committed() < before + 2) {
      // The second flip comes when nobody else is ready: a takes an answer before the sweep.
      const bool alone = running.inner().workers[1]->ready.size() == 1;
      if (committed() == before + 1 && alone && !std::exchange(again, true)) {
        running.inner().leader().request();
      }
      hand.step(0, 2);
      (void)hand.steps.at(cairn::seats::writer)(0);
      (void)hand.steps.at(cairn::seats::writer)(0);
      hand.step(0);
      if (committed() < before + 2) hand.step(1);
    }
    REQUIRE(committed() >= before + 2);
  }
  by_hand hand;
  auto chosen = on.options();
  chosen.schedulers = [&](cairn::seats of) { return std::make_unique<by_hand::seat>(hand, of); };
  total seen;
  cairn::system<actors> running{std::move(chosen)};
  running.start([&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    for (int at = 0; at < 64; ++at) top.spawn<echo>("e" + std::to_string(at));
    seen = co_await top.spawn<gatherer>("a").ask<look>().within(5000h);
    co_return 0;
  });
  hand.until_quiet();
  on.clock.advance(2000h);  // asks that nobody will answer end
  hand.until_quiet();
  CHECK(seen.failed == 0);
  CHECK(seen.answered == asked);
}

TEST_CASE("a slice of a sweep ends although what it has recorded has left for the writer") {
  using actors = cairn::actors<echo>;
  fixture::bench on;
  by_hand hand;
  auto chosen = on.options();
  chosen.schedulers = [&](cairn::seats of) { return std::make_unique<by_hand::seat>(hand, of); };
  cairn::system<actors> running{std::move(chosen)};
  running.inner().sweep_bytes = 64;  // each record is larger, and leaves at once
  running.start([&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    for (int at = 0; at < 20; ++at) top.spawn<echo>("e" + std::to_string(at));
    co_return 0;
  });
  for (int at = 0; at < 50; ++at) hand.step(0);
  running.inner().leader().request();
  const auto& worker = *running.inner().workers.front();
  std::uint64_t most = 0;
  for (int at = 0; at < 500 && on.told.count(cairn::event_kind::committed) == 0; ++at) {
    const auto before = worker.visited;
    hand.step(0);
    if (worker.visited > before) most = std::max(most, worker.visited - before);
    while (hand.steps.at(cairn::seats::writer)(0).busy) {
    }
  }
  CHECK(worker.visited > 20);
  CHECK(most < 5);  // some have nothing to be recorded
}

TEST_CASE(
    "a worker whose sweep finds no room in the write buffer rests until the writer wakes it") {
  using actors = cairn::actors<echo>;
  fixture::bench on;
  by_hand hand;
  auto chosen = on.options();
  chosen.epoch.write_buffer = 4096;  // some slices of a sweep fill it
  chosen.schedulers = [&](cairn::seats of) { return std::make_unique<by_hand::seat>(hand, of); };
  cairn::system<actors> running{std::move(chosen)};
  running.start([&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    for (int at = 0; at < 60; ++at) top.spawn<echo>("e" + std::to_string(at));
    co_return 0;
  });
  for (int at = 0; at < 50; ++at) hand.step(0);
  running.inner().leader().request();
  const auto step = [&] { return hand.steps.at(cairn::seats::workers)(0).busy; };
  hand.step(0, 50);
  CHECK_FALSE(step());
  CHECK(on.told.count(cairn::event_kind::committed) == 0);
  const int before = hand.wakes;
  while (hand.steps.at(cairn::seats::writer)(0).busy) {
  }
  CHECK(hand.wakes > before);
  const auto& worker = *running.inner().workers.front();
  const auto visited = worker.visited;
  hand.step(0);
  CHECK(worker.visited > visited);
  hand.until_quiet();
  CHECK(on.told.count(cairn::event_kind::committed) == 1);
}

}  // namespace played
