// Reminders over processes that are not there for a while, and clocks that somebody sets: none is
// lost that is wanted, none comes twice, and what is overdue becomes what was declared.
#pragma once

#include "audit.hpp"

namespace simulated::absences {

using namespace std::chrono_literals;
using std::chrono::microseconds;

constexpr int enough = 6;    // times that each bell rings
constexpr int settings = 8;  // of each alarm
constexpr microseconds period = 5ms;

struct set {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct chime {};
struct shot {
  int which = 0;
  void serialize(auto& ar) { ar(which); }
};
struct report {};

/// Rings every so often.
struct bell {
  using protocol = cairn::protocol<set, chime, report>;
  int missed = 0;  ///< of `cairn::overdue`
  int rung = 0;
  std::int64_t made = 0;  ///< µs, by the wall clock
  cairn::reminder next{};
  void serialize(auto& ar) { ar(missed, rung, made, next); }

  [[nodiscard]] cairn::overdue how() const { return static_cast<cairn::overdue>(missed); }
  void on(set, cairn::context<bell>& self) {
    may_fail();
    made = cairn::detail::micros_of(self.now()).count();
    next = self.send_every<chime>({.period = period, .missed = how()});
  }
  void on(chime, cairn::context<bell>& self) {
    may_fail();
    if (rung == enough) return;  // it had been sent already
    if (++rung == enough) self.cancel(next);
  }
  int on(report) const { return rung; }
};

/// Is set to ring once each in three ways; goes on with the one that is never left out.
struct alarm {
  using protocol = cairn::protocol<set, shot, report>;
  int left = settings;
  std::map<int, std::int64_t> out{};  ///< when, µs by the wall clock
  void serialize(auto& ar) { ar(left, out); }

