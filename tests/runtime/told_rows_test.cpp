// Many messages of one turn to one actor, which travel as rows: their order, what fails or stops
// among them, and what a snapshot has of them.
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include "fixture.hpp"

namespace told_rows {

using namespace std::chrono_literals;
using cairn::errc;
using cairn::event_kind;
using fixture::bench;

fixture::faults planned;

/// Of eight bytes; 64 are the most that a row takes.
struct value {
  std::int64_t number = 0;
  void serialize(auto& ar) { ar(number); }
};
struct wide {
  std::int64_t number = 0;
  std::array<std::int64_t, 7> more{};
  void serialize(auto& ar) { ar(number, more); }
};
struct small {
  std::uint8_t number = 0;
  void serialize(auto& ar) { ar(number); }
};
struct between {};
struct heard {};
struct nap {};
struct end {};
struct remind {};
struct grow {
  std::int64_t left = 0;
  void serialize(auto& ar) { ar(left); }
};

/// Keeps what it hears in order; -1 for what comes between.
struct ear {
  using protocol = cairn::protocol<value, wide, small, between, heard, nap, end, grow, remind>;
  std::vector<std::int64_t> all{};
  void serialize(auto& ar) { ar(all); }

  void on(value what) {
    planned.check(static_cast<int>(what.number));
    all.push_back(what.number);
  }
  void on(wide what) { all.push_back(what.number); }
  void on(small what) { all.push_back(what.number); }
  void on(between) { all.push_back(-1); }
  std::vector<std::int64_t> on(heard) { return all; }
  cairn::task<> on(nap, cairn::context<ear>& self) {
    co_await self.sleep(1ns);
    all.push_back(-2);
  }
  void on(end, cairn::context<ear>& self) { self.stop(); }
  void on(remind, cairn::context<ear>& self) {
    for (std::int64_t at = 0; at < 20'000; ++at) self.ref().tell<value>(at);
    self.send_after<between>(0ns);
  }
  /// Tells itself more of the same.
  void on(grow what, cairn::context<ear>& self) {
    all.push_back(what.left);
    for (std::int64_t at = 0; what.left > 0 && at < 6; ++at) self.ref().tell<grow>(what.left - 1);
  }
};

/// The same of a state whose bytes may be copied: a number that depends on the order.
struct plain_ear {
  using protocol = cairn::protocol<value, heard>;
  std::int64_t count = 0;
  std::uint64_t mixed = 0;
  void serialize(auto& ar) { ar(count, mixed); }
  void on(value what) {
    planned.check(1000 + static_cast<int>(what.number));
    ++count;
    mixed = mixed * 31 + static_cast<std::uint64_t>(what.number);
  }
  std::uint64_t on(heard) { return mixed; }
};
std::uint64_t mixed_of(const std::vector<std::int64_t>& all) {
  std::uint64_t mixed = 0;
  for (const auto each : all) mixed = mixed * 31 + static_cast<std::uint64_t>(each);
  return mixed;
}

/// With room for ten: one drops the newest, the other the oldest.
struct narrow {
  using protocol = cairn::protocol<value, heard>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 10};
  std::vector<std::int64_t> all{};
  void serialize(auto& ar) { ar(all); }
  void on(value what) { all.push_back(what.number); }
  std::vector<std::int64_t> on(heard) { return all; }
};
struct latest : narrow {
  static constexpr cairn::mailbox_options mailbox{.capacity = 10,
                                                  .when_full = cairn::overflow::drop_oldest};
};

struct burst {
  std::int64_t first = 0;
  std::int64_t count = 0;
  void serialize(auto& ar) { ar(first, count); }
};
struct stumble {};
struct go_on {};

/// Tells both ears the same in one turn.
struct mouth {
  using protocol = cairn::protocol<burst, stumble, heard, go_on>;
  cairn::ref<ear> to{};
  cairn::ref<plain_ear> also{};
  std::vector<std::int64_t> said{};
  void serialize(auto& ar) { ar(to, also, said); }

  void on(burst what) {
    for (auto at = what.first; at < what.first + what.count; ++at) {
      to.tell<value>(at);
      said.push_back(at);
    }
    for (auto at = what.first; at < what.first + what.count; ++at) also.tell<value>(at);
  }
  void on(stumble) { planned.check(-7); }
  /// A handler that takes long, and tells at last.
  cairn::task<> on(go_on, cairn::context<mouth>& self) {
    for (int at = 0; at < 2000; ++at) co_await self.yield();
    for (std::int64_t first = 0; first < 90; first += 9) {
      for (auto at = first; at < first + 9; ++at) to.tell<value>(at);
      co_await self.yield();
    }
  }
  /// Asks in the turn in which it tells.
  cairn::task<std::vector<std::int64_t>> on(heard) {
    for (std::int64_t at = 0; at < 50; ++at) to.tell<value>(at);
    co_return co_await to.ask<heard>();
  }
};
using actors = cairn::actors<ear, plain_ear, narrow, latest, mouth>;

std::vector<std::int64_t> numbers(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), first);
  return all;
}

