// The system goes back to a snapshot while it runs: cells and workers as if nothing had happened
// since, and what had come from outside since then, to come again.
//
// No worker runs meanwhile: all have counted down the stage before, and wait for the one after it.
// Threads outside go on sending into the lanes.
#pragma once

#include <string>
#include <utility>

#include "ending.hpp"
#include "supervisor_actor.hpp"
#include "worker.hpp"
#include "world.hpp"

namespace cairn::detail {

/// What came from outside after the snapshot, in each worker's order: all of it comes again.
/// Returns how many messages had been delivered before.
inline std::uint64_t take_back_outside(worker& one, epoch to, epoch now) {
  envelope_list again;
  while (!one.retained.empty()) {
    auto each = one.retained.pop_front();
    if (each->sent > to) again.push_back(std::move(each));
  }
  const std::uint64_t before = again.size();
  for (envelope_list* from : {&one.for_lost, &one.intake}) {
    while (!from->empty()) again.push_back(from->pop_front());
  }
  envelope* each = one.lane.take_all();
  while (each != nullptr) {
    envelope_ptr owned{std::exchange(each, each->next)};
    owned->next = nullptr;
    if (owned->kind != envelope_kind::reply) again.push_back(std::move(owned));
  }
  for (envelope* sent = again.front(); sent != nullptr; sent = sent->next) sent->sent = now;
  one.intake = std::move(again);
  return before;
}

/// Named children of the root and of supervisors, which the root task will spawn again. Also those
/// that a rollback before took and that it has not spawned yet; their watches are noted anew.
inline void note_lost(world& all) {
  (void)all.lost.take_watches();
  for (std::uint32_t index = 2; index < all.cells.used(); ++index) {
    cell& one = *all.cells.at(index);
    if (one.type == nullptr || one.stopped || one.name.empty()) continue;
    const cell* parent = one.parent.where;
    if (parent == nullptr || !parent->is(one.parent.id)) continue;
    if (parent->slot_index == 1 || is_supervisor(parent->type)) {
      all.lost.add(one.parent.id, one.name, one.self(), *one.type);
    }
  }
}

inline void wipe(name_view& names, cell& one) noexcept {
  const bool root = one.slot_index == 1;
  const std::uint64_t number = one.next_number;
  static_cast<cell_body&>(one) = cell_body{};
  if (root) {
    one.next_number = number;  // answers to what it asked before must not be taken for others
  } else {
    names.close(one);  // nobody outside reads its name any more
    one.name.clear();
  }
  one.queued.store(false, std::memory_order_relaxed);  // published by the next stage
  one.woken.store(0, std::memory_order_relaxed);       // as well
  one.box.marks.reset();
  one.box.last_ticket = one.box.done_ticket = 0;
  one.wake_next = one.ready_next = nullptr;
  one.touched_prev = one.touched_next = nullptr;
  one.touched_in = epoch{};
  one.awaits.store(0, std::memory_order_relaxed);  // see awaited_slot::wait()
  one.listed = touched_list::none;
  one.touched_again = one.ready = one.moving = false;
}

inline void wipe(worker& one) {
  (void)one.wakes.take_all();  // links between cells
  one.ready = {};
  one.touched.clear();
  one.sweeping.clear();
  one.swept.clear();
  one.timers.clear();
  one.held.clear();
  if (!one.held_runs.empty()) sometimes("waiting run dropped by a rollback");
  one.held_runs.clear();
  one.vacant.clear();
  one.tombs.clear();
  one.reasons.clear();  // of what has not happened
  one.rested.clear();
  one.set_aside = {};
  one.overdue.clear();
  one.listeners.clear();
  one.records.clear();
  one.here.clear();
  one.awaits_commit = false;
  if (one.audits) one.audits->clear();
  one.counters.actors.store(0, std::memory_order_relaxed);  // a figure
}

/// What a rollback has come to.
struct undone {
  epoch to{};                  ///< the snapshot's number; 0: there is none
  std::uint64_t messages = 0;  ///< from outside, that will be delivered again
};

/// Whether all that came from outside since the latest committed snapshot is still there, to come
/// again. While no epoch is open; what says yes may say no later.
[[nodiscard]] inline bool is_retained(const world& all) noexcept {
  // Relaxed: numbers, which the stages order.
  return all.unretained.load(std::memory_order_relaxed) <=
         all.committed.load(std::memory_order_relaxed);
}

/// Everything that happened since the latest committed snapshot is gone, but for what came from
/// outside.
inline undone undo_all(world& all) {
  const epoch to{all.committed.load(std::memory_order_relaxed)};  // the stages order it
  sometimes(raw(to) != 0 ? "rolled back" : "rolled back to nothing");
  const epoch now{all.now_epoch.load(std::memory_order_relaxed)};  // the stages order it
  std::uint64_t again = 0;
  for (const auto& each : all.workers) again += take_back_outside(*each, to, now);
  note_lost(all);
  tear_down_all(all, stop_reason::restart);
  for (std::uint32_t index = 1; index < all.cells.used(); ++index)
    wipe(all.names_aloud, *all.cells.at(index));
  for (const auto& each : all.workers) wipe(*each);
  all.letters.found({});
  all.pardoned.forget();
  strike_out(all.accused, all.forgiven);
  all.forgiven.clear();
  all.restored_ids.clear();
  all.rolled_back_to.store(raw(to), std::memory_order_relaxed);  // the next stage orders it
  all.dirty.store(true, std::memory_order_relaxed);              // as well
  return {to, again};
}

}  // namespace cairn::detail
