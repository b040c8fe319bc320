// Watches of ephemeral actors, over a crash and a rollback: no snapshot has who is watched, so the
// watcher's own record says that its end is to be told. One that the root task will spawn again
// after a rollback, as whom it was, has not ended: its watches wait for it.
#pragma once

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "../context.hpp"
#include "cell.hpp"
#include "lost_actors.hpp"

namespace cairn::detail {

/// The number of the timers that stand for such watches in a record. Nobody cancels it.
inline constexpr std::uint64_t lost_watch_number = backoff_number - 1;

inline constexpr const char* lost_in_rollback = "lost in a rollback";

/// What a turn of the watcher's has wished.
inline void keep_watch(cell& one, const new_watch& wish, lost_actors& will_return) {
  if (wish.ends) {
    if (one.more) one.more->watched.erase(wish.whom);
    will_return.unwatch(wish.whom, one.self());
  } else {
    one.rest().watched.insert(wish.whom);
  }
}

/// The watcher is handed the notice: its log has it from here on.
inline void end_watch(cell& one, const envelope& notice) {
  if (!one.more || one.more->watched.empty() || notice.ops != &ops_of<stopped>) return;
  one.more->watched.erase(static_cast<const stopped*>(notice.payload())->id);
}

/// A watch as a record has it: the notice that is due once the record is read. In life nobody reads
/// it.
[[nodiscard]] inline timer lost_watch(actor_id whom, std::chrono::nanoseconds now) {
  timer made{.number = lost_watch_number, .due = now};
  made.message = make_envelope(stopped{whom, "lost in a restart of the process"});
  made.message->reserved = true;  // it is told once, whatever there is room for
  return made;
}

/// Whose notices are in flight: they had stopped before the snapshot.
[[nodiscard]] inline std::set<actor_id> told_of(const cell& one) {
  std::set<actor_id> all;
  for (const envelope* at = one.box.queue.front(); at != nullptr; at = at->next) {
    if (at->ops == &ops_of<stopped>) all.insert(static_cast<const stopped*>(at->payload())->id);
  }
  return all;
}

/// A restored actor has all of its mail: behind it comes the end of those whom it watched and who
/// did not survive. Its record says so until there is another one, which has the notice in flight.
inline void tell_of_lost(cell& one, bool rolled_back, lost_actors& will_return) {
  if (!one.more) return;
  auto& all = one.more->timers;
  const auto is_watch = [](const timer& each) {
    return each.number == lost_watch_number && each.message &&
           each.message->ops == &ops_of<stopped>;
  };
  if (std::none_of(all.begin(), all.end(), is_watch)) return;
  const auto told = told_of(one);
  for (timer& each : all) {
    if (!is_watch(each)) continue;
    envelope_ptr message = std::move(each.message);
    auto* notice = static_cast<stopped*>(message->payload());
    if (told.contains(notice->id)) {
      sometimes("watch of an ephemeral actor that had stopped");
      continue;
    }
    if (will_return.watch(notice->id, one.self())) {
      sometimes("watch of an ephemeral actor that is to be spawned again");
      one.more->watched.insert(notice->id);
      continue;
    }
    sometimes("watch of an ephemeral actor that is lost");
    if (rolled_back) notice->reason = lost_in_rollback;
    one.box.give_ticket(*message);
    one.box.queue.push_back(std::move(message));
  }
  std::erase_if(all, [](const timer& each) {
    return each.number == lost_watch_number && !each.message;  // it has moved
  });
}

}  // namespace cairn::detail
