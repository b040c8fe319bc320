// A bank: transfers conserve money. A clerk is asked in the middle of each of them.
#pragma once

#include "audit.hpp"

namespace simulated::bank {

constexpr int accounts = 6;
constexpr int transfers = 15;  // begun by each

struct account;

struct credit {
  std::int64_t cents = 0;
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(cents, from, number); }
};
struct approve {
  std::int64_t cents = 0;
  std::string words{};  ///< owned: the handler reads them in the message itself
  void serialize(auto& ar) { ar(cents, words); }
};
[[nodiscard]] inline std::string words_for(std::int64_t cents) {
  return "what no short string has room for: " + std::to_string(cents);
}
struct pay {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct report {};
struct totals {
  std::int64_t cents = 0;
  std::uint64_t paid = 0;
  std::uint64_t received = 0;
  void serialize(auto& ar) { ar(cents, paid, received); }
};

struct clerk {
  using protocol = cairn::protocol<approve, report>;
  std::int64_t approved = 0;
  void serialize(auto& ar) { ar(approved); }
  std::int64_t on(const approve& what) {
    may_fail();
    if (what.words != words_for(what.cents)) complain("an approval is asked in other words");
    ++approved;
    return what.cents;
  }
  std::int64_t on(report) const { return approved; }
};

struct meet {
  int self = 0;
  std::vector<cairn::ref<account>> all{};
  cairn::ref<clerk> desk{};
  void serialize(auto& ar) { ar(self, all, desk); }
};

struct account {
  using protocol = cairn::protocol<meet, pay, credit, nudge, report>;
  int self = 0;
  std::int64_t cents = 100;
  std::int64_t put_aside = 0;  ///< taken, and the clerk has not said yes
  std::uint64_t paid = 0;
  heard outside_words{};
  std::vector<cairn::ref<account>> all{};
  cairn::ref<clerk> desk{};
  numbering sent{};
  order_check received{};
  void serialize(auto& ar) {
    ar(self, cents, put_aside, paid, outside_words, all, desk, sent, received);
  }

  void on(meet what) {
    self = what.self;
    all = std::move(what.all);
    desk = what.desk;
  }
  cairn::task<> on(pay what, cairn::context<account>& me) {
    may_fail();
    const auto amount = static_cast<std::int64_t>(me.random() % 50);
    cents -= amount;
    put_aside += amount;
    const auto approved = co_await desk.ask<approve>(amount, words_for(amount));
    may_fail();
    const auto whom = me.random() % all.size();
    const auto to = static_cast<int>(whom);
    put_aside -= amount;
    all[whom].tell<credit>(approved, self, sent.next(to));
    ++paid;
    if (what.left > 1) me.ref().template tell<pay>(what.left - 1);
  }
  /// A small payment at once.
  void on(nudge what, cairn::context<account>& me) {
    may_fail();
    outside_words.take(what);
    if (all.empty()) return;  // too early
    const auto whom = me.random() % all.size();
    --cents;
    ++paid;
    all[whom].tell<credit>(1, self, sent.next(static_cast<int>(whom)));
  }
  void on(credit what) {
    may_fail();
    received.take(what.from, what.number, self);
    cents += what.cents;
  }
  totals on(report) const { return {cents, paid, received.total()}; }
};

/// Who is in it.
struct people {
  cairn::ref<clerk> desk{};
  std::vector<cairn::ref<account>> all{};
};
inline people open(cairn::root& root) {
  auto top = root.supervise("bank", forgiving());
  people found{top.spawn<clerk>("desk")};
  auto& all = found.all;
  for (int at = 0; at < accounts; ++at) {
    all.push_back(top.spawn<account>("account " + std::to_string(at)));
  }
  if (!root.restored()) {
    for (int at = 0; at < accounts; ++at) {
      auto& each = all[static_cast<std::size_t>(at)];
      each.tell<meet>(at, all, found.desk);
      each.tell<pay>(transfers);
    }
  }
  outside->nudge = [all](const nudge& what) {
    return tell(all[(what.thread + what.number) % all.size()], what);
  };
  return found;
}

inline cairn::task<totals> count(const people* who) {
  totals sum;
  for (const auto& each : who->all) {
    const auto got = co_await each.ask<report>();
    sum.cents += got.cents;
    sum.paid += got.paid;
    sum.received += got.received;
  }
  co_return sum;
}
/// Twice the same, and as much received as was paid: nothing is under way (Mattern, "Algorithms
/// for distributed termination detection", 1987).
[[nodiscard]] inline bool is_settled(const totals& before, const totals& sum) {
  return sum.paid >= accounts * transfers && sum.received == sum.paid && before.paid == sum.paid;
}

inline cairn::task<> close(const people* who, std::int64_t cents) {
  const auto approved = co_await who->desk.ask<report>();
  outside->result = std::to_string(cents) + " cents, " + std::to_string(approved) + " approved";
}

inline cairn::task<int> app(cairn::root& root) {
  const people who = open(root);
  totals sum;
  totals before;
  do {
    before = std::exchange(sum, {});
    sum = co_await count(&who);
  } while (!is_settled(before, sum));
  co_await close(&who, sum.cents);
  co_return 0;
}

/// In every snapshot there is as much money as there was, and the clerk has said yes to no more
/// than was put aside.
inline void check(const snapshot& in) {
  std::int64_t cents = 0;
  int seen = 0;
  ledger books{in};
  hearsay words{in};
  in.each<account>([&](const account& one, const snapshot::cell& where) {
    ++seen;
    cents += one.cents + one.put_aside;
    books.sent(one.sent, number_of(where));
    books.received(one.received, number_of(where));
    words.has(one.outside_words);
    in.each_waiting<credit>(where, [&](const credit& coin) {
      cents += coin.cents;
      books.waits(coin.from, number_of(where), coin.number);
    });
    in.each_waiting<nudge>(where, [&](const nudge& word) { words.waits(word); });
  });
  if (cents != 100 * seen) complain("a snapshot holds " + std::to_string(cents) + " cents");
  books.check();
  words.check();
}

inline const std::string expected = "600 cents, 90 approved";

}  // namespace simulated::bank
