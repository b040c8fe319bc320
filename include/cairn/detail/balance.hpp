// Balance between workers: an idle one asks a busy one, which gives away ready actors at its next
// turn boundary. After Acar, Chargueraud and Rainey, "Scheduling Parallel Programs by Work Stealing
// with Private Deques" (PPoPP 2013), receiver-initiated.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "world.hpp"

namespace cairn::detail {

/// An idle worker asks the busiest one.
inline void beg(world& all, worker& mine) noexcept {
  worker* best = nullptr;
  std::size_t most = 1;
  for (const auto& each : all.workers) {
    const std::size_t load = each->load.load(std::memory_order_relaxed);  // a hint
    if (each.get() == &mine || load <= most) continue;
    best = each.get();
    most = load;
  }
  // pairs with the exchange in answer_beggar()
  if (best != nullptr) best->beggar.store(&mine, std::memory_order_release);
}

/// A busy worker wakes one that seems to have nothing to do: only who is awake can ask. Not one
/// that is within a step, maybe in its only actor's long turn: it asks by itself when it has ended.
inline void rouse(world& all, const worker& mine) noexcept {
  for (const auto& each : all.workers) {
    // Relaxed, both: hints.
    if (each.get() == &mine || each->load.load(std::memory_order_relaxed) != 0) continue;
    if (each->steps.load(std::memory_order_relaxed) % 2 == 1) continue;
    all.wake(*each);
    return;
  }
}

/// Hands a ready actor to another worker, whose wake entry it becomes.
/// Precondition: no snapshot is open here, and the actor is not in the ready queue any more.
[[nodiscard]] inline bool give_away(world& all, worker& mine, cell& one, worker& thief) {
  // Children of a supervisor start in the order of their birth, which this worker keeps. A
  // tombstone stands in a list of this worker, a vacant cell too.
  if (one.type == nullptr || one.stopped) return false;
  // The thief would not wait for its elders.
  if (one.needs_start && (one.type->on_start != nullptr || one.type->has_birth)) return false;
  if (mine.unopened.whose == &one) return false;
  if (one.pinned || one.dormant || one.leads || (one.more && !one.more->timers.empty()))
    return false;
  // The mark is this worker's while the actor moves: nobody else queues it. pairs with push()
  if (one.queued.exchange(true, std::memory_order_seq_cst)) return false;
  if (one.listed == mine.swept.mark()) sometimes("actor given away before it is seen to be clean");
  mine.unlist(one);
  if (one.more) one.more->next_look = no_look;
  one.moving = true;
  worker_counters::take(mine.counters.actors, 1);
  pause_point();
  one.home.store(&thief, std::memory_order_release);  // pairs with the acquires in send(), push()
  pause_point();
  thief.wakes.push(&one);
  all.nudge(thief);
  return true;
}

/// Whether ready actors may be handed over now: not while a snapshot is open here, since one that
/// moves is in no list of an open snapshot, and is handed over before this worker acknowledges a
/// flip. What is held back before a snapshot at rest comes back into the ready queue here.
[[nodiscard]] inline bool may_give(const world& all, const worker& mine) noexcept {
  // Relaxed: published by the stage in which suspended handlers are counted.
  return !mine.open && mine.rested.empty() && !all.resting.load(std::memory_order_relaxed);
}

/// Some of so many ready actors: what a step does is bounded.
inline void give_some(world& all, worker& mine, std::size_t count, worker& thief) {
  std::array<ready_queue::taken, 64> kept{};
  std::size_t stay = 0;
  for (std::size_t left = std::min(count, kept.size()); left > 0; --left) {
    const ready_queue::taken next = mine.ready.take_one();
    if (!give_away(all, mine, *next.one, thief)) kept[stay++] = next;
  }
  while (stay > 0) mine.ready.put_back(kept[--stay]);  // in their order
}

[[nodiscard]] inline bool shares(const world& all, const worker& mine) noexcept {
  return all.always_shares || mine.speed.shares();
}

/// Gives half of the ready actors away to who has asked, where that makes both of them faster.
inline void answer_beggar(world& all, worker& mine) {
  if (!shares(all, mine)) return;
  if (mine.beggar.load(std::memory_order_relaxed) == nullptr) return;  // looked at again below
  worker* thief = mine.beggar.exchange(nullptr, std::memory_order_acquire);  // pairs with beg()
  if (!may_give(all, mine)) return;
  give_some(all, mine, mine.ready.size() / 2, *thief);
}

/// Actors whose short turns mostly talk to another worker's go to a worker before this one, until
/// they are together: after a few such moves all are with the first one at the latest.
inline void bring_together(world& all, worker& mine) {
  const std::uint64_t lingered = std::exchange(mine.lingered, 0);
  const pace::figures all_so_far{mine.counters.turns(), mine.sent_away};
  if (!mine.speed.look(mine.now, mine.ran, lingered, all_so_far)) return;
  if (mine.index == 0 || !mine.speed.scatters() || !may_give(all, mine)) return;
  give_some(all, mine, mine.ready.size(), *all.workers[mine.index / 2]);
}

}  // namespace cairn::detail
