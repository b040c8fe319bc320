// What handlers do outside once their cause is committed (`run_committed`), while epochs are
// abandoned, the system goes back, and processes die: never before its cause is true for ever, and
// at least once.
#pragma once

#include "audit.hpp"

namespace simulated::errands {

using namespace std::chrono_literals;

constexpr int runners = 4;
constexpr int errands = 8;  // of each

struct errand {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct entry {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct report {};

/// What the world outside has seen begin: a key, for each errand of each runner.
struct seen {
  std::map<int, std::map<std::uint64_t, std::uint64_t>> begun{};
  const cairn::detail::world* process = nullptr;  ///< the present one
};

/// On a thread that may block.
inline std::uint64_t carry_out(int who, std::uint64_t number, std::uint64_t since,
                               std::uint64_t key) {
  cairn::detail::pause_point();
  if (outside->dying) return 0;
  auto& notes = outside->notes<seen>();
  if (notes.process->committed.load(std::memory_order_relaxed) < since) {  // one thread plays all
    complain("errand " + std::to_string(number) + " begins before its cause is committed");
  }
  auto& known = notes.begun[who];
  if (known.try_emplace(number, key).first->second != key) {
    complain("an errand had begun whose cause was taken back");
  }
  cairn::detail::pause_point();
  if (outside->one_turn_in != 0 && !outside->dying && outside->faults.one_in(8)) {
    throw std::runtime_error{"a planned failure outside"};
  }
  return number;
}

struct books {
  using protocol = cairn::protocol<entry, report>;
  order_check received{};
  void serialize(auto& ar) { ar(received); }
  void on(entry what) { received.take(what.from, what.number, 99); }
  std::uint64_t on(report) const { return received.total(); }
};

struct runner {
  using protocol = cairn::protocol<errand>;
  int self = 0;
  cairn::ref<books> to{};
  std::uint64_t wanted = 0;
  std::uint64_t key = 0;  ///< of the last one
  numbering sent{};
  void serialize(auto& ar) { ar(self, to, wanted, key, sent); }

  cairn::task<> on(errand what, cairn::context<runner>& me) {
    may_fail();
    key = me.random();
    const auto number = ++wanted;
    for (;;) {
      const std::uint64_t since = raw(me.epoch());
      auto going = me.run_committed("errand", &carry_out, self, number, since, key).as_result();
      const auto done = co_await std::move(going);
      may_fail();
      if (done && done.value() == number) break;
      if (done || done.code() != cairn::errc::failed) complain("an errand ends otherwise");
    }
    if (!me.replaying() && !outside->dying &&
        !outside->notes<seen>().begun[self].contains(number)) {
      complain("an errand is said to be done that was never begun");
    }
    to.tell<entry>(self, sent.next(99));
    if (what.left > 1) me.ref().tell<errand>(what.left - 1);
  }
};

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("errands", forgiving());
  auto kept = top.spawn<books>("books");
  outside->notes<seen>().process =
      static_cast<const cairn::detail::world*>(kept.where().where->owner);
  std::vector<cairn::ref<runner>> all;
  for (int at = 0; at < runners; ++at) {
    all.push_back(top.spawn<runner>("runner " + std::to_string(at), at, kept));
  }
  if (!root.restored()) {
    for (const auto& each : all) each.tell<errand>(errands);
  }
  std::uint64_t done = 0;
  while (done < static_cast<std::uint64_t>(runners * errands)) {
    co_await root.sleep(2ms);
    done = co_await kept.ask<report>();
  }
  outside->result = std::to_string(done) + " errands";
  co_return 0;
}

inline void check(const snapshot& in) {
  ledger all{in};
  in.each<runner>([&](const runner& one, const snapshot::cell&) {
    all.sent(one.sent, one.self);
    const auto& begun = outside->notes<seen>().begun[one.self];
    for (std::uint64_t number = 1; number < one.wanted; ++number) {
      if (!begun.contains(number)) complain("a snapshot has an errand done that never began");
    }
  });
  in.each<books>([&](const books& one, const snapshot::cell& where) {
    all.received(one.received, 99);
    in.each_waiting<entry>(where,
                           [&](const entry& each) { all.waits(each.from, 99, each.number); });
  });
  all.check();
}

/// What has begun outside has its cause in the snapshot that the next process begins from.
inline void check_latest(const snapshot& in) {
  std::set<int> there;
  in.each<runner>([&](const runner& one, const snapshot::cell&) {
    there.insert(one.self);
    const auto& begun = outside->notes<seen>().begun[one.self];
    if (begun.empty()) return;
    const auto& [number, key] = *begun.rbegin();
    if (one.wanted < number) complain("an errand has begun, and its cause is lost");
    if (one.wanted == number && one.key != key) complain("an errand has begun for another cause");
  });
  for (const auto& [who, begun] : outside->notes<seen>().begun) {
    if (!begun.empty() && !there.contains(who)) complain("a runner is lost that was under way");
  }
}

inline const std::string expected = "32 errands";

}  // namespace simulated::errands
