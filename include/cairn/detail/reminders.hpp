// When timers fire: in life, and in the process after.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "actor_record.hpp"

namespace cairn::detail {

using wall_time = std::chrono::system_clock::time_point;

[[nodiscard]] inline std::chrono::microseconds micros_of(wall_time when) noexcept {
  return std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch());
}

/// How long until `wall`, in a century at the latest.
[[nodiscard]] inline std::chrono::nanoseconds until(std::chrono::microseconds wall,
                                                    std::chrono::microseconds now) noexcept {
  constexpr auto most = std::chrono::duration_cast<std::chrono::microseconds>(as_long_as_it_takes);
  if (wall >= now && wall.count() - most.count() > now.count()) return most;
  if (wall < now && wall.count() + most.count() < now.count()) return -most;
  return wall - now;
}

/// What a turn wanted becomes a timer.
[[nodiscard]] inline timer timer_of(new_timer& wanted, std::chrono::nanoseconds now,
                                    std::chrono::microseconds wall) {
  timer made;
  made.number = wanted.number;
  made.message = std::move(wanted.message);
  made.ask = wanted.ask;
  made.kind = wanted.kind;
  made.missed = wanted.repeat.missed;
  made.period = std::min(wanted.repeat.period, as_long_as_it_takes);
  made.wall = wanted.wall;
  if (made.kind == timer_kind::at) wanted.delay = until(made.wall, wall);
  made.due = due_after(now, wanted.delay);
  if (made.kind == timer_kind::every) {
    made.wall = wall + std::chrono::duration_cast<std::chrono::microseconds>(made.due - now);
  }
  return made;
}

/// Moves a periodic timer on, past `late` after its time. Returns how many of its times that are.
inline std::uint64_t move_on(timer& one, std::chrono::nanoseconds late) noexcept {
  const auto passed = 1 + late / one.period;
  const auto span = late - late % one.period + one.period;
  one.due = due_after(one.due, span);
  one.wall += std::chrono::duration_cast<std::chrono::microseconds>(span);
  return static_cast<std::uint64_t>(passed);
}

inline void owe(timer& one, std::uint64_t more) noexcept {
  one.owed = static_cast<std::uint32_t>(std::min<std::uint64_t>(one.owed + more, most_overdue));
}

/// A periodic timer fires. In life its times are one where they come too late, or all.
inline void next_time(timer& one, std::chrono::nanoseconds now) noexcept {
  if (one.owed > 0) {
    --one.owed;
    return;
  }
  const std::uint64_t passed = move_on(one, std::max(now - one.due, std::chrono::nanoseconds{0}));
  if (one.missed == overdue::all) owe(one, passed - 1);
}

/// When a process begins again: by its clocks, and by the wall clock at its snapshot.
struct restart_times {
  std::chrono::nanoseconds now{};
  std::chrono::microseconds wall{};
  std::chrono::microseconds snapshot{};
};

/// Whether it comes once, is declared to be skipped where it is overdue, and is. Of a delay that is
/// when it would have come by the wall clock.
[[nodiscard]] inline bool is_skipped(const timer& one, const restart_times& at) noexcept {
  return one.kind != timer_kind::every && one.missed == overdue::skip && one.message &&
         one.wall <= at.wall;
}

/// What the next process makes of a timer that had `left` to go at its actor's cut. What remained
/// at the snapshot counts, which may be of long after that cut, and for reminders of the wall clock
/// that one.
inline void resume_timer(timer& one, std::chrono::nanoseconds left,
                         const restart_times& at) noexcept {
  const auto [now, wall, snapshot] = at;
  if (one.kind == timer_kind::at) left = until(one.wall, wall);
  if (one.kind == timer_kind::after && snapshot.count() > 0) {
    const std::chrono::nanoseconds then = until(one.wall, snapshot);
    left = std::clamp(then, std::chrono::nanoseconds{0}, std::max(left, decltype(left){0}));
  }
  one.due = due_after(now, left);
  if (one.kind != timer_kind::every) return;
  const std::chrono::nanoseconds ahead = until(one.wall, wall);
  if (ahead.count() > 0) {
    one.due = due_after(now, std::min(left, ahead));  // a clock that was set back delays nothing
    return;
  }
  one.due = now;
  const std::uint64_t passed = move_on(one, -ahead);
  one.due = due_after(now, one.period - -ahead % one.period);
  if (one.missed == overdue::once && one.owed == 0) owe(one, 1);
  if (one.missed == overdue::all) owe(one, passed);
  sometimes("reminder overdue");
}

