// Events say what it cost: how long, and how many messages.
#include <chrono>
#include <memory>
#include <semaphore>
#include <string>
#include <utility>

#include "fixture.hpp"

namespace telling {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

fixture::faults planned;
const fixture::hand_clock* passing = nullptr;  ///< the test's

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct look {};

/// To open what it needs takes three milliseconds.
struct sum {
  using protocol = cairn::protocol<add, look>;
  std::string text{};  // a state that is bytes alone would be copied before each turn
  int total = 0;
  void serialize(auto& ar) { ar(text, total); }
  void on_start(cairn::context<sum>&) { passing->advance(3ms); }
  void on(add what) {
    total += what.value;
    planned.check(what.value);
  }
  int on(look) const { return total; }
};
struct fleeting {
  using protocol = cairn::protocol<add, look>;
  using persistence = cairn::ephemeral;
  void on_start(cairn::context<fleeting>&) { passing->advance(5ms); }
  void on(add what) { planned.check(what.value); }
  int on(look) const { return 0; }
};
/// To write it takes three milliseconds.
struct heavy {
  using protocol = cairn::protocol<add, look>;
  std::string text{};
  int total = 0;
  void serialize(auto& ar) {
    passing->advance(3ms);
    ar(text, total);
  }
  void on(add what) { total += what.value; }
  int on(look) const { return total; }
};
using actors = cairn::actors<sum, fleeting, heavy>;

/// Of one event: text, messages, time.
std::string cost_of(const cairn::event& what) {
  return what.name + ": " + what.text + ", " + std::to_string(what.messages) + ", " +
         std::to_string(what.cost.whole / 1ms);
}

TEST_CASE("a restart is told of with its time and the messages that were replayed") {
  planned.clear();
  bench on;
  passing = &on.clock;
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.intensity = {.restarts = 100}});
    auto one = top.spawn<sum>("one");
    planned.plan(5, 1);
    for (int at = 1; at <= 5; ++at) one.tell<add>(at);
    const int total = co_await one.ask<look>();
    CHECK(total == 15);
    auto short_lived = top.spawn<fleeting>("short");
    planned.plan(6, 1);
    short_lived.tell<add>(6);
    (void)co_await short_lived.ask<look>();
    co_return 0;
  });
  const auto told = on.told.of(event_kind::restarted);
  REQUIRE(told.size() == 2);
  CHECK(cost_of(told[0].what) == "one: the failing turn is tried again, 4, 3");
  CHECK(cost_of(told[1].what) == "short: restarted fresh, 0, 5");
}

TEST_CASE("an epoch is told of with its durations, bytes and counts") {
  bench on;
  passing = &on.clock;
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    auto one = root.supervise("top").spawn<heavy>("one");
    one.tell<add>(1);
    (void)co_await one.ask<look>();
    co_await root.checkpoint();
    co_return 0;
  });
  const auto told = on.told.of(event_kind::committed);
  REQUIRE(told.size() == 1);
  const cairn::epoch_cost& cost = told[0].what.cost;
  CHECK(cost.sweep >= 3ms);
  CHECK(cost.sweep >= cost.flip);
  CHECK(cost.whole >= cost.sweep);
  CHECK(cost.records >= 2);  // the actor, and its supervisor
  CHECK(cost.visited >= cost.records);
  CHECK(cost.bytes > 2 * 64);  // with their headers
}

/// To commit takes five milliseconds, and is in vain at first.
struct slow_to_refuse : cairn::memory_store {
  slow_to_refuse(cairn::memory_store kept, int* times)
      : cairn::memory_store{std::move(kept)}, in_vain{times} {}
  void commit(bool releases) {
    passing->advance(5ms);
    if ((*in_vain)-- > 0) throw cairn::error{cairn::errc::io, "no sync, says the test"};
    cairn::memory_store::commit(releases);
  }
  int* in_vain;
};

TEST_CASE("an abandoned epoch is told of with what it cost, and the next one with its own cost") {
  bench on;
  passing = &on.clock;
  int in_vain = 1;
  auto chosen = on.options();
  chosen.store = slow_to_refuse{on.store, &in_vain};
  fixture::crash<actors>(std::move(chosen), [](cairn::root& root) -> cairn::task<int> {
    auto one = root.supervise("top").spawn<heavy>("one");
    for (const auto expected : {cairn::errc::io, cairn::errc::ok}) {
      one.tell<add>(1);
      (void)co_await one.ask<look>();
      const auto ended = co_await root.checkpoint().as_result();
      CHECK(ended.code() == expected);
    }
    co_return 0;
  });
  const auto in_vain_told = on.told.of(event_kind::abandoned);
  const auto told = on.told.of(event_kind::committed);
  REQUIRE(in_vain_told.size() == 1);
  REQUIRE(told.size() == 1);
  const cairn::epoch_cost& lost = in_vain_told[0].what.cost;
  const cairn::epoch_cost& cost = told[0].what.cost;
  CHECK(lost.flip == 0ms);
  CHECK(lost.sweep == 3ms);
  CHECK(lost.whole == 8ms);
  CHECK(lost.visited >= lost.records);
  CHECK(lost.records == 2);  // the actor, and its supervisor
  CHECK(lost.bytes > 2 * 64);
  // The same once more: nothing is counted twice.
  CHECK(cost.sweep == 3ms);
  CHECK(cost.whole == 8ms);
  CHECK(cost.visited == lost.visited);
  CHECK(cost.records == lost.records);
  CHECK(cost.bytes == lost.bytes);
}

