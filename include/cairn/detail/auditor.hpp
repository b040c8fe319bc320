// The audit's second half: the handlers of an actor are run again, in the background, and must
// come to what it had come to.
//
// They run on the actor's worker, between turns, within its cell: refs to itself and addresses of
// slots are the same then, and its handlers never run on two threads. What is in the cell is put
// aside meanwhile. Other threads look at nothing of that.
#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "replay.hpp"
#include "watching.hpp"
#include "world.hpp"

namespace cairn::detail {

/// Puts what an actor is aside and another life of it into its cell.
class spare_life {
 public:
  spare_life(cell& one, std::unique_ptr<recovery> base)
      : one_{one},
        awaits_{one.awaits.load(std::memory_order_relaxed)},  // see awaited_slot::wait()
        aside_{std::move(static_cast<cell_body&>(one))} {
    cell_body spare;
    spare.type = aside_.type;
    spare.parent = aside_.parent;
    spare.policy = aside_.policy;
    spare.at = aside_.at;
    spare.life = aside_.life;
    spare.saved = std::move(base);
    static_cast<cell_body&>(one) = std::move(spare);
  }
  spare_life(const spare_life&) = delete;
  spare_life& operator=(const spare_life&) = delete;
  /// Precondition: the spare's incarnation is gone.
  ~spare_life() {
    static_cast<cell_body&>(one_) = std::move(aside_);
    one_.awaits.store(awaits_, std::memory_order_relaxed);  // see awaited_slot::wait()
  }

 private:
  cell& one_;
  const std::uint32_t awaits_;
  cell_body aside_;
};

class auditor {
 public:
  auditor(world& all, worker& mine) noexcept : all_{all}, mine_{mine}, replay_{all, mine} {}

  /// Precondition: the actor is at home here, and no turn runs.
  void audit(cell& one, pending_audit what) {
    show_actor(mine_, one);
    if (mine_.note != nullptr)
      mine_.note->rest();  // should the process die, no message is to blame
    const position from = what.base->at;
    const spare_life spare{one, std::move(what.base)};
    const std::string found = difference(one, what);
    replay_.discard(one);
    if (found.empty()) return;
    sometimes("audit found a difference");
    mine_.audits->note_named(what.of.id);
    all_.tell_of(event_kind::nondeterministic, one,
                 std::string{what.type->name} + ", run again from position " +
                     std::to_string(raw(from)) + " to " + std::to_string(raw(one.consumed)) + ": " +
                     found,
                 errc::diverged);
  }

 private:
  /// Empty: there is none.
  [[nodiscard]] std::string difference(cell& one, const pending_audit& what) {
    try {
      replay_.rebuild(one, one.saved->log.end());
    } catch (...) {
      return text_of_caught();
    }
    if (one.busy() != what.busy) {
      return what.busy ? "a handler has ended that was suspended" : "a handler has not ended";
    }
    if (awaits_of(one) != what.awaits) return "its handler awaits something else";
    try {
      const scoped_turn scope{all_, mine_.here, one};  // refs are decoded
      const std::string found = one.type->difference(one, what.state.view());
      return found.empty() ? found : "another state, " + found;
    } catch (...) {  // a state that cannot be written or read is a matter of its next cut
      sometimes("audit without a comparison");
      return {};
    }
  }

  world& all_;
  worker& mine_;
  replayer replay_;
};

/// Audits one of the actors that wait for it here, unless all pause or a stage of an epoch waits
/// for this worker. True: others may wait.
inline bool audit_next(world& all, worker& mine) {
  if (!mine.audits || mine.audits->empty() || mine.still) return false;
  // Relaxed: the next step's take_part() reads it again, with acquire.
  if (all.stage.load(std::memory_order_relaxed) != mine.stage_done) return false;
  pending_audit next = mine.audits->take();
  cell& one = *next.of.where;
  // pairs with the release in give_away()
  const bool at_home = one.home.load(std::memory_order_acquire) == &mine && one.is(next.of.id);
  if (!at_home || one.moving || one.stopped || !mine.audits->may_name(next.of.id)) {
    sometimes("audit dropped");
    return true;
  }
  sometimes(next.busy ? "suspended handler audited" : "actor audited");
  auditor{all, mine}.audit(one, std::move(next));
  return true;
}

/// Before the system runs. `share` 0: nobody is audited, and nothing is spent on it.
///
/// Errors: throws `errc::misuse` where it is no share.
inline void set_up_audits(world& all, double share, std::uint64_t seed) {
  if (!(share >= 0 && share <= 1)) {
    throw error{errc::misuse,
                "options::audit is a share from 0 to 1, not " + std::to_string(share)};
  }
  if (share == 0) return;
  for (auto& [hash, type] : all.types.actors) type.raw_base = false;  // nothing would be logged
  for (const auto& each : all.workers) {
    each->audits = std::make_unique<audit_queue>(share, seed);
  }
}

}  // namespace cairn::detail
