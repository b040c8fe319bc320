// What comes from threads outside: a worker sends it on their behalf.
//
// Runs on the worker `mine`, between turns.
#pragma once

#include <algorithm>
#include <utility>

#include "delivery.hpp"
#include "retaining.hpp"
#include "rolling_back.hpp"

namespace cairn::detail {

class intake {
 public:
  intake(world& all, worker& mine, delivery& mail) noexcept : all_{all}, mine_{mine}, mail_{mail} {}

  /// Sends what threads outside have left here, in their order. While intake rests, and where no
  /// more may be kept for a rollback, only answers come in, for handlers that wait for them.
  void take(bool intake_rests) {
    const auto may = [&] { return !intake_rests && may_retain(all_, mine_); };
    take_while(may);
    if (mine_.intake.empty()) return;
    if (intake_rests) return sometimes("intake waits for a snapshot at rest");
    if (mine_.intake.size() >= most_retained(all_)) {
      give_up_retained(all_, mine_, "as many more wait for a commit");
      take_while(may);
    }
    if (!mine_.intake.empty()) await_commit(all_, mine_);
  }

  /// Sends all of it: what is stamped with the epoch that is being closed must be in. What waits
  /// for somebody who will be in a later snapshot at the earliest is in none before that.
  void take_all() {
    take_while([] { return true; });
    for (envelope* each = mine_.for_lost.front(); each != nullptr; each = each->next) {
      each->sent = mine_.seen;
    }
  }

 private:
  template <class May>
  void take_while(const May& may) {
    look_for_lost();
    while (may() && !mine_.intake.empty()) take_in(mine_.intake.pop_front());
    pause_point();
    envelope* each = mine_.lane.take_all();
    while (each != nullptr) {
      envelope* after = std::exchange(each->next, nullptr);
      mail_.cuts().acknowledge(each->sent);
      const bool waits = !mine_.intake.empty() || !may();  // behind those that wait
      if (waits && each->kind != envelope_kind::reply) {
        mine_.intake.push_back(envelope_ptr{each});
      } else {
        take_in(envelope_ptr{each});
      }
      each = after;
    }
  }

  /// From outside. Who is lost has it when it comes; where too much waits for such, it finds
  /// nobody, and does not come again: who comes meanwhile must not have it before older ones.
  void take_in(envelope_ptr message) {
    if (all_.lost.is_lost(message->target)) {
      const bool waits = mine_.for_lost.size() < most_retained(all_);
      if (waits) return mine_.for_lost.push_back(std::move(message));
      sometimes("too much mail for lost actors");
      return mail_.bury_for_lost(*message);
    }
    look_for_lost();  // who has come meanwhile has first what was sent before
    pass_on(std::move(message));
  }
  /// Kept, for the case of a rollback, until a snapshot has it.
  void pass_on(envelope_ptr message) {
    retain(all_, mine_, *message);
    mail_.send(std::move(message));
  }
  /// Who has come again is sent it now, in the epoch in which it was sent where that is not closed,
  /// so that a snapshot has it that has what the same thread sent after it; and in none before that
  /// in which the actor has come.
  void look_for_lost() {
    const std::uint64_t changes = all_.lost.changes();
    if (mine_.for_lost.empty() || std::exchange(mine_.lost_seen, changes) == changes) return;
    for (envelope_list left = std::exchange(mine_.for_lost, {}); !left.empty();) {
      envelope_ptr message = left.pop_front();
      if (all_.lost.is_lost(message->target)) {
        mine_.for_lost.push_back(std::move(message));
        continue;
      }
      message->sent = std::max(message->sent, all_.lost.arrival_of(message->target));
      mail_.cuts().acknowledge(message->sent);
      pass_on(std::move(message));
    }
  }

  world& all_;
  worker& mine_;
  delivery& mail_;
};

}  // namespace cairn::detail
