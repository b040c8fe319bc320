// Asks three deep: every level is suspended while the next one works, and mail waits behind it. The
// lowest asks an ephemeral actor, which does not survive a crash, and asks again then; it watches
// each of them, and hears once that it has gone. Two of the levels sleep until their supervisors
// are declared, which is late.
#pragma once

#include "audit.hpp"

namespace simulated::chain {

using namespace std::chrono_literals;

constexpr int callers = 5;
constexpr int calls = 8;  // of each

struct level;

struct question {
  int value = 0;
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(value, from, number); }
};
struct call {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct consult {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct retire {};
struct report {};
struct watches {
  int begun = 0;
  int ended = 0;
  void serialize(auto& ar) { ar(begun, ended); }
};
struct totals {
  int answered = 0;
  std::int64_t sum = 0;
  void serialize(auto& ar) { ar(answered, sum); }
};

struct oracle {
  using protocol = cairn::protocol<consult>;
  using persistence = cairn::ephemeral;
  cairn::task<int> on(consult what, cairn::context<oracle>& me) {
    co_await me.sleep(1ms);
    co_return what.value;
  }
};

/// Answers one more than those below it.
struct level {
  using protocol = cairn::protocol<question, retire, cairn::stopped, report>;
  int self = 0;
  cairn::ref<level> below{};
  cairn::ref<oracle> wise{};
  numbering sent{};
  order_check received{};
  watches seen{};
  std::vector<cairn::actor_id> gone{};
  void serialize(auto& ar) { ar(self, below, wise, sent, received, seen, gone); }

  cairn::task<int> on(question what, cairn::context<level>& me) {
    may_fail();
    received.take(what.from, what.number, self);
    if (below) {
      const int got = co_await below.ask<question>(what.value, self, sent.next(self + 1));
      may_fail();
      co_return got + 1;
    }
    for (;;) {
      if (!wise) {
        wise = me.spawn<oracle>("oracle " + std::to_string(++seen.begun));
        me.watch(wise);
      }
      auto asked = wise.ask<consult>(what.value).as_result();
      const auto said = co_await std::move(asked);
      may_fail();
      if (said && me.random() % 4 == 0) {  // what is told of its end waits behind this handler
        wise.stop();
        wise = {};
        co_await me.sleep(2ms);
      }
      if (said) co_return said.value();
      if (said.code() != cairn::errc::interrupted && said.code() != cairn::errc::stopped) {
        complain("an oracle fails: " + std::string{to_string(said.code())});
      }
      wise = {};  // it did not survive
    }
  }
  void on(retire) {
    may_fail();
    if (wise) wise.stop();
    wise = {};
  }
  void on(cairn::stopped who) {
    may_fail();
    if (std::find(gone.begin(), gone.end(), who.id) != gone.end()) complain("told twice of an end");
    gone.push_back(who.id);
    ++seen.ended;
  }
  watches on(report) const { return seen; }
};

struct caller {
  using protocol = cairn::protocol<call, report>;
  int self = 0;
  cairn::ref<level> top{};
  totals sum{};
  numbering sent{};
  void serialize(auto& ar) { ar(self, top, sum, sent); }

  cairn::task<> on(call what, cairn::context<caller>& me) {
    may_fail();
    // Two at once: the second waits behind the first at the top.
    auto one = top.ask<question>(what.left, self, sent.next(0));
    auto two = top.ask<question>(10 * what.left, self, sent.next(0));
    const int first = co_await std::move(one);
    may_fail();
    const int second = co_await std::move(two);
    if (first != what.left + 2 || second != 10 * what.left + 2) complain("another answer");
    sum.sum += first + second;
    ++sum.answered;
    if (what.left > 1) me.ref().template tell<call>(what.left - 1);
  }
  totals on(report) const { return sum; }
};

inline cairn::task<int> app(cairn::root& root) {
  auto outer = root.supervise("callers", forgiving());
  if (root.restored()) co_await root.sleep(1ms);  // those that are asked are dormant so long
  auto top = root.supervise("top", forgiving());
  auto lowest = top.spawn<level>("level 2", level{.self = 2});
  auto middle = top.spawn<level>("level 1", level{.self = 1, .below = lowest});
  auto upper = top.spawn<level>("level 0", level{.self = 0, .below = middle});
  std::vector<cairn::ref<caller>> all;
  for (int at = 0; at < callers; ++at) {
    const int self = 100 + at;
    all.push_back(
        outer.spawn<caller>("caller " + std::to_string(self), caller{.self = self, .top = upper}));
  }
  if (!root.restored()) {
    for (const auto& each : all) each.tell<call>(calls);
  }
  totals sum;
  do {
    co_await root.sleep(5ms);
    sum = {};
    for (const auto& each : all) {
      const auto got = co_await each.ask<report>();
      sum.answered += got.answered;
      sum.sum += got.sum;
    }
  } while (sum.answered < callers * calls);
  lowest.tell<retire>();
  for (watches seen{1, 0}; seen.begun != seen.ended;) {
    co_await root.sleep(1ms);
    seen = co_await lowest.ask<report>();
  }
  outside->result = std::to_string(sum.answered) + " answered, sum " + std::to_string(sum.sum);
  co_return 0;
}

/// No snapshot has an oracle: the end of each has been told of, or waits.
inline void check_watches(const snapshot& in, const level& one, const snapshot::cell& where) {
  int ended = one.seen.ended;
  snapshot::each_waiting<cairn::stopped>(where, [&](const auto&) { ++ended; });
  if (ended == one.seen.begun) return;
  complain("snapshot " + std::to_string(raw(in.number())) + ": " + where.name + " has watched " +
           std::to_string(one.seen.begun) + ", of whom " + std::to_string(ended) +
           " are accounted for");
}

inline void check(const snapshot& in) {
  ledger books{in};
  in.each<level>([&](const level& one, const snapshot::cell& where) {
    check_watches(in, one, where);
    books.sent(one.sent, one.self);
    books.received(one.received, one.self);
    in.each_waiting<question>(
        where, [&](const question& each) { books.waits(each.from, one.self, each.number); });
  });
  in.each<caller>([&](const caller& one, const snapshot::cell& where) {
    books.sent(one.sent, number_of(where));
  });
  books.check();
}

// 5 * (11 * (8 + 7 + ... + 1) + 8 * 4)
inline const std::string expected = "40 answered, sum 2140";

}  // namespace simulated::chain