  enum kind { at_once, at_skip, after_skip, kinds };
  void on(set what, cairn::context<alarm>& self) {
    may_fail();
    left = what.left;
    const auto when = self.now() + 4ms;
    for (int each = 0; each < kinds; ++each) {
      const int which = left * kinds + each;
      out[which] = cairn::detail::micros_of(when).count();
      if (each == at_once) self.send_at<shot>({.when = when}, which);
      if (each == at_skip) self.send_at<shot>({when, cairn::overdue::skip}, which);
      if (each == after_skip) self.send_after<shot>({4ms, cairn::overdue::skip}, which);
    }
  }
  void on(shot what, cairn::context<alarm>& self) {
    may_fail();
    if (out.erase(what.which) == 0) complain("a reminder that comes once comes twice");
    if (what.which % kinds != at_once) return;
    if (left == 1) {
      left = 0;
    } else {
      self.ref().tell<set>(left - 1);
    }
  }
  int on(report) const { return left; }
};

/// A bell's reminder as the latest snapshot has it.
struct standing {
  microseconds wall{};
  std::uint32_t owed = 0;
};
using remembered = std::map<std::string, standing>;

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("absences", forgiving());
  std::vector<cairn::ref<bell>> bells;
  std::vector<cairn::ref<alarm>> alarms;
  for (int at = 0; at < 3; ++at) {
    bells.push_back(top.spawn<bell>("bell " + std::to_string(at), bell{.missed = at}));
  }
  for (int at = 0; at < 2; ++at) alarms.push_back(top.spawn<alarm>("alarm " + std::to_string(at)));
  if (!root.restored()) {
    for (const auto& each : bells) each.tell<set>();
    for (const auto& each : alarms) each.tell<set>(settings);
  }
  int rung = 0;
  int left = 0;
  do {
    co_await root.sleep(1ms);
    rung = left = 0;
    for (const auto& each : bells) rung += co_await each.ask<report>();
    for (const auto& each : alarms) left += co_await each.ask<report>();
  } while (rung < 3 * enough || left > 0);
  outside->result = std::to_string(rung) + " chimes";
  co_return 0;
}

/// The reminder of a bell, null where there is none.
inline const cairn::detail::timer* reminder_of(const snapshot::cell& in) {
  if (!in.more) return nullptr;
  for (const auto& each : in.more->timers) {
    if (each.message && each.kind == cairn::detail::timer_kind::every) return &each;
  }
  return nullptr;
}

/// Each of its times until the next one has come, waits, is owed or, as declared, was left out.
inline void check_bell(const snapshot& in, const bell& one, const snapshot::cell& where) {
  const auto* next = reminder_of(where);
  const bool wanted = one.next && one.rung < enough;
  if ((next != nullptr) != wanted) complain("a periodic reminder is lost, or goes on");
  if (next == nullptr) return;
  int there = one.rung + static_cast<int>(next->owed) - 1;  // itself is among those that wait
  snapshot::each_waiting<chime>(where, [&](const chime&) { ++there; });
  const auto passed = (next->wall.count() - one.made + period.count() / 2) / period.count() - 1;
  const bool all = one.how() == cairn::overdue::all;
  const std::uint32_t most = all ? 1000 : one.how() == cairn::overdue::once ? 1 : 0;
  if (there <= passed && (!all || there == passed) && next->owed <= most) return;
  complain("snapshot " + std::to_string(raw(in.number())) + ": " + where.name + " has rung " +
           std::to_string(one.rung) + " times, is owed " + std::to_string(next->owed) + ", and " +
           std::to_string(passed) + " times have passed");
}

/// What comes once is there once, or was left out by a process that began after its time.
inline void check_alarm(const alarm& one, const snapshot::cell& where) {
  std::map<int, int> there;
  snapshot::each_waiting<shot>(where, [&](const shot& each) { ++there[each.which]; });
  for (const auto& [which, when] : one.out) {
    const int count = std::exchange(there[which], 0);
    if (count == 1) continue;
    const bool left_out = which % alarm::kinds != alarm::at_once && outside->began.count() >= when;
    if (count > 1 || !left_out) complain("a reminder that comes once is lost, or there twice");
  }
  for (const auto& [which, count] : there) {
    if (count != 0) complain("a reminder that has come is still there");
  }
}

inline void check(const snapshot& in) {
  in.each<bell>([&](const bell& one, const snapshot::cell& where) { check_bell(in, one, where); });
  in.each<alarm>([](const alarm& one, const snapshot::cell& where) { check_alarm(one, where); });
}

inline void check_latest(const snapshot& in) {
  auto& all = outside->notes<remembered>();
  all.clear();
  in.each<bell>([&](const bell&, const snapshot::cell& where) {
    if (const auto* next = reminder_of(where)) all[where.name] = {next->wall, next->owed};
  });
}

/// What a process finds overdue where it begins.
inline void check_restored(const snapshot::cell& in, const cairn::detail::timer& one,
                           const standing& before, microseconds now) {
  standing then = before;
  if (before.wall <= now) {
    const auto passed = 1 + (now - before.wall) / period;
    then.wall += passed * period;
    if (one.missed == cairn::overdue::once) then.owed = 1;
    if (one.missed == cairn::overdue::all) then.owed += static_cast<std::uint32_t>(passed);
  }
  if (one.owed != then.owed || one.wall != then.wall) {
    complain(in.name + " begins with " + std::to_string(one.owed) + " times that it is owed, not " +
             std::to_string(then.owed) + ", or at another time");
  }
}

inline void check_start(const cairn::detail::program& all) {
  const auto& before = outside->notes<remembered>();
  const microseconds now = cairn::detail::micros_of(all.wall_now());
  for (std::uint32_t at = 2; at < all.cells.used(); ++at) {
    const snapshot::cell& one = *all.cells.at(at);
    if (one.type == nullptr || !one.more) continue;
    for (const auto& each : one.more->timers) {
      const bool late = each.kind == cairn::detail::timer_kind::at && each.wall <= now;
      if (late && each.missed == cairn::overdue::skip) complain("what was to be skipped is there");
    }
    const auto* next = reminder_of(one);
    const auto found = before.find(one.name);
    if (next != nullptr && found != before.end()) check_restored(one, *next, found->second, now);
  }
}

inline const std::string expected = "18 chimes";

}  // namespace simulated::absences