/// The root's turn tells: what comes between is of another type, or for somebody else.
cairn::task<int> tell_mixed(cairn::root& root, std::int64_t count) {
  const auto top = root.supervise("top");
  const auto to = top.spawn<ear>("to");
  const auto other = top.spawn<ear>("other");
  std::vector<std::int64_t> expected;
  const auto tell = [&](std::int64_t number) {
    to.tell<value>(number);
    expected.push_back(number);
  };
  tell(1000);
  other.tell<value>(0);
  for (std::int64_t at = 0; at < count; ++at) tell(at);
  to.tell<between>();
  expected.push_back(-1);
  for (std::int64_t at = 0; at < count; ++at) {
    to.tell<wide>(at);
    expected.push_back(at);
  }
  for (std::int64_t at = 0; at < 200; ++at) {
    to.tell<small>(static_cast<std::uint8_t>(at));
    expected.push_back(at);
  }
  for (std::int64_t at = 0; at < count; ++at) {
    tell(at);
    other.tell<value>(at);
  }
  to.tell<nap>();
  expected.push_back(-2);
  for (std::int64_t at = 0; at < count; ++at) tell(at);
  co_await root.sleep(0ns);
  for (std::int64_t at = 0; at < count; ++at) tell(at);
  const auto got = co_await to.ask<heard>();
  CHECK(got == expected);
  const auto also = co_await other.ask<heard>();
  CHECK(also.size() == static_cast<std::size_t>(1 + count));
  co_return 0;
}

TEST_CASE("many messages of one turn are handled in their order, among others") {
  const std::int64_t count = GENERATE(1, 2, 3, 4, 5, 19, 20, 21, 147, 148, 149, 1000);
  const unsigned workers = GENERATE(1U, 2U);
  bench on;
  on.workers = workers;
  on.clock.advance(1h);
  auto chosen = on.options();
  chosen.clock = {};
  fixture::crash<actors>(std::move(chosen),
                         [&](cairn::root& root) { return tell_mixed(root, count); });
}

TEST_CASE("an actor that tells itself many at a time hears them in their order") {
  bench on;
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto to = root.supervise("top").spawn<ear>("to");
    to.tell<grow>(4);
    co_await root.sleep(0ns);
    for (int at = 0; at < 100; ++at) co_await root.sleep(0ns);
    const auto got = co_await to.ask<heard>();
    std::vector<std::int64_t> expected;
    for (std::int64_t left = 4, of = 1; left >= 0; --left, of *= 6) {
      expected.insert(expected.end(), static_cast<std::size_t>(of), left);
    }
    CHECK(got == expected);
    co_return 0;
  });
}

TEST_CASE("an ask behind what was told in the same turn is answered after it") {
  bench on;
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto top = root.supervise("top");
    const auto to = top.spawn<ear>("to");
    const auto got = co_await top.spawn<mouth>("mouth", to).ask<heard>();
    CHECK(got == numbers(0, 50));
    co_return 0;
  });
}

/// Both fail among many, `times` in a row.
cairn::task<int> fail_among(cairn::root& root, int times, int attempts) {
  const auto top = root.supervise("top", {.attempts = static_cast<unsigned>(attempts)});
  const auto to = top.spawn<ear>("to");
  const auto also = top.spawn<plain_ear>("also");
  const auto from = top.spawn<mouth>("mouth", to, also);
  planned.plan(37, times);
  planned.plan(1037, times);
  for (std::int64_t at = 0; at < 5; ++at) from.tell<burst>(at * 100, 100);
  for (int at = 0; at < 100; ++at) co_await root.sleep(0ns);
  auto expected = numbers(0, 500);
  if (times > attempts) expected.erase(expected.begin() + 37);
  const auto got = co_await to.ask<heard>();
  CHECK(got == expected);
  const auto mixed = co_await also.ask<heard>();
  CHECK(mixed == mixed_of(expected));
  co_return 0;
}

TEST_CASE("a message that fails among many is tried again, and the others wait for it") {
  bench on;
  planned.clear();
  fixture::crash<actors>(on, [](cairn::root& root) { return fail_among(root, 2, 3); });
  CHECK(on.told.count(event_kind::dead_letter) == 0);
  CHECK(on.told.count(event_kind::restarted) == 4);
}

TEST_CASE("a message that is given up among many takes no other with it") {
  bench on;
  planned.clear();
  fixture::crash<actors>(on, [](cairn::root& root) { return fail_among(root, 3, 2); });
  CHECK(on.told.count(event_kind::given_up) == 2);
}

TEST_CASE("who stops among many leaves the others as dead letters, and none of them unheard") {
  bench on;
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto to = root.supervise("top").spawn<ear>("to");
    for (std::int64_t at = 0; at < 20; ++at) to.tell<value>(at);
    to.tell<end>();
    for (std::int64_t at = 0; at < 20; ++at) to.tell<value>(at);
    for (int at = 0; at < 10; ++at) co_await root.sleep(0ns);
    co_return 0;
  });
  CHECK(on.told.count(event_kind::dead_letter) == 20);
}

