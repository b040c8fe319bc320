// What threads outside send is kept until a committed snapshot has it: after a rollback it comes
// again. What each worker keeps has a bound. There an epoch is begun, and what comes waits at the
// door, and with it who waits for an answer or for room in a mailbox: until that epoch's cut, whose
// snapshot must have what was sent before it, and what comes after that until the commit.
//
// Nobody waits for what does not come. Where that epoch is abandoned, or as much waits as may be
// kept, what was kept goes. An event says so, and no rollback goes back beyond that.
//
// Runs on the worker `mine`, between turns.
#pragma once

#include <string>
#include <utility>

#include "worker.hpp"
#include "world.hpp"

namespace cairn::detail {

/// Some bound, so that what waits does go on.
[[nodiscard]] inline std::size_t most_retained(const world& all) noexcept {
  return std::max<std::size_t>(1, all.max_retained);
}
[[nodiscard]] inline bool may_retain(const world& all, const worker& mine) noexcept {
  return mine.retained.size() < most_retained(all);
}

/// Keeps a copy. Well before the bound an epoch is begun: then nobody has to wait.
inline void retain(world& all, worker& mine, const envelope& message) {
  if (message.kind == envelope_kind::reply || message.to->slot_index == 1) return;
  const scoped_current<runtime> scope{current_runtime, &all};
  try {
    envelope_ptr copy = copy_of(message);
    if (!copy) return;
    mine.retained.push_back(std::move(copy));
  } catch (...) {  // then it comes once
    return;
  }
  if (mine.retained.size() == most_retained(all) / 16) all.want_epoch();
}

/// Something waits at the door: the next epoch comes at once.
inline void await_commit(world& all, worker& mine) {
  if (std::exchange(mine.awaits_commit, true)) return;
  sometimes("outside messages wait for a commit");
  all.want_epoch();
}

/// A snapshot is committed: it has what was sent in its epoch.
inline void forget_retained(worker& mine, epoch committed) noexcept {
  mine.awaits_commit = false;
  while (!mine.retained.empty() && mine.retained.front()->sent <= committed) {
    (void)mine.retained.pop_front();
  }
}

/// What was kept goes: only a snapshot that has it all may be gone back to.
inline void give_up_retained(world& all, worker& mine, const std::string& why) {
  sometimes("outside messages not retained any more");
  event what;
  what.kind = event_kind::no_rollback;
  what.at = mine.seen;
  what.text = std::to_string(mine.retained.size()) +
              " messages from outside are not kept for a rollback any more: " + why +
              "; there is none before epoch " + std::to_string(raw(mine.seen)) + " is committed";
  mine.retained.clear();
  // Nothing that was taken in is of a later epoch. Relaxed: the stages order it.
  std::uint64_t before = all.unretained.load(std::memory_order_relaxed);
  while (before < raw(mine.seen) &&
         !all.unretained.compare_exchange_weak(before, raw(mine.seen), std::memory_order_relaxed)) {
  }
  all.report(what);
}

/// An epoch is abandoned: it is not waited for any more.
inline void abandon_retained(world& all, worker& mine, epoch abandoned) {
  if (!std::exchange(mine.awaits_commit, false)) return;
  give_up_retained(all, mine, "epoch " + std::to_string(raw(abandoned)) + " was abandoned");
}

}  // namespace cairn::detail
