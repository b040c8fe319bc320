// A turn that throws has had no effect: what the supervisor's decision comes to.
//
// Restart: the incarnation is torn down, its base restored, what it consumed since replayed, and
// the failing turn tried again with the same input. After its attempts the message is given up.
#pragma once

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "delivery.hpp"
#include "intensity.hpp"
#include "letters.hpp"
#include "lost_asks.hpp"
#include "replay.hpp"
#include "retiring.hpp"
#include "watching.hpp"

namespace cairn::detail {

class failures {
 public:
  failures(world& all, worker& mine, delivery& mail) noexcept
      : all_{all}, mine_{mine}, mail_{mail}, replay_{all, mine} {}

  /// Notes what the turn that is about to begin was given.
  void begin_turn(cell& one, const envelope& input) {
    show_turn(mine_, one, input);
    if (input.kind == envelope_kind::message) {
      answer_ = input.answer;
      what_ = input.ops->name;
    }
    if (!one.saved) return;
    replay_log& log = one.saved->log;
    entry_ = log.end();
    const bool message = input.kind == envelope_kind::message;
    log_entry& made = log.append_object(message ? log_kind::message : log_kind::handed, *input.ops,
                                        input.payload());
    made.number = message ? 0 : input.answer.number;
    made.answer = message ? input.answer : return_address{};
    made.code = input.code;
    made.index = input.index;
    made.type = input.ops->hash;
    made.ticket = input.ticket;
    after_entry_ = log.end();
  }

  /// Runs one turn. Its effects leave when it ends well; else the supervisor decides.
  template <class Body>
  void run(cell& one, Body&& body) {
    worker_counters::add(mine_.counters.turns, 1);
    std::exception_ptr thrown;
    {
      turn& here = mine_.here;
      const scoped_turn scope{all_, here, one};
      try {
        body();
        settle(one, here);
      } catch (...) {
        thrown = std::current_exception();
      }
    }
    if (thrown) {
      failed(one, thrown);
    } else {
      ended(one);
    }
  }

  /// Opens the incarnation's resources. False if that failed, and the actor is suspended.
  bool start(cell& one) {
    one.needs_start = false;
    if (one.type->on_start == nullptr) return true;
    const std::uint32_t tries = 1 + one.policy->attempts;
    for (std::uint32_t at = 0; at < tries; ++at) {
      const std::exception_ptr thrown = replay_.open_resources(one);
      if (!thrown) return true;
      all_.tell_of(event_kind::failed, one, "on_start: " + text_of(thrown), errc::failed);
    }
    one.needs_start = true;
    sometimes("start failed");
    suspend(one, "on_start failed");
    return false;
  }

  /// The first activation after the process's restart, of an actor whose handler was suspended.
  bool resume_restored(cell& one) {
    sometimes("suspended handler restored");
    mail_.cuts().touch(one);
    mail_.cuts().bring(one);
    try {
      replay_.rebuild(one, one.saved->log.end());
    } catch (...) {
      const std::string why = text_of_caught();
      if (one.diverged) {
        diverged(one, why);
        return false;
      }
      one.suspended = true;
      all_.fail(std::make_exception_ptr(
          error{errc::diverged, "actor " + world::label(one) + " (" + std::string{one.type->name} +
                                    ") could not be restored: " + why}));
      return false;
    }
    one.needs_replay = one.diverged = false;
    count_notice(one);
    if (!start(one)) return false;
    // The snapshot may hold the answer itself, in flight. A run that has ended must not begin
    // again: the handler goes on with the answer, and the two would have their effects at the same
    // time.
    for (auto& each : replay_.unfinished()) {
      const slot* found = one.find_slot(each.number);
      const bool ended = found == nullptr || found->arrived || one.box.has_reply(each.number);
      sometimes(ended ? "run not begun again" : "run begun again");
      if (!ended) all_.start_run(one.self(), std::move(each));
    }
    interrupt_lost_asks(all_, mail_, one);
    return true;
  }

  void suspend(cell& one, const std::string& why) {
    if (one.suspended) return;
    sometimes(one.busy() ? "actor suspended within a handler" : "actor suspended");
    one.suspended = true;
    one.changed = true;
    mail_.cuts().touch(one);
    all_.tell_of(event_kind::suspended, one, why, errc::failed);
    mine_.ready.push(one);  // asks that wait are told
  }

  void resume(cell& one) {
    if (!one.suspended) return;
    sometimes("actor resumed");
    one.suspended = false;
    if (one.more) one.more->restarts.clear();
    all_.tell_of(event_kind::resumed, one, "resumed");
    if (!one.type->persistent && one.state == nullptr && begin_afresh(one)) one.needs_start = true;
    mine_.ready.push(one);
  }

