// The children that a store gave back to a supervisor start one after the other.
#include <memory>
#include <string>
#include <vector>

#include "moving_in.hpp"

TEST_CASE("restored children start one after the other, those of a room where the room stands") {
  using namespace tending;
  planned.clear();
  bench on;
  on.workers = GENERATE(1U, 2U, 3U);
  done.clear();
  fixture::crash<these>(on, settle);
  for (int again = 0; again < 5; ++again) {
    done.clear();
    fixture::crash<these>(on, [](cairn::root& root) -> cairn::task<int> {
      const orderly made = move_in(root);
      auto late = made.house.spawn<touchy>("8", 8);  // is not in the store
      for (const auto& each : made.all) {
        const int sum = co_await each.ask<look>();
        CHECK(sum == 11);
      }
      (void)co_await late.ask<look>();
      co_return 0;
    });
    CHECK(starts() == "1 2 3 4 5 6 7 8 ");
    check_works();
  }
}

TEST_CASE("who cannot start, or is suspended, does not hold up the next one") {
  using namespace tending;
  planned.clear();
  bench on;
  on.workers = GENERATE(1U, 2U);
  fixture::crash<these>(on, settle);
  done.clear();
  planned.plan(2, 7);  // more restarts than it may have: it is suspended
  fixture::crash<these>(on, [](cairn::root& root) -> cairn::task<int> {
    const orderly made = move_in(root);
    const int last = co_await made.all.back().ask<look>();
    CHECK(last == 11);
    co_await root.checkpoint();
    co_return 0;
  });
  CHECK(starts() == "1 2 2 2 2 2 2 2 3 4 5 6 7 ");
  CHECK(on.told.count(event_kind::suspended, "2") == 1);
  done.clear();
  fixture::crash<these>(on, [](cairn::root& root) -> cairn::task<int> {
    const orderly made = move_in(root);
    (void)co_await made.all.back().ask<look>();
    root.resume(made.all[1]);
    auto two = co_await made.all[1].ask<look>().as_result();
    while (!two) two = co_await made.all[1].ask<look>().as_result();
    CHECK(*two == 11);
    co_return 0;
  });
  CHECK(starts() == "1 3 4 5 6 7 2 ");
}

TEST_CASE("a room that is not declared is passed by, and starts when it is") {
  using namespace tending;
  planned.clear();
  bench on;
  on.workers = 2;
  fixture::crash<these>(on, settle);
  done.clear();
  fixture::crash<these>(on, [](cairn::root& root) -> cairn::task<int> {
    const orderly made = move_in(root, false);
    (void)co_await made.all.back().ask<look>();
    auto other = made.house.supervise("other");
    auto six = other.spawn<touchy>("6", 6);
    const int sum = co_await six.ask<look>();
    CHECK(sum == 11);
    co_return 0;
  });
  CHECK(starts() == "1 2 3 4 7 5 6 ");
}

TEST_CASE("what happens between two starts is in a snapshot like anything else") {
  using namespace tending;
  planned.clear();
  bench on;
  on.workers = 2;
  fixture::crash<these>(on, settle);
  {
    played::by_hand hand;
    auto chosen = on.options();
    chosen.schedulers = [&](cairn::seats of) {
      return std::make_unique<played::by_hand::seat>(hand, of);
    };
    cairn::system<these> running{std::move(chosen)};
    done.clear();
    running.start([](cairn::root& root) -> cairn::task<int> {
      const orderly made = move_in(root);
      for (const auto& each : made.all) each.tell<work>(100);
      co_await root.until_stopped();
      co_return 0;
    });
    hand.step(1);  // passes the root task's first word on
    // Only the first worker runs: somebody in the row is at the other one, and all wait for him.
    hand.step(0, 50);
    const auto before = starts();
    CHECK(before.size() < 2 * 7);
    CHECK(std::string{"1 2 3 4 5 6 7 "}.starts_with(before));
    const auto commits = on.told.count(event_kind::committed);
    running.inner().leader().request();
    hand.step(0, 2);
    CHECK(starts() == before);
    hand.until_quiet();
    UNSCOPED_INFO(on.told.text());
    CHECK(on.told.count(event_kind::committed) == commits + 1);
    CHECK(starts() == "1 2 3 4 5 6 7 ");
  }
  fixture::crash<these>(on, [](cairn::root& root) -> cairn::task<int> {
    const orderly made = move_in(root);
    for (const auto& each : made.all) {
      const int sum = co_await each.ask<look>();
      CHECK(sum == 111);
    }
    co_return 0;
  });
}

TEST_CASE("who is stopped before it is woken does not hold up those that come after it") {
  using namespace tending;
  planned.clear();
  bench on;
  on.workers = GENERATE(1U, 2U, 3U);
  fixture::crash<these>(on, settle);
  done.clear();
  fixture::crash<these>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto house = root.supervise("house");
    std::vector<cairn::ref<touchy>> left{house.spawn<touchy>("1", 1)};
    const auto room = house.supervise("room");
    (void)room.spawn<touchy>("2", 2);
    (void)room.with({.shutdown = 0ns}).spawn<touchy>("3", 3);  // which is not waited for
    left.push_back(house.spawn<touchy>("4", 4));
    const auto other = house.supervise("other");
    left.push_back(other.spawn<touchy>("5", 5));
    left.push_back(other.spawn<touchy>("6", 6));
    left.push_back(house.spawn<touchy>("7", 7));
    room.stop();
    for (const auto& each : left) {
      const int sum = co_await each.ask<look>();
      CHECK(sum == 11);
    }
    co_return 0;
  });
  CHECK(on.told.count(event_kind::stopped, "room") == 1);
}
