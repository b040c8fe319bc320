// Actors that are born and stop while a snapshot is open, which knows nothing of them: they leave
// nothing behind.
#include <functional>
#include <optional>

#include "by_hand.hpp"

namespace short_lives {

using namespace played;

struct quit {};
struct bear {
  int count = 0;
  void serialize(auto& ar) { ar(count); }
};
struct born {};

struct child {
  using protocol = cairn::protocol<quit>;
  int value = 0;
  void serialize(auto& ar) { ar(value); }
  void on(quit, cairn::context<child>& self) { self.stop(); }
};
struct fleeting {
  using protocol = cairn::protocol<quit>;
  using persistence = cairn::ephemeral;
  void on(quit, cairn::context<fleeting>& self) { self.stop(); }
};

/// Its children live for one message.
struct nursery {
  using protocol = cairn::protocol<bear, quit, born>;
  int all = 0;
  cairn::ref<child> kept{};
  cairn::ref<fleeting> guest{};
  void serialize(auto& ar) { ar(all, kept, guest); }
  void on(bear what, cairn::context<nursery>& self) {
    for (int at = 0; at < what.count; ++at, ++all) {
      self.spawn<child>("").tell<quit>();
      self.spawn<fleeting>("").tell<quit>();
    }
    if (!kept) kept = self.spawn<child>("kept");
    if (!guest) guest = self.spawn<fleeting>("guest");
  }
  void on(quit) {
    kept.tell<quit>();
    guest.tell<quit>();
  }
  int on(born) const { return all; }
};
using actors = cairn::actors<nursery, child, fleeting>;

cairn::ref<nursery> one;

cairn::task<int> app(cairn::root& root) {
  one = root.supervise("top").spawn<nursery>("one");
  one.tell<bear>(1);
  co_return 0;
}

struct stage {
  explicit stage(fixture::bench& bench) : on{bench} {
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<by_hand::seat>(hand, of);
    };
    running.emplace(std::move(chosen));
    running->start(&app);
    hand.until_quiet();
  }
  [[nodiscard]] const cairn::detail::worker& first() { return *running->inner().workers.front(); }
  /// Steps the worker alone until that is so: the writer commits nothing meanwhile.
  void until(const std::function<bool()>& so) {
    for (int times = 0; !so(); ++times) {
      REQUIRE(times < 10'000);
      hand.step(0);
    }
  }
  void commit() {
    running->inner().leader().request();
    const auto before = on.told.count(cairn::event_kind::committed);
    for (int times = 0; on.told.count(cairn::event_kind::committed) == before; ++times) {
      REQUIRE(times < 10'000);
      hand.step(0);
      (void)hand.steps.at(cairn::seats::writer)(0);
    }
  }
  void open() {
    running->inner().leader().request();
    until([this] { return first().open; });
  }
  void bear_many(int count) {
    const auto records = first().recorded;
    one.tell<bear>(count);
    hand.step(0, 50);
    REQUIRE(first().open);
    CHECK(first().recorded == records);
  }

  fixture::bench& on;
  by_hand hand{};
  std::optional<cairn::system<actors>> running{};
};

TEST_CASE("who is born and stops while a snapshot is open leaves no tombstone in it") {
  fixture::bench on;
  {
    stage of{on};
    of.commit();
    of.open();
    of.hand.step(0, 50);  // its sweep is over; the writer has not committed it
    REQUIRE(of.first().open);
    REQUIRE(of.first().tombs.empty());
    of.bear_many(10);
    const auto cells = of.running->inner().cells.used();
    for (int times = 0; times < 20; ++times) of.bear_many(10);
    CHECK(of.first().tombs.empty());
    CHECK(of.running->inner().cells.used() == cells);
    // One that has a record stays until a snapshot has said that it is gone, and one that has none
    // for as long as somebody in the open snapshot may send to it.
    one.tell<quit>();
    of.hand.step(0, 50);
    CHECK(of.first().tombs.size() == 2);
    of.commit();
    of.commit();
    CHECK(of.first().tombs.empty());
    of.running->inner().halt();
  }
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    auto again = root.supervise("top").spawn<nursery>("one");
    const int all = co_await again.ask<born>();
    CHECK(all == 211);
    co_return 0;
  });
}

TEST_CASE("so does who is born and stops between the flip and the sweep") {
  fixture::bench on;
  stage of{on};
  of.commit();
  of.running->inner().sweep_visits = 1;
  one.tell<bear>(10);
  of.open();
  one.tell<bear>(10);
  of.until([&] { return of.first().sweep_begun; });
  of.hand.step(0, 100);
  CHECK(of.first().tombs.empty());
  of.commit();
  of.running->inner().halt();
}

}  // namespace short_lives
