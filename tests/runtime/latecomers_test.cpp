// Who is spawned or declared while those that a store gave back are being woken starts after them.
#include <memory>
#include <string>
#include <vector>

#include "moving_in.hpp"

namespace tending {

/// A system whose steps the test takes.
struct by_steps {
  played::by_hand hand{};
  std::unique_ptr<cairn::system<these>> running{};

  template <class Root>
  by_steps(bench& on, Root root) {
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<played::by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<these>>(std::move(chosen));
    done.clear();
    running->start(root);
    hand.step(1);  // passes the root task's first word on
  }
};

using fixture::come_to_rest;

}  // namespace tending

TEST_CASE("who is spawned, or declared, while others are being woken starts after them") {
  using namespace tending;
  planned.clear();
  bench on;
  on.workers = 2;
  fixture::crash<these>(on, settle);
  std::vector<cairn::ref<touchy>> late;
  int turns = 0;
  by_steps play(on, [&](cairn::root& root) -> cairn::task<int> {
    const orderly made = move_in(root, false);
    co_await root.sleep(0ns);
    ++turns;
    late.push_back(made.house.spawn<touchy>("8", 8));
    auto other = made.house.supervise("other");
    late.push_back(other.spawn<touchy>("5", 5));
    late.push_back(other.spawn<touchy>("6", 6));
    co_await root.sleep(0ns);
    ++turns;
    late.push_back(other.spawn<touchy>("9", 9));
    late.push_back(made.house.supervise("new").spawn<touchy>("10", 10));
    for (const auto& each : late) each.tell<work>(1);
    co_await root.until_stopped();
    co_return 0;
  });
  // Only the first worker runs: somebody in the row is at the other one, and all wait for him.
  play.hand.step(0, 50);
  CHECK(turns == 2);
  CHECK(starts().size() < 2 * 5);
  play.hand.until_quiet();
  CHECK(starts() == "1 2 3 4 7 5 6 9 8 10 ");
  check_works();
  std::vector<int> sums;
  for (const auto& each : late) {
    sums.push_back(cairn::detail::held<touchy>(*each.where().where).state.sum);
  }
  CHECK(sums == std::vector<int>{1, 12, 12, 1, 1});
}

TEST_CASE("who is declared comes before who is spawned in a later turn, in one step too") {
  using namespace tending;
  planned.clear();
  bench on;
  on.workers = 2;
  fixture::crash<these>(on, settle);
  int turns = 0;
  by_steps play(on, [&](cairn::root& root) -> cairn::task<int> {
    const orderly made = move_in(root, false);
    auto near = root.supervise("office").spawn<member>("near", "near");
    (void)co_await near.ask<look>();  // once it has started, its answers come in the same step
    co_await root.sleep(0ns);
    done.clear();
    (void)made.house.supervise("other");
    (void)co_await near.ask<look>();
    (void)made.house.spawn<touchy>("8", 8);
    ++turns;
    co_await root.until_stopped();
    co_return 0;
  });
  play.hand.step(0, 50);
  CHECK(turns == 1);
  CHECK(starts().find("8") == std::string::npos);
  play.hand.until_quiet();
  CHECK(starts().ends_with("5 6 8 "));
}

TEST_CASE("who is spawned in the turn after one that declares its elders starts after them") {
  using namespace tending;
  planned.clear();
  bench on;
  fixture::crash<these>(on, settle);
  done.clear();
  fixture::crash<these>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto house = root.supervise("house");
    auto one = house.spawn<touchy>("1", 1);
    auto seven = house.spawn<touchy>("7", 7);
    (void)co_await seven.ask<look>();
    const auto room = house.supervise("room");
    auto two = room.spawn<touchy>("2", 2);
    (void)co_await one.ask<look>();  // is awake: the next turn comes at once
    auto eight = house.spawn<touchy>("8", 8);
    (void)co_await eight.ask<look>();
    (void)co_await two.ask<look>();
    co_return 0;
  });
  CHECK(starts() == "1 4 7 2 3 8 ");
}

TEST_CASE("who is stopped while it waits for its elders does not start, and holds up nobody") {
  using namespace tending;
  planned.clear();
  bench on;
  on.workers = 2;
  fixture::crash<these>(on, settle);
  by_steps play(on, [](cairn::root& root) -> cairn::task<int> {
    const orderly made = move_in(root);
    co_await root.sleep(0ns);
    (void)made.house.spawn<touchy>("8", 8);
    auto room = made.house.supervise("new");
    (void)room.with({.shutdown = 0ns}).spawn<touchy>("9", 9);
    (void)made.house.spawn<touchy>("10", 10);
    room.stop();
    co_await root.until_stopped();
    co_return 0;
  });
  play.hand.step(0, 50);
  CHECK(starts().size() < 2 * 7);
  CHECK(on.told.count(event_kind::stopped, "new") == 1);
  play.hand.until_quiet();
  CHECK(starts() == "1 2 3 4 5 6 7 8 10 ");
}

TEST_CASE("who waits for its elders stops with the supervisor of all") {
  using namespace tending;
  planned.clear();
  bench on;
  on.workers = 3;
  const auto enter = [](cairn::root& root) {
    const auto house = root.supervise("house");
    for (int at = 1; at <= 3; ++at) {
      (void)house.with({.shutdown = 0ns}).spawn<touchy>(std::to_string(at), at);
    }
    return house;
  };
  fixture::crash<these>(on, [&](cairn::root& root) -> cairn::task<int> {
    enter(root);
    co_await root.checkpoint();
    co_return 0;
  });
  by_steps play(on, [&](cairn::root& root) -> cairn::task<int> {
    const auto house = enter(root);
    house.stop();
    co_await root.sleep(0ns);
    (void)house.spawn<touchy>("8", 8);
    co_await root.until_stopped();
    co_return 0;
  });
  play.hand.step(0, 10);  // 1 has started; 2, of worker 1, is to be woken, and 3 to be stopped
  CHECK(starts() == "1 ");
  play.hand.step(2, 5);  // 3 stops
  play.hand.step(0, 10);
  play.hand.step(1, 5);  // 2 stops before it starts: who comes after it, and has stopped, is told
  play.hand.step(0, 10);
  CHECK(on.told.count(event_kind::stopped, "house") == 1);
  play.hand.until_quiet();
  CHECK(on.told.count(event_kind::stopped, "8") == 1);
}

TEST_CASE("who is spawned below one that outlives the supervisor above it starts") {
  using namespace tending;
  planned.clear();
  bench on;
  done.clear();
  fixture::crash<these>(on, [&](cairn::root& root) -> cairn::task<int> {
    const auto house = root.supervise("house");
    house.with({.shutdown = 5h}).spawn<member>("slow", "slow").tell<nap>(1);
    co_await come_to_rest(root);
    house.stop();
    co_await come_to_rest(root);
    const auto room = house.supervise("late");
    room.with({.shutdown = 50h}).spawn<member>("slower", "slower").tell<nap>(10);
    co_await come_to_rest(root);
    on.clock.advance(1h);
    co_await come_to_rest(root);
    CHECK(on.told.count(event_kind::stopped, "house") == 1);
    CHECK(on.told.count(event_kind::stopped, "late") == 0);
    (void)room.spawn<touchy>("5", 5);
    co_await come_to_rest(root);
    CHECK(starts() == "slow slower 5 ");
    co_return 0;
  });
  CHECK(starts() == "slow slower 5 ");
}
