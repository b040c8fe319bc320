// Schedules in which a thread is halted between two steps of a message's way, played by hand.
#include <cairn/detail/pausing.hpp>

#include <functional>
#include <optional>
#include <thread>

#include "by_hand.hpp"

namespace played {

using talking = cairn::actors<listener, speaker>;

/// Does something once, at the first pause of this thread at which `here` holds.
struct interrupting final : cairn::detail::pauser {
  interrupting(std::function<bool()> when, std::function<void()> then)
      : here{std::move(when)}, what{std::move(then)} {}
  void pause() noexcept override {
    if (!here || !here()) return;
    here = nullptr;
    // Others are other threads: nothing of this one's is theirs.
    std::thread{what}.join();
  }
  void reached(const char*) noexcept override {}

  std::function<bool()> here;
  std::function<void()> what;
  const cairn::detail::scoped_current<cairn::detail::pauser> now{cairn::detail::current_pauser,
                                                                 this};
};

/// Three workers; what the restored speaker tells goes from the third one to a new listener, which
/// sleeps at the first one and hears of threads outside through the second one.
struct three_workers {
  explicit three_workers(fixture::bench& on) {
    on.workers = 3;
    fixture::crash<talking>(on, [](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      for (const auto* name : {"x", "y", "c"}) top.spawn<speaker>(name);
      co_await root.checkpoint();
      co_return 0;
    });
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<by_hand::seat>(hand, of);
    };
    running.emplace(std::move(chosen));
    running->start([this](cairn::root& root) -> cairn::task<int> { return play(root); });
    hand.until_quiet();
    REQUIRE(home_of(c.where()) == 2);
    REQUIRE(home_of(a.where()) == 0);
    REQUIRE(a.where().where->slot_index % 3 == 1);
  }
  cairn::task<int> play(cairn::root& root) {
    auto top = root.supervise("top");
    c = top.spawn<speaker>("c");
    top.spawn<listener>("filler");
    a = top.spawn<listener>("a");
    c.tell<meet>(a);
    a.tell<begin>();
    co_return 0;
  }
  static unsigned home_of(const cairn::detail::address& of) {
    return of.where->home.load(std::memory_order_seq_cst)->index;
  }
  /// At a pause of a thread outside that has read the epoch, and nobody knows of its message yet.
  [[nodiscard]] std::function<bool()> has_stamped() {
    return [this, pauses = 0]() mutable {
      const auto& sends = running->inner().announced;
      const auto under_way =
          sends[0].load(std::memory_order_seq_cst) + sends[1].load(std::memory_order_seq_cst);
      return under_way != 0 && ++pauses == 2;
    };
  }

  by_hand hand{};
  cairn::ref<speaker> c{};
  cairn::ref<listener> a{};
  std::optional<cairn::system<talking>> running{};
};

/// What the listener has heard in the next process, once it has slept enough.
int heard_after_crash(fixture::bench& on) {
  int heard = -1;
  on.workers = 1;
  fixture::crash<talking>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto a = top.spawn<listener>("a");
    on.clock.advance(2h);
    heard = co_await a.ask<look>();
    co_return 0;
  });
  return heard;
}

TEST_CASE(
    "an epoch does not end before what a thread outside has stamped with it is in a mailbox") {
  fixture::bench on;
  {
    three_workers play{on};
    const auto committed = [&] { return on.told.count(cairn::event_kind::committed); };
    const auto before = committed();
    {
      const interrupting halted{play.has_stamped(), [&] {
                                  play.running->inner().leader().request();
                                  play.hand.until_quiet();
                                  CHECK(committed() == before);
                                }};
      play.a.tell<word>();
    }
    play.hand.until_quiet();
    CHECK(committed() == before + 1);
  }
  CHECK(heard_after_crash(on) == 1);
}

TEST_CASE("what is forwarded to an actor that somebody has marked and not queued is drained") {
  fixture::bench on;
  {
    three_workers play{on};
    by_hand& hand = play.hand;
    const auto before = on.told.count(cairn::event_kind::committed);
    {
      const interrupting halted{play.has_stamped(), [&] {
                                  play.running->inner().leader().request();
                                  hand.step(0, 2);  // flips, acknowledges
                                  hand.step(1);
                                  hand.step(2);
                                }};
      play.a.tell<word>();  // of the old epoch, left with the second worker
    }
    play.c.tell<go>();  // of the new one
    hand.step(0);       // drain
    {
      const auto marked = [&] {
        return play.a.where().where->queued.load(std::memory_order_seq_cst);
      };
      const interrupting halted{marked, [&] {
                                  hand.step(1);     // forwards, and finds the mark
                                  hand.step(0, 3);  // finds nothing, and would sweep
                                  hand.step(1, 3);
                                }};
      hand.step(2);  // drains; then c tells a: marks it, and queues it later
    }
    hand.until_quiet();
    REQUIRE(on.told.count(cairn::event_kind::committed) == before + 1);
  }
  CHECK(heard_after_crash(on) == 1);
}

}  // namespace played
