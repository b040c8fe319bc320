// What a commit has made clean is seen in slices, and turns are taken in between.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "by_hand.hpp"

namespace clean_slices {

using namespace played;

struct add {};
struct quit {};
struct sum {};

struct counter {
  using protocol = cairn::protocol<add, quit, sum>;
  int added = 0;
  void serialize(auto& ar) { ar(added); }
  void on(add) { ++added; }
  void on(quit, cairn::context<counter>& self) { self.stop(); }
  int on(sum) const { return added; }
};
using actors = cairn::actors<counter>;

constexpr int crowd = 100;
std::vector<cairn::ref<counter>> all;

cairn::task<int> spawn_crowd(cairn::root& root) {
  auto top = root.supervise("top");
  all.clear();
  for (int at = 0; at < crowd; ++at) all.push_back(top.spawn<counter>("c" + std::to_string(at)));
  for (const auto& each : all) each.tell<add>();
  co_return 0;
}

/// A system of two workers at most whose first epoch is committed, and whose workers have only
/// begun to see what is clean: they look at eight actors in a slice.
struct stage {
  explicit stage(fixture::bench& bench) : on{bench} {
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<by_hand::seat>(hand, of);
    };
    running.emplace(std::move(chosen));
    running->inner().sweep_visits = 1;
    running->start(&spawn_crowd);
    hand.until_quiet();
  }
  [[nodiscard]] std::size_t epochs() const { return on.told.count(cairn::event_kind::committed); }
  [[nodiscard]] const cairn::detail::worker& first() { return *running->inner().workers.front(); }
  /// Steps all until that is so.
  void until(const std::function<bool()>& so) {
    for (int times = 0; !so(); ++times) {
      REQUIRE(times < 10'000);
      for (unsigned at = 0; at < hand.workers; ++at) hand.step(at);
      (void)hand.steps.at(cairn::seats::writer)(0);
    }
  }
  /// To the first slice behind a commit.
  void commit() {
    running->inner().leader().request();
    until([&] { return first().open; });
    until([&] { return !first().open; });
  }

  fixture::bench& on;
  by_hand hand{};
  std::optional<cairn::system<actors>> running{};
};

TEST_CASE("turns are taken between two looks at what is clean") {
  fixture::bench on;
  {
    stage of{on};
    of.commit();
    CHECK_FALSE(of.first().swept.empty());  // it does not look at all at once
    CHECK(of.epochs() == 0);

    // Of those that are swept, one handles a message and one stops.
    all[crowd - 1].tell<add>();
    all[crowd - 2].tell<quit>();
    of.hand.step(0);
    CHECK_FALSE(of.first().swept.empty());
    all[0].tell<add>();  // has been looked at
    of.until([&] { return of.epochs() == 1; });
    CHECK(of.first().swept.empty());

    // The next epoch says of these three, and of nobody else that is clean.
    of.commit();
    of.until([&] { return of.epochs() == 2; });
    const auto told = on.told.of(cairn::event_kind::committed);
    CHECK(told[1].what.cost.records < 10);
    of.running->inner().halt();
  }
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    int total = 0;
    for (int at = 0; at < crowd; ++at) {
      auto one = top.spawn<counter>("c" + std::to_string(at));
      const int added = co_await one.ask<sum>();
      CHECK(added == (at == 0 || at == crowd - 1 ? 2 : at == crowd - 2 ? 0 : 1));
      total += added;
    }
    CHECK(total == crowd - 1 + 2);
    co_return 0;
  });
}

TEST_CASE("an actor is given away before it is seen to be clean") {
  fixture::bench on;
  on.workers = 2;
  stage of{on};
  of.running->inner().always_shares = true;
  of.commit();
  const auto& first = of.first();
  REQUIRE_FALSE(first.swept.empty());
  for (const auto& each : all) each.tell<add>();
  of.until([&] { return of.epochs() == 1; });
  of.hand.until_quiet();
  of.commit();
  of.until([&] { return of.epochs() == 2; });
  const auto told = on.told.of(cairn::event_kind::committed);
  CHECK(told[1].what.cost.records >= crowd);  // all have handled something, wherever they are
  of.running->inner().halt();
}

}  // namespace clean_slices
