// Timers and sleeps, and asks three deep: each tick counts once, each answer is the right one.
#pragma once

#include "audit.hpp"

namespace simulated::timing {

using namespace std::chrono_literals;

constexpr int clocks = 4;
constexpr int ticks = 12;  // of each
constexpr int beats = 10;

struct tick {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct ask_down {
  int depth = 0;
  int value = 0;
  void serialize(auto& ar) { ar(depth, value); }
};
struct beat {};
struct report {};
struct totals {
  int ticks = 0;
  int naps = 0;
  std::int64_t sum = 0;
  void serialize(auto& ar) { ar(ticks, naps, sum); }
};

/// Answers what those below it answer, and one more.
struct step {
  using protocol = cairn::protocol<ask_down>;
  cairn::ref<step> below{};
  void serialize(auto& ar) { ar(below); }
  cairn::task<int> on(ask_down what) {
    may_fail();
    if (!below) co_return what.value;
    const int got = co_await below.ask<ask_down>(what.depth + 1, what.value);
    may_fail();
    co_return got + 1;
  }
};

struct ticker {
  using protocol = cairn::protocol<tick, report>;
  cairn::ref<step> top{};
  totals sum{};
  int last = ticks + 1;
  void serialize(auto& ar) { ar(top, sum, last); }

  cairn::task<> on(tick what, cairn::context<ticker>& me) {
    may_fail();
    if (what.left != --last) complain("a tick out of order");
    ++sum.ticks;
    if (what.left > 1) me.template send_after<tick>(2ms, what.left - 1);
    if (what.left % 3 == 0) {
      co_await me.sleep(5ms);
      ++sum.naps;
    }
    const int got = co_await top.ask<ask_down>(0, what.left);
    may_fail();
    sum.sum += got;
  }
  totals on(report) const { return sum; }
};

/// Is reminded every so often, until it has been so often enough; none of the times may be missed.
struct beacon {
  using protocol = cairn::protocol<tick, beat, report>;
  cairn::reminder next{};
  int beaten = 0;
  void serialize(auto& ar) { ar(next, beaten); }

  void on(tick, cairn::context<beacon>& me) {
    next = me.send_every<beat>({.period = 3ms, .missed = cairn::overdue::all});
    may_fail();
  }
  void on(beat, cairn::context<beacon>& me) {
    if (beaten == beats) return;  // it had been sent already
    if (++beaten == beats) me.cancel(next);
    may_fail();
  }
  int on(report) const { return beaten; }
};

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("timing", forgiving());
  auto lowest = top.spawn<step>("lowest");
  auto middle = top.spawn<step>("middle", step{lowest});
  auto upper = top.spawn<step>("upper", step{middle});
  std::vector<cairn::ref<ticker>> all;
  for (int at = 0; at < clocks; ++at) {
    all.push_back(top.spawn<ticker>("ticker " + std::to_string(at), ticker{.top = upper}));
  }
  auto light = top.spawn<beacon>("beacon");
  if (!root.restored()) {
    light.tell<tick>(1);
    for (const auto& each : all) each.tell<tick>(ticks);
  }
  totals sum;
  int beaten = 0;
  do {
    sum = {};
    for (const auto& each : all) {
      const auto got = co_await each.ask<report>();
      sum.ticks += got.ticks;
      sum.naps += got.naps;
      sum.sum += got.sum;
    }
    beaten = co_await light.ask<report>();
    co_await root.sleep(1ms);
  } while (sum.ticks < clocks * ticks || beaten < beats);
  outside->result = std::to_string(sum.ticks) + " ticks, " + std::to_string(sum.naps) +
                    " naps, sum " + std::to_string(sum.sum) + ", " + std::to_string(beaten) +
                    " beats";
  co_return 0;
}

/// In every snapshot the beacon is reminded until it is enough, and then not any more.
inline void check(const snapshot& in) {
  in.each<beacon>([&](const beacon& one, const snapshot::cell& where) {
    std::size_t reminders = 0;
    if (where.more) {
      for (const auto& each : where.more->timers) reminders += each.message ? 1 : 0;
    }
    const bool wanted = one.next && one.beaten < beats;
    if (reminders != (wanted ? 1U : 0U)) complain("a reminder is lost, or goes on");
  });
}

// 4 * (12 + 11 + ... + 1 + 12 * 2)
inline const std::string expected = "48 ticks, 16 naps, sum 408, 10 beats";

}  // namespace simulated::timing
