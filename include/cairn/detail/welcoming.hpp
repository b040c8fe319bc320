// How an actor comes to live with a worker: new, restored or given. Members of `delivery`.
#pragma once

#include <utility>

#include "delivery.hpp"

namespace cairn::detail {

[[nodiscard]] bool comes_late(cell& made);  // see waking.hpp

/// A child that a turn has spawned begins to live, in its parent's epoch.
inline void delivery::welcome(cell& parent_cell, const newborn& born) {
  cell& made = *born.made;
  cell& parent = *born.parent;
  made.parent = parent.self();
  const bool has_rules = parent.more && parent.more->rules;
  made.policy = has_rules ? parent.more->rules : default_supervision;
  made.changed = true;
  made.needs_start = made.type->on_start != nullptr || made.type->has_birth;
  made.home.store(&mine_,
                  std::memory_order_release);  // pairs with the acquires in send(), push()
  worker_counters::add(mine_.counters.actors, 1);
  cut_.touch(made);
  made.at = parent_cell.at;  // which may be before this worker's: it is then cut like its parent
  made.known_since = made.at;
  all_.tell_of(event_kind::started, made, made.type->name);
  // It comes after those that the store gave back: see put_in_order().
  if (parent.more && parent.more->to_wake) {
    made.dormant = made.rest().to_wake = true;
  } else if (has_rules && comes_late(made)) {
    made.dormant = true;
  }
  // Children of a supervisor, and who waits for its elders to start, are no matter of memory.
  if (!made.dormant && !has_rules && made.type->on_start == nullptr) mine_.ready.push_young(made);
  greet(made);
  if (mine_.index == 0 && all_.lost.any()) come_again(made);
}

/// Who was lost in a rollback lives again, and its mail and its watches find it; or somebody else
/// has its name.
inline void delivery::come_again(cell& made) {
  const auto before = all_.lost.arrived(made.parent.id, made.name, made.at);
  if (!before) return;
  const bool same = made.is(before->who.id);
  if (same) made.known_since = epoch{};
  for (const address& each : before->watchers) {
    if (same) {
      made.rest().watchers.push_back(each);
    } else {
      tell(each, stopped{before->who.id, lost_in_rollback}, made.at);
    }
  }
  for (const auto& each : all_.workers) all_.wake(*each);  // some may have mail for it
}

/// What every actor needs when it comes to live here: new, restored or given.
inline void delivery::greet(cell& made) {
  if (made.type->has_commit) {
    made.pinned = true;
    mine_.listeners.push_back(made.self());
    all_.has_outputs.store(true, std::memory_order_relaxed);  // ordered by the sweep
  }
  if (made.type->has_birth && made.life == incarnation{} && !made.on_disk) {
    auto birth = make_envelope(birth_note{});
    birth->index = made.type->birth_index();
    birth->reserved = true;
    birth->sent = made.at;
    birth->to = &made;
    birth->target = made.self().id;
    enqueue(made, std::move(birth));
  }
  mine_.ready.push(made);
}

}  // namespace cairn::detail