TEST_CASE("siblings are told of with what each of them took") {
  planned.clear();
  bench on;
  passing = &on.clock;
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.strategy = cairn::one_for_all});
    auto one = top.spawn<sum>("one");
    auto two = top.spawn<sum>("two");
    for (int at = 1; at <= 2; ++at) one.tell<add>(at);
    (void)co_await one.ask<look>();
    planned.plan(5, 1);
    two.tell<add>(5);
    (void)co_await two.ask<look>();
    co_return 0;
  });
  CHECK(cost_of(on.told.of(event_kind::restarted, "one").at(0).what) ==
        "one: with its siblings, 3, 3");
  const auto two = on.told.of(event_kind::restarted, "two");
  REQUIRE(two.size() == 1);
  CHECK(cost_of(two[0].what) == "two: the failing turn is tried again, 0, 3");
}

TEST_CASE("a backoff does not count as the restart's time") {
  planned.clear();
  bench on;
  passing = &on.clock;
  fixture::crash<actors>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.backoff = {.first = 1h, .most = 1h, .jitter = 0}});
    auto one = top.spawn<sum>("one");
    one.tell<add>(1);
    (void)co_await one.ask<look>();
    planned.plan(5, 1);
    one.tell<add>(5);
    auto later = one.ask<look>();
    while (on.told.count(event_kind::failed) == 0) co_await root.sleep(0ns);
    on.clock.advance(2h);
    const int total = co_await std::move(later);
    CHECK(total == 6);
    co_return 0;
  });
  const auto told = on.told.of(event_kind::restarted);
  REQUIRE(told.size() == 1);
  CHECK(cost_of(told[0].what) == "one: the failing turn is tried again, 2, 3");
}

std::counting_semaphore<> begun{0};
std::counting_semaphore<> gate{0};
void held_up() {
  begun.release();
  gate.acquire();
}

TEST_CASE("a rollback is told of with its time from when it was wanted") {
  bench on;
  passing = &on.clock;
  int runs = 0;
  cairn::system<actors> all{on.options()};
  all.start([&](cairn::root& root) {
    return [](cairn::root& top, int* count) -> cairn::task<int> {
      co_await top.checkpoint();
      if (++*count == 2) co_return 0;
      co_await top.run("held up", &held_up);
      co_await top.until_stopped();
      co_return 1;
    }(root, &runs);
  });
  begun.acquire();
  all.rollback();  // waits for what runs outside
  on.clock.advance(7ms);
  gate.release();
  all.wait();
  CHECK(runs == 2);
  const auto told = on.told.of(event_kind::rolled_back);
  REQUIRE(told.size() == 1);
  CHECK(told[0].what.cost.whole == 7ms);
  CHECK(told[0].what.messages == 0);
}

TEST_CASE("a savepoint and a clone are told of once they are durable") {
  bench on;
  passing = &on.clock;
  cairn::memory_store copy;
  fixture::crash<actors>(on, [&](cairn::root& root) -> cairn::task<int> {
    co_await root.savepoint("early");
    (void)co_await root.savepoint("early").as_result();  // there is one
    co_await root.clone("early", copy);
    (void)co_await root.clone("never", cairn::memory_store{}).as_result();
    co_await root.savepoint("brief");
    co_await root.remove_savepoint("brief");
    (void)co_await root.remove_savepoint("brief").as_result();  // there is none any more
    co_return 0;
  });
  cairn::epoch number{};
  const auto found = on.store.open({.read_only = true});
  for (const auto& each : found.snapshots) {
    if (each.name == "early") number = each.number;
  }
  REQUIRE(raw(number) != 0);
  const auto kept = on.told.of(event_kind::savepoint);
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].what.name == "early");
  CHECK(kept[0].what.at == number);
  const auto cloned = on.told.of(event_kind::cloned);
  REQUIRE(cloned.size() == 1);
  CHECK(cloned[0].what.name == "early");
  CHECK(cloned[0].what.at == number);
  const auto removed = on.told.of(event_kind::savepoint_removed);
  REQUIRE(removed.size() == 1);
  CHECK(removed[0].what.name == "brief");
  CHECK(cairn::to_line(removed[0].what) == "cairn: savepoint_removed brief\n");
  CHECK(cloned[0].what.text == "into " + cairn::any_store{copy}.describe());
}

TEST_CASE("what becomes of dead letters that are kept is told of") {
  planned.clear();
  bench on;
  passing = &on.clock;
  auto chosen = on.options();
  chosen.dead_letters = 3;
  fixture::crash<actors>(std::move(chosen), [](cairn::root& root) -> cairn::task<int> {
    auto one = root.supervise("top", {.intensity = {.restarts = 100}}).spawn<sum>("one");
    for (int at = 1; at <= 4; ++at) {
      planned.plan(at, 2);
      one.tell<add>(at);
    }
    (void)co_await one.ask<look>();
    co_await root.deliver_again(cairn::letter_id{2});
    co_await root.drop_letter(cairn::letter_id{4});
    co_await root.drop_letters();
    const int total = co_await one.ask<look>();
    CHECK(total == 2);
    co_return 0;
  });
  const auto again = on.told.of(event_kind::delivered_again);
  REQUIRE(again.size() == 1);
  CHECK(again[0].what.name == "one");
  CHECK(again[0].what.text == "letter 2: telling::add: fault 2");
  CHECK(again[0].letter.at == cairn::position{2});
  const auto dropped = on.told.of(event_kind::letter_dropped, "one");
  REQUIRE(dropped.size() == 3);
  CHECK(dropped[0].what.text == "letter 1, for want of room: telling::add: fault 1");
  CHECK(dropped[1].what.text == "letter 4: telling::add: fault 4");
  CHECK(dropped[2].what.text == "letter 3: telling::add: fault 3");
  CHECK(dropped[2].letter.message == "telling::add");
}

}  // namespace telling
