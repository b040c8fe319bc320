// Stopped actors: their mail is buried, and they leave their cells once nothing needs to know of
// them.
#pragma once

#include <algorithm>
#include <utility>

#include "delivery.hpp"

namespace cairn::detail {

class tombs {
 public:
  tombs(world& all, worker& mine, delivery& mail) noexcept : all_{all}, mine_{mine}, mail_{mail} {}

  /// Of a stopped actor, or a cell where nobody lives. False: there is nothing more to do.
  bool attend(cell& one) { return bury_next(one) || leave(one); }

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
  /// A stopped actor whose mail is buried stays as a tombstone for as long as a snapshot has to say
  /// of it that it is gone, or to record what it has not met. Where none has, its cell is free.
  bool leave(cell& one) {
    if (one.type == nullptr || one.entombed) return false;
    if (one.on_disk || mine_.open) {
      one.entombed = true;
      mine_.tombs.push_back(&one);
      return false;
    }
    sometimes("stopped actor needs no tombstone");
    if (one.listed != touched_list::none) mine_.list_of(one.listed).remove(one);
    all_.release_cell(one);
    return false;
  }

  /// What reaches nobody: a tombstone's mail, or mail for who lived in this cell before.
  bool bury_next(cell& one) {
    envelope_list& from = one.box.replies.empty() ? one.box.queue : one.box.replies;
    if (from.empty()) return false;
    bury(one, from.pop_front());
    return true;
  }

  void bury(cell& one, envelope_ptr message) {
    sometimes("message for a stopped actor");
    mail_.cuts().meet(one, *message);
    one.box.done_ticket = std::max(one.box.done_ticket, message->ticket);
    mail_.bury(one, std::move(message), errc::stopped, "the actor is stopped");
  }

  world& all_;
  worker& mine_;
  delivery& mail_;
};

}  // namespace cairn::detail
