// A bank: transfers conserve money. A clerk is asked in the middle of each of them.
#pragma once

#include "world.hpp"

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
  void serialize(auto& ar) { ar(cents); }
};
struct pay {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
/// From outside: a small payment at once.
struct nudge {};
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
  std::int64_t on(approve what) {
    may_fail();
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
  std::uint64_t paid = 0;
  std::vector<cairn::ref<account>> all{};
  cairn::ref<clerk> desk{};
  numbering sent{};
  order_check received{};
  void serialize(auto& ar) { ar(self, cents, paid, all, desk, sent, received); }

  void on(meet what) {
    self = what.self;
    all = std::move(what.all);
    desk = what.desk;
  }
  cairn::task<> on(pay what, cairn::context<account>& me) {
    may_fail();
    const auto amount = static_cast<std::int64_t>(me.random() % 50);
    cents -= amount;
    const auto approved = co_await desk.ask<approve>(amount);
    may_fail();
    const auto whom = me.random() % all.size();
    const auto to = static_cast<int>(whom);
    all[whom].tell<credit>(approved, self, sent.next(to));
    ++paid;
    if (what.left > 1) me.ref().template tell<pay>(what.left - 1);
  }
  void on(nudge, cairn::context<account>& me) {
    may_fail();
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

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("bank", forgiving());
  auto desk = top.spawn<clerk>("desk");
  std::vector<cairn::ref<account>> all;
  for (int at = 0; at < accounts; ++at) {
    all.push_back(top.spawn<account>("account " + std::to_string(at)));
  }
  if (!root.restored()) {
    for (int at = 0; at < accounts; ++at) {
      auto& each = all[static_cast<std::size_t>(at)];
      each.tell<meet>(at, all, desk);
      each.tell<pay>(transfers);
    }
  }
  outside->nudge = [all, at = std::size_t{0}]() mutable { all[at++ % all.size()].tell<nudge>(); };
  // Twice the same, and as much received as was paid: nothing is under way (Mattern, "Algorithms
  // for distributed termination detection", 1987).
  totals sum;
  totals before;
  do {
    before = std::exchange(sum, {});
    for (const auto& each : all) {
      const auto got = co_await each.ask<report>();
      sum.cents += got.cents;
      sum.paid += got.paid;
      sum.received += got.received;
    }
  } while (sum.paid < accounts * transfers || sum.received != sum.paid || before.paid != sum.paid);
  const auto approved = co_await desk.ask<report>();
  outside->result = std::to_string(sum.cents) + " cents, " + std::to_string(approved) + " approved";
  co_return 0;
}

inline const std::string expected = "600 cents, 90 approved";

}  // namespace simulated::bank