TEST_CASE("what a handler tells while others rest for a snapshot waits, and is in it") {
  bench on;
  const auto app = [](cairn::root& root) -> cairn::task<int> {
    const auto top = root.supervise("top");
    const auto to = top.spawn<ear>("to");
    top.spawn<mouth>("mouth", to).tell<go_on>();
    co_await root.savepoint("all", cairn::at_rest);
    co_return 0;
  };
  auto chosen = on.options();
  chosen.clock = {};  // whether all rest is looked at again and again
  fixture::crash<actors>(std::move(chosen), app);
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto top = root.supervise("top");
    const auto to = top.spawn<ear>("to");
    (void)top.spawn<mouth>("mouth", to);
    for (int at = 0; at < 400; ++at) co_await root.sleep(0ns);
    const auto got = co_await to.ask<heard>();
    CHECK(got == numbers(0, 90));
    co_return 0;
  });
}

TEST_CASE("a reminder comes behind what its actor told itself before") {
  bench on;
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto to = root.supervise("top").spawn<ear>("to");
    to.tell<value>(-5);
    co_await root.sleep(0ns);
    to.tell<remind>();
    for (int at = 0; at < 400; ++at) co_await root.sleep(0ns);
    auto expected = numbers(0, 20'000);
    expected.insert(expected.begin(), -5);
    expected.push_back(-1);
    const auto got = co_await to.ask<heard>();
    CHECK(got == expected);
    co_return 0;
  });
}

template <class Actor>
cairn::task<int> fill(cairn::root& root, std::vector<std::int64_t> expected) {
  const auto to = root.supervise("top").spawn<Actor>("to");
  for (std::int64_t at = 0; at < 25; ++at) to.template tell<value>(at);
  co_await root.sleep(0ns);
  const auto got = co_await to.template ask<heard>();
  CHECK(got == expected);
  co_return 0;
}

TEST_CASE("a bounded mailbox keeps so many of one turn as it has room for") {
  bench on;
  fixture::crash<actors>(on, [](cairn::root& root) { return fill<narrow>(root, numbers(0, 10)); });
  CHECK(on.told.count(event_kind::dead_letter) == 15);
}

TEST_CASE("a bounded mailbox that drops the oldest keeps the latest of one turn") {
  bench on;
  fixture::crash<actors>(on, [](cairn::root& root) { return fill<latest>(root, numbers(15, 10)); });
  CHECK(on.told.count(event_kind::dead_letter) == 15);
}

/// Snapshots while much is under way, then a crash.
cairn::task<int> say_and_crash(cairn::root& root, std::int64_t rounds) {
  const auto top = root.supervise("top");
  const auto to = top.spawn<ear>("to");
  const auto also = top.spawn<plain_ear>("also");
  const auto from = top.spawn<mouth>("mouth", to, also);
  for (std::int64_t at = 0; at < rounds; ++at) from.tell<burst>(at * 1000, 1000);
  co_await root.checkpoint();
  co_return 0;
}
cairn::task<int> hear_the_rest(cairn::root& root, std::int64_t rounds) {
  const auto top = root.supervise("top");
  const auto to = top.spawn<ear>("to");
  const auto also = top.spawn<plain_ear>("also");
  (void)top.spawn<mouth>("mouth", to, also);
  for (int at = 0; at < 400; ++at) co_await root.sleep(0ns);
  const auto got = co_await to.ask<heard>();
  CHECK(got == numbers(0, rounds * 1000));
  const auto mixed = co_await also.ask<heard>();
  CHECK(mixed == mixed_of(numbers(0, rounds * 1000)));
  co_return 0;
}

TEST_CASE("a snapshot has what was told in one turn and is not yet heard") {
  const unsigned workers = GENERATE(1U, 2U);
  for (std::int64_t rounds = 1; rounds < 6; ++rounds) {
    bench on;
    on.workers = workers;
    fixture::crash<actors>(on, [&](cairn::root& root) { return say_and_crash(root, rounds); });
    fixture::crash<actors>(on, [&](cairn::root& root) { return hear_the_rest(root, rounds); });
  }
}

TEST_CASE("a replay tells as much as the turns before did") {
  bench on;
  planned.clear();
  fixture::crash<actors>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto top = root.supervise("top", {.attempts = 3});
    const auto to = top.spawn<ear>("to");
    const auto also = top.spawn<plain_ear>("also");
    const auto from = top.spawn<mouth>("mouth", to, also);
    planned.plan(-7, 1);
    for (std::int64_t at = 0; at < 3; ++at) from.tell<burst>(at * 300, 300);
    from.tell<stumble>();
    for (int at = 0; at < 100; ++at) co_await root.sleep(0ns);
    const auto got = co_await to.ask<heard>();
    CHECK(got == numbers(0, 900));
    co_return 0;
  });
  CHECK(on.told.count(event_kind::restarted, "mouth") == 1);
  CHECK(on.told.count(event_kind::diverged) == 0);
}

}  // namespace told_rows
