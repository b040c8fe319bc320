// A snapshot at rest waits for every handler, also for those of actors that move meanwhile.
#include "by_hand.hpp"

namespace played {

struct worker_of {
  using protocol = cairn::protocol<begin, word>;
  int heard = 0;
  void serialize(auto& ar) { ar(heard); }
  cairn::task<void> on(begin, cairn::context<worker_of>& self) {
    co_await self.run("work", [] { return 1; });
  }
  void on(word) { ++heard; }
};

/// A suspended handler whose actor is ready, for it has mail, and goes to the other worker.
struct moving {
  using all = cairn::actors<worker_of>;
  fixture::bench on{};
  by_hand hand{};
  cairn::ref<worker_of> it{};
  std::vector<cairn::ref<worker_of>> others{};

  cairn::options options() {
    on.workers = 2;
    auto chosen = on.options();
    chosen.schedulers = [&](cairn::seats of) { return std::make_unique<by_hand::seat>(hand, of); };
    return chosen;
  }
  /// Until its handler waits for its function.
  void set_up(cairn::system<all>& running) {
    running.start([&](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
        const auto made = top.spawn<worker_of>(name);
        // What comes from outside for the others comes by way of the second worker.
        if (made.where().where->slot_index % 2 == 0) others.push_back(made);
      }
      it = others.back();
      others.pop_back();
      it.tell<begin>();
      co_return 0;
    });
    hand.until_quiet();
    REQUIRE(cell().busy());
    REQUIRE(home() == 0);
    running.inner().slice = 1;
    running.inner().always_shares = true;
  }
  /// The first worker's next step gives it to the second one, which is idle.
  void give(cairn::system<all>& running) {
    others[0].tell<word>();  // whose turn is all that there is time for
    it.tell<word>();
    for (const auto& each : others) each.tell<word>();
    // Relaxed: one thread plays all.
    running.inner().workers[0]->beggar.store(running.inner().workers[1].get(),
                                             std::memory_order_relaxed);
  }
  cairn::detail::cell& cell() { return *it.where().where; }
  unsigned home() { return cell().home.load(std::memory_order_relaxed)->index; }  // as above

  /// The snapshot begins when the handler has ended, and not before.
  void rest() {
    const auto before = on.told.count(cairn::event_kind::epoch_begun);
    hand.until_quiet();
    CHECK(on.told.count(cairn::event_kind::epoch_begun) == before);
    CHECK(cell().busy());
    (void)hand.steps.at(cairn::seats::runs)(0);
    hand.until_quiet();
    CHECK_FALSE(cell().busy());
    for (int looks = 0; looks < 2; ++looks) {  // at what was counted the time before
      on.clock.advance(1s);
      hand.until_quiet();
    }
    CHECK(on.told.count(cairn::event_kind::epoch_begun) == before + 1);
    CHECK(on.told.count(cairn::event_kind::unfinished) == 0);
  }
};

}  // namespace played

TEST_CASE("a handler whose actor moves in the very step is waited for") {
  played::moving here;
  cairn::system<played::moving::all> running{here.options()};
  here.set_up(running);
  here.give(running);
  running.inner().leader().request_at_rest(std::chrono::hours{1});
  here.hand.step(0);
  REQUIRE(here.home() == 1);
  here.rest();
}
