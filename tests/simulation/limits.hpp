// Mailboxes that are full: the newest goes, the oldest goes, senders wait for room; and asks whose
// time is over before they are answered.
#pragma once

#include "audit.hpp"

namespace simulated::limits {

using namespace std::chrono_literals;

constexpr int narrows = 2;  // of each policy
constexpr int pushers = 5;
constexpr int pushes = 6;  // of each
constexpr int asks = 4;    // at once, in each push
constexpr int items = 3;   // with room, in each push

struct item {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct quest {
  int from = 0;
  void serialize(auto& ar) { ar(from); }
};
struct push {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct report {};
struct narrow_totals {
  std::uint64_t items = 0;
  std::uint64_t quests = 0;
  void serialize(auto& ar) { ar(items, quests); }
};
struct push_totals {
  int answered = 0;
  int full = 0;
  int late = 0;
  int pushed = 0;
  void serialize(auto& ar) { ar(answered, full, late, pushed); }
};

/// What both kinds have in common.
struct narrow_state {
  std::uint64_t quests = 0;
  order_check received{};
  void serialize(auto& ar) { ar(quests, received); }

  void take(const item& what, int self) {
    may_fail();
    received.take(what.from, what.number, self);
  }
};

/// Handlers that wait a little, so that mailboxes fill.
struct drops_newest {
  using protocol = cairn::protocol<item, quest, report>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 4};
  narrow_state kept{};
  void serialize(auto& ar) { ar(kept); }

  void on(item what) { kept.take(what, 0); }
  cairn::task<int> on(quest what, cairn::context<drops_newest>& me) {
    may_fail();
    ++kept.quests;
    if (me.random() % 3 == 0) co_await me.sleep(std::chrono::milliseconds{1 + me.random() % 5});
    co_return what.from;
  }
  narrow_totals on(report) const { return {kept.received.total(), kept.quests}; }
};
struct drops_oldest {
  using protocol = cairn::protocol<item, quest, report>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 4,
                                                  .when_full = cairn::overflow::drop_oldest};
  narrow_state kept{};
  void serialize(auto& ar) { ar(kept); }

  void on(item what) { kept.take(what, 1); }
  cairn::task<int> on(quest what, cairn::context<drops_oldest>& me) {
    may_fail();
    ++kept.quests;
    if (me.random() % 3 == 0) co_await me.sleep(1ms);
    co_return what.from;
  }
  narrow_totals on(report) const { return {kept.received.total(), kept.quests}; }
};

struct pusher {
  using protocol = cairn::protocol<push, report>;
  int self = 0;
  std::vector<cairn::ref<drops_newest>> newest{};
  std::vector<cairn::ref<drops_oldest>> oldest{};
  push_totals sum{};
  numbering sent{};
  void serialize(auto& ar) { ar(self, newest, oldest, sum, sent); }

  cairn::task<> on(push what, cairn::context<pusher>& me) {
    may_fail();
    const auto to = static_cast<int>(me.random() % narrows);
    const bool which = me.random() % 2 == 0;
    const auto at = static_cast<std::size_t>(to);
    std::vector<cairn::asking_result<int>> asked;
    for (int each = 0; each < asks; ++each) {
      const auto limit = each == asks - 1 ? 20ms : 3ms;
      asked.push_back(which ? newest[at].ask<quest>(self).within(limit).as_result()
                            : oldest[at].ask<quest>(self).within(limit).as_result());
    }
    // The last one first: others end, and are answered, while it is awaited.
    for (auto each = asked.rbegin(); each != asked.rend(); ++each) {
      const auto answer = co_await std::move(*each);
      count(answer);
    }
    for (int each = 0; each < items; ++each) {
      const int whom = which ? to : narrows + to;
      const std::uint64_t number = sent.last[whom] + 1;
      auto room = which ? newest[at].send<item>(self, number) : oldest[at].send<item>(self, number);
      co_await std::move(room);
      (void)sent.next(whom);  // it leaves with this turn
      may_fail();
    }
    ++sum.pushed;
    if (what.left > 1) me.ref().template tell<push>(what.left - 1);
  }
  push_totals on(report) const { return sum; }

 private:
  void count(const cairn::result<int>& answer) {
    if (answer) {
      ++sum.answered;
      if (answer.value() != self) complain("another answer");
    } else if (answer.code() == cairn::errc::mailbox_full) {
      ++sum.full;
    } else if (answer.code() == cairn::errc::timeout) {
      ++sum.late;
    } else {
      complain("an ask fails: " + std::string{to_string(answer.code())});
    }
  }
};

inline std::string name_of(int at) { return "narrow " + std::to_string(at); }

/// What came of all asks and items, once all have been pushed.
inline void judge(const push_totals& pushed, const narrow_totals& got) {
  const auto least = static_cast<std::uint64_t>(pushed.answered);
  const auto most = static_cast<std::uint64_t>(pushed.answered + pushed.late);
  if (got.quests < least || got.quests > most) complain("asks were handled twice, or not at all");
  outside->result = std::to_string(pushed.answered + pushed.full + pushed.late) + " asks, " +
                    std::to_string(got.items) + " items";
}

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("limits", forgiving());
  std::vector<cairn::ref<drops_newest>> newest;
  std::vector<cairn::ref<drops_oldest>> oldest;
  for (int at = 0; at < narrows; ++at) {
    newest.push_back(top.spawn<drops_newest>(name_of(at)));
    oldest.push_back(top.spawn<drops_oldest>(name_of(narrows + at)));
  }
  std::vector<cairn::ref<pusher>> all;
  for (int at = 0; at < pushers; ++at) {
    all.push_back(top.spawn<pusher>("pusher " + std::to_string(at), pusher{at, newest, oldest}));
  }
  if (!root.restored()) {
    for (const auto& each : all) each.tell<push>(pushes);
  }
  push_totals sum;
  do {
    co_await root.sleep(7ms);
    sum = {};
    for (const auto& each : all) {
      const auto got = co_await each.ask<report>();
      sum.answered += got.answered;
      sum.full += got.full;
      sum.late += got.late;
      sum.pushed += got.pushed;
    }
  } while (sum.pushed < pushers * pushes);
  narrow_totals got;
  do {  // its own ask may find a mailbox full
    got = {};
    co_await root.sleep(5ms);
    for (int at = 0; at < narrows; ++at) {
      const auto which = static_cast<std::size_t>(at);
      auto one = newest[which].ask<report>().as_result();
      auto two = oldest[which].ask<report>().as_result();
      const auto first = co_await std::move(one);
      const auto second = co_await std::move(two);
      if (!first || !second) continue;
      got.items += first.value().items + second.value().items;
      got.quests += first.value().quests + second.value().quests;
    }
  } while (got.items < pushers * pushes * items);
  judge(sum, got);
  co_return 0;
}

template <class A>
void add(const snapshot& in, ledger& books) {
  in.each<A>([&](const A& one, const snapshot::cell& where) {
    const int self = number_of(where);
    books.received(one.kept.received, self);
    in.each_waiting<item>(where,
                          [&](const item& each) { books.waits(each.from, self, each.number); });
  });
}

inline void check(const snapshot& in) {
  ledger books{in};
  add<drops_newest>(in, books);
  add<drops_oldest>(in, books);
  in.each<pusher>([&](const pusher& one, const snapshot::cell& where) {
    numbering left = one.sent;
    std::erase_if(left.last, [](const auto& each) { return each.second == 0; });
    books.sent(left, number_of(where));
  });
  books.check();
}

inline const std::string expected = "120 asks, 90 items";

}  // namespace simulated::limits
