// What an epoch is told to have cost, against what it did cost: each part of it takes as long as
// the test says, and what it has written is counted in the store.
#include <map>

#include "by_hand.hpp"

namespace epoch_costs {

using cairn::event_kind;
using cairn::record_kind;
using cairn::detail::phase;
using namespace std::chrono_literals;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct nap {};
struct counter {
  using protocol = cairn::protocol<add, nap>;
  int sum = 0;
  std::string text = "so that its record has another length than others";
  void serialize(auto& ar) { ar(sum, text); }
  void on(add what) { sum += what.value; }
  cairn::task<> on(nap, cairn::context<counter>& self) { co_await self.sleep(1h); }
};
using all = cairn::actors<counter>;

/// What a snapshot's own epoch has written, but for tombstones, which no reader is shown.
struct written {
  std::map<record_kind, std::uint64_t> count{};
  std::uint64_t bytes = 0;
  std::uint64_t all_bytes = 0;  ///< with them
};

/// Three actors, and two workers who come as far as the test has them.
struct stage_play {
  fixture::bench on{};
  played::by_hand hand{};
  std::vector<cairn::ref<counter>> actors{};
  std::unique_ptr<cairn::system<all>> running{};

  stage_play() {
    on.workers = 2;
    auto chosen = on.options();
    chosen.schedulers = [&](cairn::seats of) {
      return std::make_unique<played::by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<all>>(std::move(chosen));
    running->start([&](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      for (const char* name : {"a", "b", "c"}) actors.push_back(top.spawn<counter>(name));
      co_return 0;
    });
    hand.until_quiet();
    request();
    hand.until_quiet();
    REQUIRE(on.told.count(event_kind::committed) == 1);
  }
  void request() { running->inner().leader().request(); }
  [[nodiscard]] phase now() const {
    return static_cast<phase>(running->inner().stage.load(std::memory_order_relaxed) %
                              cairn::detail::phases);  // one thread plays all
  }
  /// Both workers go on, the second one first, until the leader has entered this.
  void until(phase wanted) {
    for (int steps = 0; now() != wanted; ++steps) {
      REQUIRE(steps < 100);
      hand.step(1);
      if (now() != wanted) hand.step(0);
    }
  }
  /// So long the second worker does nothing, whatever the first one tries.
  void pass(std::chrono::nanoseconds span) {
    const phase before = now();
    hand.step(0, 5);
    on.clock.advance(span);
    hand.step(0, 5);
    CHECK(now() == before);
  }
  /// An epoch whose parts take so long, after what waits has been handled.
  cairn::epoch_cost commit(std::chrono::nanoseconds flip, std::chrono::nanoseconds sweep,
                           std::chrono::nanoseconds writing, std::chrono::nanoseconds end) {
    hand.until_quiet();
    on.clock.advance(1s);  // of no epoch
    request();
    hand.step(0);
    REQUIRE(now() == phase::flip);
    pass(flip);
    until(phase::sweep);
    pass(sweep);
    hand.step(1);
    hand.step(0);  // it is written from now on
    pass(writing);
    for (int jobs = 0; jobs < 100; ++jobs) (void)hand.steps.at(cairn::seats::writer)(0);
    until(phase::keep);
    pass(end);
    hand.until_quiet();
    return on.told.of(event_kind::committed).back().what.cost;
  }
  /// Ends the system.
  written of(std::uint64_t epoch) {
    running.reset();
    cairn::memory_store store{on.store};
    (void)store.open();
    written found;
    store.read(cairn::epoch{epoch}, [&](const cairn::record_view& each) {
      if (each.header.epoch != cairn::epoch{epoch}) return;
      ++found.count[each.header.kind];
      found.bytes += cairn::detail::record_overhead + each.payload.size();
    });
    for (const auto& each : store.list()) {
      if (each.number == cairn::epoch{epoch}) found.all_bytes = each.bytes;
    }
    return found;
  }
};

TEST_CASE("an epoch is told of with how long each part of it took, to the nanosecond") {
  stage_play play;
  play.actors[0].tell<add>(1);
  const auto first = play.commit(5ms, 300us, 20us, 1us);
  CHECK(first.flip == 5ms);
  CHECK(first.sweep == 5ms + 300us);
  CHECK(first.whole == 5ms + 300us + 20us + 1us);
  play.actors[0].tell<add>(1);
  const auto second = play.commit(0ms, 7us, 0us, 2us);
  CHECK(second.flip == 0ms);
  CHECK(second.sweep == 7us);
  CHECK(second.whole == 9us);
  // Whoever asks for the status is told the same.
  const auto kept = play.running->status(1ns).commit_cost;
  CHECK(kept.flip == second.flip);
  CHECK(kept.sweep == second.sweep);
  CHECK(kept.whole == second.whole);
  CHECK(kept.visited == second.visited);
  CHECK(kept.records == second.records);
  CHECK(kept.bytes == second.bytes);
}

TEST_CASE("an epoch is told of with what it has looked at, and what it has written") {
  stage_play play;
  for (const auto& each : {play.actors[0], play.actors[1]}) each.tell<add>(1);
  play.actors[1].tell<nap>();
  play.actors[1].tell<add>(1);  // waits in its mailbox
  const auto cost = play.commit(1ms, 1ms, 1ms, 1ms);
  auto found = play.of(2);
  CHECK(found.count[record_kind::actor] == 2);
  CHECK(found.count[record_kind::mail] == 1);
  CHECK(found.count[record_kind::meta] == 1);
  CHECK(cost.visited == 2);
  CHECK(cost.records == 3);  // the system's own are not counted
  CHECK(cost.bytes == found.bytes);
  CHECK(cost.bytes == found.all_bytes);
}

TEST_CASE("an epoch in which an actor stopped is told of with its tombstone") {
  stage_play play;
  play.actors[2].stop();
  const auto cost = play.commit(1ms, 1ms, 1ms, 1ms);
  auto found = play.of(2);
  CHECK(found.count[record_kind::actor] == 1);  // its supervisor's, which has forgotten it
  CHECK(cost.visited == 2);
  CHECK(cost.records == 2);
  CHECK(cost.bytes == found.bytes + cairn::detail::record_overhead);
  CHECK(cost.bytes == found.all_bytes);
}

}  // namespace epoch_costs
