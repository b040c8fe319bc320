// Stopped actors: their mail is buried, and they leave their cells once nothing needs to know of
// them.
//
// Runs on the worker `mine`, between turns.
#pragma once

#include <algorithm>

#include "world.hpp"

namespace cairn::detail {

class tombs {
 public:
  tombs(world& all, worker& mine) noexcept : all_{all}, mine_{mine} {}

  /// A stopped actor, whose mail is buried, stays as a tombstone for as long as a snapshot has to
  /// say of it that it is gone, or to record what it has not met. Where none has, its cell is free.
  void leave(cell& one) {
    if (one.type == nullptr || one.entombed) return;
    if (one.on_disk || is_of_open_snapshot(one) || all_.tombs_stay) {
      one.entombed = true;
      mine_.tombs.push_back(&one);
      return;
    }
    sometimes(mine_.open ? "stopped actor of the present epoch needs no tombstone"
                         : "stopped actor needs no tombstone");
    mine_.unlist(one);
    all_.release_cell(one);
  }

  /// Stopped actors whose epoch is closed leave their cells.
  void leave_closed(epoch closed) {
    std::erase_if(mine_.tombs, [&](cell* one) {
      if (one->stopped_in > closed || one->listed != touched_list::none || one->ready) return false;
      sometimes("tombstone buried");
      all_.release_cell(*one);
      return true;
    });
  }

 private:
  /// Whether somebody may send to it from the open snapshot: not to who was born behind that. What
  /// such a message leads to belongs into the epoch in which the actor has stopped.
  [[nodiscard]] bool is_of_open_snapshot(const cell& one) const noexcept {
    return mine_.open && one.known_since != mine_.seen;
  }

  world& all_;
  worker& mine_;
};

}  // namespace cairn::detail
