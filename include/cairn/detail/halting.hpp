// What keeps an actor from going on: it is suspended, it waits for its supervisor or for a backoff,
// it has stopped.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "delivery.hpp"
#include "lost_asks.hpp"
#include "replay.hpp"
#include "retiring.hpp"
#include "ruling.hpp"
#include "supervisor_actor.hpp"

namespace cairn::detail {

class halting {
 public:
  halting(world& all, worker& mine, delivery& mail) noexcept
      : all_{all}, mine_{mine}, mail_{mail}, replay_{all, mine} {}

  void suspend(cell& one, const std::string& why) {
    if (one.suspended) return;
    sometimes(one.busy() ? "actor suspended within a handler" : "actor suspended");
    one.suspended = true;
    end_pause(one);
    one.changed = true;
    mail_.cuts().touch(one);
    all_.tell_of(event_kind::suspended, one, why, errc::failed);
    if (one.parent.where != nullptr) tell_suspended(one, one.parent, why);
    for (std::size_t at = 0; one.more && at < one.more->watchers.size(); ++at) {
      if (one.more->watchers[at] != one.parent) tell_suspended(one, one.more->watchers[at], why);
    }
    mine_.ready.push(one);  // asks that wait are told
  }

  /// Retires the actor.
  void stop(cell& one, std::string_view reason, children_stop below = children_stop::each) {
    if (one.more && one.more->attempts != 0) bury_failed(one, reason);
    const return_address asker = asker_of(one);
    if (one.busy()) sometimes("actor stopped within a handler");
    replay_.tear_down(one, stop_reason::stopped);
    retire(all_, mine_, mail_, one, reason, below);
    mail_.refuse(asker, errc::stopped, "the actor stopped before it answered", one.at);
  }

  /// The first activation of an actor whose type is retired, and its last one.
  void retire_type(cell& one) {
    sometimes("actor of a retired type stopped");
    mail_.cuts().touch(one);
    mail_.cuts().bring(one);
    stop(one, retired_text(one.type->name));
  }

  /// Handles nothing until `go_on`: its supervisor decides, or the backoff ends, where there is
  /// one.
  void pause(cell& one, std::chrono::nanoseconds backoff) {
    sometimes(backoff.count() > 0 ? "restart waits for a backoff" : "restart waits for others");
    one.paused = true;
    if (backoff.count() == 0) return;
    const auto due = due_after(all_.steady_now(), backoff);
    one.rest().timers.push_back({backoff_number, due, nullptr, false});
    mine_.look_at(one, due);
  }

 protected:
  /// What its supervisor says of an actor that stands before what it has failed in.
  void obey(cell& one, const ruling& found) {
    if (found.what == decision::rollback) {
      suspend(one, "the system rolls back: " + found.why);
      roll_back_once(world::label(one) + " failed: " + found.why);
    } else if (found.what == decision::stop && !found.others) {
      stop(one, found.why);
    } else if (one.suspended) {  // it has come to that meanwhile
      return;
    } else if (found.others) {
      tell_supervisor(one, found);
    } else if (found.what == decision::suspend) {
      suspend(one, found.why);
    } else if (found.delay.count() > 0) {
      pause(one, found.delay);
    } else {
      mine_.ready.push(one);  // it is tried again
    }
  }

  /// The actor waits for what its supervisor does about it.
  void tell_supervisor(cell& one, const ruling& found) {
    pause(one, {});
    one.rest().told = all_.random() | 1U;  // 0: it has told of none
    send_control(mail_, one, one.parent,
                 make_note(child_failed{one.self().id, one.slot_index, found.what, found.levels,
                                        found.why, false, one.more->told}));
  }

  /// Once for each snapshot: what comes to this again is not worth another try. False: it does not.
  bool roll_back_once(const std::string& why) {
    // Relaxed: numbers.
    const bool first = all_.committed.load(std::memory_order_relaxed) >
                       all_.rolled_back_to.load(std::memory_order_relaxed);
    sometimes(first ? "failure takes the system back" : "failure comes back after a rollback");
    if (first) all_.roll_back(why);
    return first;
  }

  /// For who is told of it: at once, or when the wait for others or for a backoff is over.
  void note_restart(cell& one, std::chrono::nanoseconds began, std::uint64_t messages) {
    one.rest().restarted = {all_.steady_now() - began, messages};
  }
  void tell_restarted(cell& one, std::string_view text) {
    if (!all_.tells_of(event_kind::restarted)) return;
    event what = world::event_of(event_kind::restarted, one, text);
    const auto [whole, messages] = std::exchange(one.rest().restarted, {});
    what.cost.whole = whole;
    what.messages = messages;
    all_.report(what);
  }
  void end_pause(cell& one) const {
    if (std::exchange(one.paused, false)) look_at_timers(one);
    one.disarm(backoff_number);  // what it did not wait for shall not end another one
    // Nor the word with which that has ended already. A snapshot that holds it holds the pause,
    // too.
    for (envelope* each = one.box.replies.front(); each != nullptr; each = each->next) {
      if (each->answer.number == backoff_number)
        each->index = static_cast<std::uint16_t>(control::none);
    }
    one.box.attend_anew();  // it will be looked at anew
  }

  /// Those that were due while the actor handled nothing have not fired.
  void look_at_timers(cell& one) const {
    if (!one.more) return;
    for (const timer& each : one.more->timers) mine_.look_at(one, each.next());
  }

  /// Who waits for the handler that has not ended, be it that it was not run again yet.
  [[nodiscard]] static return_address asker_of(cell& one) noexcept {
    if (one.busy()) return one.more->handler.answer;
    if (!one.needs_replay || !one.open_handler) return {};
    const found_entry begun = last_message_of(one.saved->log).entry;
    return begun ? begun->answer : return_address{};
  }

  world& all_;
  worker& mine_;
  delivery& mail_;
  replayer replay_;

 private:
  /// What has failed and waits to be tried again is given up, by whomever the actor is stopped: its
  /// letter says with what it failed. Only the process that has seen it fail knows that.
  void bury_failed(cell& one, std::string_view reason) {
    one.more->attempts = 0;
    const std::string text = one.more->fault.empty() ? std::string{reason} : one.more->fault;
    if (one.busy() && one.type->persistent) {
      sometimes("failed handler of a stopped actor kept");
      mail_.report_dead(one, letter_of(one), one.self().id, errc::failed, text, one.at);
      mail_.refuse(std::exchange(one.more->handler.answer, {}), errc::failed, text, one.at);
      return;
    }
    if (one.needs_replay && one.open_handler) {
      sometimes("failed handler that was not run again kept");
      const last_message its = last_message_of(one.saved->log);
      mail_.report_dead(one, letter_of(all_, one, *its.entry), one.self().id, errc::failed, text,
                        one.at);
      const return_address asker = one.saved->log.forget_answer(its.at);
      mail_.refuse(asker, errc::failed, text, one.at);
      return;
    }
    const envelope* first = one.box.queue.front();
    if (first == nullptr || first->kind != envelope_kind::message) return;
    sometimes("failed message of a stopped actor kept");
    envelope_ptr message = one.box.queue.pop_front();
    one.box.attend_anew();
    mail_.cuts().meet(one, *message);
    one.box.done_ticket = message->ticket;
    one.consumed = next(one.consumed);
    mail_.bury(one, std::move(message), errc::failed, text);
  }
  void tell_suspended(cell& one, const address& whom, const std::string& why) {
    send_control(mail_, one, whom, make_control(control::child_suspended, one.self(), why));
  }
};

}  // namespace cairn::detail