/// Its place in time stays behind and is passed over.
inline void cancel_reminder(cell& one, std::uint64_t number) {
  if (!one.more) return;
  std::erase_if(one.more->timers,
                [&](const timer& each) { return each.number == number && each.message; });
}

/// When an actor was restarted, by the wall clock: its record may stand unchanged while one
/// snapshot after the other goes by.
inline void put_restarts(buffer& to, const std::vector<std::chrono::nanoseconds>& restarts,
                         std::chrono::nanoseconds now, wall_time wall) {
  to.put(static_cast<std::uint32_t>(restarts.size()));
  for (const auto when : restarts) {
    const std::chrono::nanoseconds at = wall.time_since_epoch() - (now - when);
    to.put(std::int64_t{at.count()});
  }
}
/// One of them, by the steady clock. A wall clock that was set back makes it one of just now.
[[nodiscard]] inline std::chrono::nanoseconds get_restart(reader& from, const restart_times& at) {
  constexpr std::chrono::nanoseconds none{};
  const auto today = std::max(none, std::chrono::nanoseconds{at.wall});
  const std::chrono::nanoseconds when{from.get<std::int64_t>()};
  return at.now - (today - std::clamp(when, none, today));
}

inline void put_timer(buffer& to, const timer& one, std::chrono::nanoseconds now,
                      std::chrono::microseconds wall) {
  const auto left = one.due - now;
  const bool by_wall = one.kind != timer_kind::after;
  to.put(one.number);
  to.put(std::int64_t{left.count()});
  to.put(std::int64_t{
      (by_wall ? one.wall : wall + std::chrono::duration_cast<std::chrono::microseconds>(left))
          .count()});
  to.put(one.kind);
  to.put(one.missed);
  to.put(std::int64_t{one.period.count()});
  to.put(one.owed);
  to.put(static_cast<std::uint8_t>(one.ask ? 1 : 0));
  to.put(static_cast<std::uint8_t>(one.message ? 1 : 0));
  if (!one.message) return;
  to.put(schema_of(*one.message));
  put_envelope(to, *one.message);
}

/// `read_message(reader, schema)` reads the message, where there is one. Gives nothing where the
/// timer is overdue, and none is wanted then.
///
/// Errors: throws `errc::damaged`, and what `read_message` throws.
template <class Read>
[[nodiscard]] std::optional<timer> get_timer(reader& from, const restart_times& at,
                                             Read&& read_message) {
  timer made;
  made.number = from.get<std::uint64_t>();
  std::chrono::nanoseconds left{from.get<std::int64_t>()};
  constexpr std::chrono::microseconds furthest = std::chrono::hours{24 * 365'250};
  made.wall = std::clamp(std::chrono::microseconds{from.get<std::int64_t>()}, -furthest, furthest);
  made.kind = from.get<timer_kind>();
  made.missed = from.get<overdue>();
  made.period = std::min(std::chrono::nanoseconds{from.get<std::int64_t>()}, as_long_as_it_takes);
  made.owed = std::min(from.get<std::uint32_t>(), most_overdue);
  made.ask = from.get<std::uint8_t>() != 0;
  const bool sends = from.get<std::uint8_t>() != 0;
  const bool repeats = made.kind == timer_kind::every;
  if (made.kind > timer_kind::every || made.missed > overdue::skip ||
      (repeats && (!sends || made.period.count() <= 0)) || (!repeats && made.owed != 0)) {
    throw error{errc::damaged, "a timer of no known kind"};
  }
  if (sends) {
    const auto schema = from.get<std::uint32_t>();
    made.message = read_message(from, schema);
    if (made.message->kind != envelope_kind::message) {
      throw error{errc::damaged, "a timer that sends no message"};
    }
    if (repeats && made.message->ops->copy == nullptr) {
      made.kind = timer_kind::after;
      if (std::exchange(made.owed, 0) > 0) left = {};
    }
  }
  if (is_skipped(made, at)) return sometimes("reminder skipped"), std::nullopt;
  resume_timer(made, left, at);
  return made;
}

}  // namespace cairn::detail
