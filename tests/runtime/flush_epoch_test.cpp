// A flip that comes while an actor's turn runs, and what the turn's own flush then takes in: all
// that the turn sends is of the epoch in which it stands in the snapshot.
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "by_hand.hpp"

namespace flushing {

using namespace std::chrono_literals;
using cairn::event_kind;

std::function<void()> meanwhile{};  ///< what happens elsewhere while the turn runs

struct note {};
struct fill {};
struct work {};
struct push {};

struct reader {
  using protocol = cairn::protocol<note>;
  int noted = 0;
  void serialize(auto& ar) { ar(noted); }
  void on(note) { ++noted; }
};
/// Its mailbox has room for one while it works.
struct worker_bee {
  using protocol = cairn::protocol<work, fill>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 3};
  cairn::ref<reader> to{};
  int worked = 0;
  void serialize(auto& ar) { ar(to, worked); }
  void on(work, cairn::context<worker_bee>& self) {
    ++worked;
    if (meanwhile) std::exchange(meanwhile, {})();
    self.ref().tell<fill>();  // takes in what has come meanwhile
    to.tell<note>();
  }
  void on(fill) {}
};
struct pusher {
  using protocol = cairn::protocol<push>;
  cairn::ref<worker_bee> to{};
  void serialize(auto& ar) { ar(to); }
  void on(push) {
    for (int times = 0; times < 2; ++times) to.tell<fill>();  // of which one finds no room
  }
};

/// Two workers, stepped by hand: the bee on the second.
struct play {
  using actors = cairn::actors<reader, worker_bee, pusher>;

  explicit play(fixture::bench& on) {
    on.workers = 2;
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<played::by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<actors>>(std::move(chosen));
    running->start([this](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      to = top.spawn<reader>("to");
      bee = top.spawn<worker_bee>("bee", to);
      // What comes from outside comes by a worker's lane, by the place of who receives it.
      for (const char* name : {"one", "other"}) {
        const auto made = top.spawn<pusher>(name, bee);
        if (made.where().where->slot_index % 2 == 0) from = made;
      }
      co_await root.sleep(10h);
      co_return 0;
    });
    hand.until_quiet();
  }
  template <class A>
  [[nodiscard]] const A& state(const cairn::ref<A>& of) {
    return cairn::detail::held<A>(*of.where().where).state;
  }

  played::by_hand hand{};
  cairn::ref<reader> to{};
  cairn::ref<worker_bee> bee{};
  cairn::ref<pusher> from{};
  std::unique_ptr<cairn::system<actors>> running{};
};

TEST_CASE("what a turn sends is in the snapshot that the turn is in, whatever its flush takes in") {
  fixture::bench on;
  {
    play game{on};
    auto& inner = game.running->inner();
    auto& cell = *game.bee.where().where;
    REQUIRE(cairn::detail::give_away(inner, *inner.workers[0], cell, *inner.workers[1]));
    game.hand.until_quiet();
    REQUIRE(cell.home.load() == inner.workers[1].get());
    cell.pinned = true;
    game.bee.tell<work>();
    for (int times = 0; times < 2; ++times) game.bee.tell<fill>();
    game.hand.step(0);  // takes what comes from outside
    meanwhile = [&] {
      std::thread first{[&] {  // the first worker goes on, into the next epoch
        inner.want_epoch();
        game.hand.step(0, 3);
        game.from.tell<push>();
        game.hand.step(0, 3);
      }};
      first.join();
    };
    game.hand.step(1);
    REQUIRE(!meanwhile);
    for (int steps = 0; steps < 100 && on.told.count(event_kind::committed) == 0; ++steps) {
      game.hand.step(0);
      game.hand.step(1);
      (void)game.hand.steps.at(cairn::seats::writer)(0);
    }
    REQUIRE(on.told.count(event_kind::committed) == 1);
    CHECK(on.told.count(event_kind::dead_letter, "bee") > 0);  // it was full
  }
  play game{on};
  CHECK(game.state(game.bee).worked == 1);
  CHECK(game.state(game.to).noted == 1);
}

}  // namespace flushing
