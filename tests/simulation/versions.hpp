// Each process may be of another version, which gives up what workers have left suspended or runs
// it again, and may begin from an older snapshot than the latest.
#pragma once

#include "audit.hpp"

namespace simulated::versions {

using namespace std::chrono_literals;

constexpr int pairs = 3;
constexpr int jobs = 8;  // of each pair

struct order {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct job {
  int which = 0;
  std::uint64_t attempt = 0;
  void serialize(auto& ar) { ar(which, attempt); }
};
struct begun {
  int by = 0;
  std::uint64_t attempt = 0;
  void serialize(auto& ar) { ar(by, attempt); }
};
struct weigh {
  int what = 0;
  void serialize(auto& ar) { ar(what); }
};
struct report {};
struct totals {
  int finished = 0;
  int given_up = 0;
  void serialize(auto& ar) { ar(finished, given_up); }
};

/// Hears of each attempt once, in order, also of those that were given up later.
struct books {
  using protocol = cairn::protocol<begun, weigh>;
  order_check attempts{};
  void serialize(auto& ar) { ar(attempts); }
  void on(begun what) { attempts.take(what.by, what.attempt, -1); }
  int on(weigh what) const { return what.what; }
};

struct worker {
  using protocol = cairn::protocol<job>;
  int self = 0;
  cairn::ref<books> into{};
  std::vector<int> done{};
  void serialize(auto& ar) { ar(self, into, done); }

  cairn::task<int> on(job what, cairn::context<worker>& me) {
    may_fail();
    into.tell<begun>(self, what.attempt);
    co_await me.sleep(1ms);
    may_fail();
    const int got = co_await into.ask<weigh>(what.which);
    may_fail();
    if (!done.empty() && done.back() != got + 1) complain("a job is done twice, or left out");
    done.push_back(got);
    co_return got;
  }
};

/// Has one job done after the other, and again where its handler was given up.
struct boss {
  using protocol = cairn::protocol<order, report>;
  cairn::ref<worker> whom{};
  std::uint64_t attempt = 0;
  totals sum{};
  void serialize(auto& ar) { ar(whom, attempt, sum); }

  cairn::task<> on(order what, cairn::context<boss>& me) {
    may_fail();
    for (bool done = false; !done;) {
      auto asked = whom.ask<job>(what.left, ++attempt).as_result();
      const auto got = co_await std::move(asked);
      may_fail();
      if (!got && got.code() != cairn::errc::failed) complain("a job ends in another way");
      done = static_cast<bool>(got);
      done ? ++sum.finished : ++sum.given_up;
    }
    if (what.left > 1) me.ref().tell<order>(what.left - 1);
  }
  totals on(report) const { return sum; }
};

/// What could be begun from, of the store as it is between two processes.
struct choices {
  std::vector<cairn::epoch> all{};
};

inline void check_disk(const std::shared_ptr<cairn::detail::disk>&) {
  outside->notes<choices>().all.clear();
}

inline void configure(cairn::options& chosen) {
  auto& chance = outside->faults;
  chosen.program_version = chance.one_in(2) ? "1" : "2";
  chosen.other_version = [](const cairn::recorded_handler& which) {
    const bool may = which.type.ends_with("worker") && which.message.ends_with("job");
    return may && outside->faults.one_in(2) ? cairn::version_answer::abandon
                                            : cairn::version_answer::rerun;
  };
  const auto& from = outside->notes<choices>().all;
  if (from.empty() || !chance.one_in(3)) return;
  chosen.as_of = from[chance.below(from.size())];
  cairn::detail::sometimes("process begins from a snapshot of its choice");
}

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("versions", forgiving());
  auto into = top.spawn<books>("books");
  std::vector<cairn::ref<boss>> all;
  for (int at = 0; at < pairs; ++at) {
    const auto number = std::to_string(at);
    auto whom = top.spawn<worker>("worker " + number, worker{.self = at, .into = into});
    all.push_back(top.spawn<boss>("boss " + number, boss{.whom = whom}));
  }
  if (!root.restored()) {
    for (const auto& each : all) each.tell<order>(jobs);
  }
  totals sum;
  do {
    co_await root.sleep(1ms);
    sum = {};
    for (const auto& each : all) sum.finished += (co_await each.ask<report>()).finished;
  } while (sum.finished < pairs * jobs);
  outside->result = std::to_string(sum.finished) + " finished";
  co_return 0;
}

/// Of every attempt whose handler has begun: the books have heard of it, or will.
inline void check(const snapshot& in) {
  outside->notes<choices>().all.push_back(in.number());
  std::map<int, std::uint64_t> heard;
  std::map<int, std::uint64_t> waiting;
  in.each<books>([&](const books& one, const snapshot::cell& where) {
    for (const auto& [who, count] : one.attempts.last) heard[who] += count;
    snapshot::each_waiting<begun>(where, [&](const begun& each) { ++heard[each.by]; });
  });
  in.each<worker>([&](const worker& one, const snapshot::cell& where) {
    snapshot::each_waiting<job>(where, [&](const job&) { ++waiting[one.self]; });
  });
  in.each<boss>([&](const boss& one, const snapshot::cell& where) {
    const int who = number_of(where);
    if (heard[who] + waiting[who] == one.attempt) return;
    complain("snapshot " + std::to_string(raw(in.number())) + ": " + where.name + " has tried " +
             std::to_string(one.attempt) + " times, of which " + std::to_string(heard[who]) +
             " were begun and " + std::to_string(waiting[who]) + " wait");
  });
}

inline const std::string expected = "24 finished";

}  // namespace simulated::versions
