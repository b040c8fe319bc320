// Up to where a long mailbox need not be gone through again. By the actor's home alone, between its
// turns, as the queue itself; a move hands both over with `cell::home`.
#pragma once

#include <algorithm>
#include <cstdint>

#include "envelope.hpp"
#include "pausing.hpp"

namespace cairn::detail {

/// Places in a queue that save a walk through it, which is a miss of the cache for each message.
///
/// A place is the last envelope that was passed, and its ticket. Tickets rise along a queue, and it
/// is emptied from the front. So that envelope is there for as long as one of its run is: one whose
/// ticket lies from `from_` on and not behind the place's. Only then is it looked at: else it may
/// have gone, and its room may be another one's. What happens to a queue:
/// - What is added stands behind all places.
/// - What is taken from the front, handled, given up or dropped for want of room, shortens the run;
///   with its last message the places have ended.
/// - What is put back in front waits under its old ticket, in a new envelope, and may be in no
///   snapshot: the run begins behind it, and it is looked at each time. Where it was the run's last
///   one, nothing is left of the run. Else the places stay, or a sweep would not come to its end
///   while an actor fails again and again. See `mailbox::put_in_front`.
/// - What is taken from within the run, or replaced there, ends the places: the new one is to be
///   recorded, and the old one may have been a place. See `mailbox::take_within`.
/// - An abandoned snapshot has recorded nothing: see `cutter::splice_back`.
/// - A rollback empties all mailboxes and gives the same tickets again: see `wipe`. Nothing else
///   does; who comes into a stopped actor's cell goes on with its tickets.
/// - A move to another worker moves neither the cell nor its envelopes. Nothing else that is known
///   of the actor counts: the run is only walked where its mail is recorded at all.
class sweep_marks {
 public:
  /// What stands in front of the run is looked at each time.
  [[nodiscard]] bool is_before(const envelope& each) const noexcept { return each.ticket < from_; }

  /// Forgets the places that the queue has passed; `first` is the first one that is not before the
  /// run, `newest` the ticket of the last one. Returns the last one that the sweep of epoch `now`
  /// need not look at, null: there is none.
  [[nodiscard]] envelope* begin(const envelope* first, epoch now, std::uint64_t newest) noexcept {
    if (first == nullptr || first->ticket > kept_.until) kept_ = {};
    const bool same = in_ == now;
    if (!same) due_ = newest;
    if (first == nullptr || first->ticket > swept_.until || !same) swept_ = kept_;
    in_ = now;
    if (swept_.last != nullptr) {
      sometimes(same ? "slice of a sweep goes on behind the one before"
                     : "mail that an earlier sweep has recorded is passed over");
    }
    return swept_.last;
  }
  /// What comes once a sweep has begun is of the next epoch: all that is of this one has come when
  /// the sweep begins. Else a sweep would not end where more comes than its slices look at.
  [[nodiscard]] bool is_due(const envelope* each) const noexcept {
    return each != nullptr && each->ticket <= due_;
  }
  /// The sweep has looked at it, and at all before it. `done`: no later sweep has to.
  void pass(envelope& each, bool done) noexcept {
    const bool goes_on = kept_.last == swept_.last;
    swept_ = {&each, each.ticket};
    if (goes_on && done) kept_ = swept_;
  }

  void put_in_front(std::uint64_t ticket) noexcept {
    if (ticket <= swept_.until) sometimes("message put in front of mail that was passed");
    from_ = std::max(from_, ticket + 1);
  }
  /// Whether something that is taken out of the queue, not at its front, stood in the run.
  [[nodiscard]] bool has_passed(std::uint64_t ticket) const noexcept {
    return ticket <= swept_.until;
  }

 private:
  struct place {
    envelope* last = nullptr;
    std::uint64_t until = 0;
  };
  place kept_{};   ///< all until then is recorded, or will never be
  place swept_{};  ///< all until then was looked at by the sweep of `in_`; never before `kept_`
  epoch in_{};
  std::uint64_t due_ = 0;  ///< the newest one when that sweep came here first
  std::uint64_t from_ = 0;
};

}  // namespace cairn::detail