  /// Retires the actor.
  void stop(cell& one, const std::string& reason) {
    const return_address asker = one.busy() ? one.more->handler.answer : return_address{};
    if (one.busy()) sometimes("actor stopped within a handler");
    replay_.tear_down(one, stop_reason::stopped);
    retire(all_, mine_, mail_, one, reason);
    mail_.refuse(asker, errc::stopped, "the actor stopped before it answered", one.at);
  }

  /// A handler that was handed more than its record may hold is given up before it goes on.
  void give_up_history(cell& one) {
    const std::string text = history_text(all_.max_history);
    sometimes("history exceeded");
    all_.tell_of(event_kind::failed, one, text, errc::history_exceeded);
    try {
      restart(one);
      give_up(one, text);
    } catch (...) {
      diverged(one, text_of_caught());
    }
  }

 private:
  /// An orderly end waits for the suspended handler that a commit's notice began.
  void count_notice(cell& one) {
    if (!one.busy() || one.more->handler.index != one.type->commit_index()) return;
    if (!one.more->handler.notice) one.more->handler.notice = notice_token{all_.notices};
  }

  void ended(cell& one) {
    turn& here = mine_.here;
    count_notice(one);
    if (one.saved) {
      log_entry& made = one.saved->log.append_bytes(log_kind::turn, {});
      made.number = here.digest;
      made.ticket = here.values;
      made.effects = here.effects;
    }
    if (one.more) one.more->attempts = 0;
    const bool stops = here.stop;
    const std::string reason = std::move(here.stop_reason);
    mail_.flush(one);
    here.clear();
    if (stops) stop(one, reason);
  }

  void failed(cell& one, const std::exception_ptr& thrown) {
    mine_.here.clear();
    const notice_token until_decided{all_.notices};  // it may be such a handler, and go on
    const std::string text = text_of(thrown);
    all_.tell_of(event_kind::failed, one, text, errc::failed);
    decision what = one.policy->decide(thrown);
    const bool first = one.rest().attempts++ == 0 && what == decision::restart;
    const bool exceeded = first && !may_restart(all_.steady_now(), one);
    if (exceeded) what = decision::suspend;
    const std::string why = exceeded ? exceeded_text(*one.policy, text) : text;
    worker_counters::add(mine_.counters.restarts, first ? 1 : 0);
    if (!one.type->persistent) {
      lose_turn(one, text, what, why);
      return;
    }
    one.saved->log.truncate(after_entry_);
    try {
      restart(one);
      go_on(one, text, what, why);
    } catch (...) {  // what restores the actor is its own code too
      const std::string other = text_of_caught();
      keep_input(one);
      diverged(one, other);
    }
  }

  /// The actor stands before the failing turn.
  void go_on(cell& one, const std::string& text, decision what, const std::string& why) {
    if (one.suspended) {  // its on_start failed
      put_back(one, text);
    } else if (what == decision::suspend) {
      put_back(one, text);
      suspend(one, why);
    } else if (what == decision::stop) {
      give_up(one, text);
      stop(one, text);
    } else if (what == decision::restart && one.more->attempts <= one.policy->attempts) {
      all_.tell_of(event_kind::restarted, one, "the failing turn is tried again");
      try_again(one);
      // What was replayed is not replayed again: the next message finds a new base.
      if (one.saved && !one.busy()) one.saved->replayed = true;
    } else {
      give_up(one, text);
    }
  }

  /// To where the actor stood before the failing turn.
  void restart(cell& one) {
    sometimes(one.busy() ? "suspended handler restarted" : "handler restarted");
    const auto entry = entry_;
    replay_.rebuild(one, entry);
    one.life = next(one.life);
    one.changed = true;
    (void)start(one);
  }

  void try_again(cell& one) {
    auto at = entry_;
    const log_entry& entry = *one.saved->log.next(at);
    envelope_ptr message;
    std::coroutine_handle<> waiter;
    try {
      if (entry.kind == log_kind::message) {
        message = replay_.message_of(one, entry);
      } else {
        waiter = replay_.hand_over(one, entry);
      }
    } catch (...) {                                           // it cannot be copied once more
      if (is_thrown<error>(std::current_exception())) throw;  // the replay went another way
      return give_up(one, text_of_caught());
    }
    if (message) {
      one.consumed = next(one.consumed);
      run(one, [&] { one.type->handlers[message->index].begin(one, mine_.here, *message); });
    } else {
      run(one, [&] {
        if (waiter) waiter.resume();
      });
    }
  }

  /// Precondition: the actor stands before the failing turn, whose input is last in the log.
  void give_up(cell& one, const std::string& text) {
    cairn::dead_letter letter = letter_of(one);
    const return_address asker = one.busy() ? one.more->handler.answer : answer_;
    sometimes(one.busy() ? "suspended handler given up" : "message given up");
    buffer state;
    try {
      one.type->encode(one, state);
    } catch (...) {  // it cannot stand without its log
      const std::string why = "its state could not be serialized: " + text_of_caught();
      put_input_back(one);
      suspend(one, why);
      return;
    }
    if (one.busy()) {
      drop_handler(one, state.view());
    } else {
      one.consumed = next(one.consumed);
    }
    cutter::renew_base(one, std::move(state));
    one.more->attempts = 0;
    mail_.report_dead(one, std::move(letter), one.self().id, errc::failed, text);
    all_.tell_of(event_kind::given_up, one, text, errc::failed);
    mail_.refuse(asker, errc::failed, text, one.at);
  }

  /// The state is taken before the frame is destroyed; what its destructors do is discarded.
  void drop_handler(cell& one, bytes_view state) {
    const auto position = one.consumed;
    const auto number = one.next_number;
    replay_.tear_down(one, stop_reason::restart);
    const scoped_current<runtime> scope{current_runtime, &all_};
    one.type->construct(one);
    one.type->decode(one, state);
    one.consumed = position;
    one.next_number = number;
    std::erase_if(one.more->timers, [](const timer& each) { return !each.message; });
    (void)start(one);
  }

  /// The actor will be suspended: a message whose handler has had no turn yet waits in front.
  void put_back(cell& one, const std::string& text) {
    if (one.busy()) {
      give_up(one, text);
      return;
    }
    put_input_back(one);
  }

  void keep_input(cell& one) noexcept {
    try {
      put_input_back(one);
    } catch (...) {  // it cannot be copied
      sometimes("input left in the log");
    }
  }

  /// What the failing turn was given waits again, in front.
  void put_input_back(cell& one) {
    auto at = entry_;
    const log_entry& entry = *one.saved->log.next(at);
    sometimes(entry.kind == log_kind::message ? "message put back" : "answer put back");
    if (entry.kind == log_kind::message) {
      auto message = replay_.message_of(one, entry);
      one.box.done_ticket = message->ticket - 1;
      one.box.queue.push_front(std::move(message));
    } else {
      one.box.replies.push_front(replayer::reply_of(one, entry));
    }
    one.saved->log.truncate(entry_);
    one.more->attempts = 0;
  }

  /// An ephemeral actor has nothing to replay: its message is lost, and it begins afresh or, where
  /// it is to resume, goes on as the failing turn left it.
  void lose_turn(cell& one, const std::string& text, decision what, const std::string& why) {
    sometimes("ephemeral actor restarted");
    const return_address asker = one.busy() ? one.more->handler.answer : answer_;
    cairn::dead_letter letter;
    letter.message = one.busy() ? one.more->handler.what : what_;
    if (what == decision::resume) {
      replay_.drop_frame(one);
    } else {
      replay_.tear_down(one, stop_reason::restart);
    }
    std::erase_if(one.more->timers, [](const timer& each) { return !each.message; });
    one.more->attempts = 0;
    mail_.report_dead(one, std::move(letter), one.self().id, errc::failed, text);
    mail_.refuse(asker, errc::failed, text, one.at);
    if (what == decision::stop) return stop(one, text);
    if (what == decision::resume) return;
    if (!begin_afresh(one)) return;
    if (what == decision::suspend) {
      suspend(one, why);
    } else if (start(one)) {
      all_.tell_of(event_kind::restarted, one, "restarted fresh");
    }
  }

  /// From the arguments of its spawn. False: its constructor threw, and it is suspended without a
  /// state; who resumes it tries again.
  bool begin_afresh(cell& one) {
    one.life = next(one.life);
    try {
      one.more->rebuild(one);
      return true;
    } catch (...) {
      suspend(one, "its constructor failed: " + text_of_caught());
      return false;
    }
  }

  /// Never go on silently: the actor keeps its base and its log and handles nothing.
  void diverged(cell& one, const std::string& why) {
    replay_.tear_down(one, stop_reason::restart);
    one.needs_replay = one.diverged = true;
    one.rest().attempts = 0;
    all_.tell_of(event_kind::diverged, one, why, errc::diverged);
    suspend(one, "replay diverged: " + why);
  }

  world& all_;
  worker& mine_;
  delivery& mail_;
  replayer replay_;
  replay_log::cursor entry_{};  ///< the input of the turn that runs
  replay_log::cursor after_entry_{};
  return_address answer_{};  ///< who asked, of the message whose first turn runs
  std::string_view what_{};
};

}  // namespace cairn::detail
