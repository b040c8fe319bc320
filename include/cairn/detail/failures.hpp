// A turn that throws has had no effect: what the supervisor's decision comes to.
//
// Restart: the incarnation is torn down, its base restored, what it consumed since replayed, and
// the failing turn tried again with the same input. After its attempts the message is given up.
#pragma once

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "letters.hpp"
#include "turn_inputs.hpp"
#include "watching.hpp"

namespace cairn::detail {

/// How a turn has ended.
enum class turn_end : std::uint8_t {
  quiet,      ///< well, and it has not even sent
  sending,    ///< well, and it had no effect but to send; nothing else of the actor has changed
  otherwise,  ///< more is to be looked at
};

class failures : public turn_inputs {
 public:
  using turn_inputs::turn_inputs;

  /// Runs one turn. Its effects leave when it ends well; else the supervisor decides.
  template <class Body>
  [[gnu::always_inline]] turn_end run(worker& mine, cell& one, Body&& body) {
    if (ends_well(mine, one, body)) [[likely]]
      return ended(mine, one);
    failed(one, std::exchange(thrown_, nullptr));
    return turn_end::otherwise;
  }

  /// The hook of a birth, at once: what waits in the mailbox comes after it.
  void be_born(cell& one) {
    if (!one.type->has_birth || one.suspended) return;
    if (is_being_born(one)) {
      sometimes("reset before its birth");
      return;  // its first birth is still to come
    }
    begin_at_once(one, note_to_itself(one, birth_note{}, one.type->birth_index()));
  }

  /// The same as the first message of its mailbox: one that stops its actor again is not within the
  /// turn that has.
  void be_born_next(cell& one) {
    if (!one.type->has_birth || one.suspended || is_being_born(one)) return;
    put_in_front(one, note_to_itself(one, birth_note{}, one.type->birth_index()));
    mine_.ready.push(one);
  }

  /// Stops an actor, and its children before it.
  void stop_with_family(cell& one, std::string_view reason, const return_address& asker = {}) {
    if (may_stop_family(all_, one)) {
      auto word = note_to_itself(one, stop_all{std::string{reason}}, one.type->stop_index());
      word->answer = asker;
      return begin_at_once(one, std::move(word));
    }
    stop(one, reason);
    mail_.confirm(asker, one.at);
  }

  /// A handler that was handed too much, or that the process dies of, is given up first.
  void give_up_handler(cell& one, errc code, const std::string& text) {
    sometimes(code == errc::history_exceeded ? "history exceeded" : "deadly handler given up");
    all_.tell_of(event_kind::failed, one, text, code);
    try {
      restart(one);
      give_up(one, text);
    } catch (...) {
      keep_input(one);
      cannot_replay(one, true);
    }
  }

 private:
  /// What waits in the mailbox comes after it.
  void begin_at_once(cell& one, envelope_ptr note) {
    begin_turn(one, *note);
    one.consumed = next(one.consumed);
    run(mine_, one, [&] { one.type->handlers[note->index].begin(one, mine_.here, *note); });
  }

  template <class Body>
  [[gnu::always_inline]] bool ends_well(worker& mine, cell& one, Body& body) {
    const scoped_current<turn> scope{current_turn, &mine.here};
    mine.here.self = &one;
    try {
      body();
      settle(one, mine.here);
      return true;
    } catch (...) {
      thrown_ = std::current_exception();
      return false;
    }
  }

  [[gnu::always_inline]] turn_end ended(worker& mine, cell& one) {
    turn& here = mine.here;
    const bool usual = !here.wants_more() && (!one.more || rests(*one.more, here));
    if (!usual || (here.input == nullptr && !end_in_log(one, here))) {
      return ended_otherwise(one), turn_end::otherwise;
    }
    const bool quiet = here.outbox.empty();
    mail_.send_all(mine, one);
    here.clear_sent();
    return quiet ? turn_end::quiet : turn_end::sending;
  }

  /// Whether a turn has left nothing to do of what most actors never need.
  [[nodiscard, gnu::always_inline]] static bool rests(const extra& more,
                                                      const turn& here) noexcept {
    return !more.handler.running && more.attempts == 0 && !here.asks();
  }

  /// The same of a turn that has to do with more than what it was given and what it sends.
  [[gnu::noinline]] void ended_otherwise(cell& one) {
    turn& here = mine_.here;
    if (one.more) {
      count_notice(one);
      one.more->attempts = 0;
    }
    // Nobody will run again what an actor does that stops, unless it is to stop others before.
    const bool ends = !one.more && here.wants_more() && here.also().stop;
    if (!ends && (here.input == nullptr || one.busy())) end_logged(one, here);
    if (here.wants_more()) [[unlikely]] {
      mail_.grant_and_send(one);
      if (here.also().stop) return end_by_itself(one);
      if (here.also().then) return begin_at_once(one, take_next(here, one));
    } else {
      if (here.asks()) mail_.arm_asks(one);  // first: what it sends may lead to its cut
      mail_.send_all(mine_, one);
    }
    here.clear();
  }

  void end_by_itself(cell& one) {
    const std::string given = std::move(mine_.here.also().stop_reason);
    const std::string_view reason = given.empty() ? usual_stop : std::string_view{given};
    const bool childless = mine_.here.also().childless;
    mine_.here.clear();
    const bool again = one.more && one.more->declared.restart == permanent;
    childless ? stop(one, reason)  // whose children were stopped first was told to stop
    : again   ? begin_again(one, reason)
              : stop_with_family(one, reason);
  }

  void failed(cell& one, const std::exception_ptr& thrown) {
    const std::string text = text_of(thrown);  // before the log takes what it may tell of
    if (mine_.here.has_log()) {
      mine_.here.log_input();
      one.saved->log.truncate_behind(entry_);  // it will be handed anew what it was handed besides
    }
    mine_.here.clear();
    const notice_token until_decided{all_.notices};  // it may be such a handler, and go on
    all_.tell_of(event_kind::failed, one, text, errc::failed);
    if (is_thrown<unreadable>(thrown)) return (void)(one.suspended = true);  // see incarnations
    const ruling found = judge(all_, mine_, one, thrown, text, one.rest().attempts);
    if (!one.type->persistent) {
      lose_turn(one, text, found);
      return;
    }
    try {
      restart(one);
      go_on_as(one, text, found);
    } catch (...) {  // what restores the actor is its own code too
      const bool open = is_within(one, entry_);
      keep_input(one);
      one.more->fault = text;
      cannot_replay(one, open);
    }
  }

  /// The actor stands before the failing turn.
  void go_on_as(cell& one, const std::string& text, const ruling& found) {
    const bool may_retry = one.more->attempts <= one.policy->attempts;
    if (found.what == decision::resume || (found.what == decision::restart && !may_retry)) {
      give_up(one, text);
    } else if (found.what == decision::rollback) {
      put_back(one, text);
      obey(one, found);
    } else if (found.others || found.delay.count() > 0) {
      if (wait_in_front(one, text)) obey(one, found);
    } else if (is_long_row(one, found)) {
      if (!wait_in_front(one, text)) return;
      tell_restarted(one, "the failing turn is tried again, after others have had theirs");
      obey(one, found);
    } else if (found.what == decision::restart) {
      start_and_try_again(one, text);
    } else {
      found.what == decision::stop ? give_up(one, text) : put_back(one, text);
      obey(one, found);
    }
  }

  /// Tries within tries: after some of them the others have their turns first.
  [[nodiscard]] static bool is_long_row(const cell& one, const ruling& found) noexcept {
    return found.what == decision::restart && one.more->attempts % most_tries_at_once == 0;
  }

  void start_and_try_again(cell& one, const std::string& text) {
    const auto began = all_.steady_now();
    const bool in_birth = was_being_born(one);  // its start is still to come
    if (const auto unstarted = in_birth ? std::nullopt : try_start(one)) {
      (void)wait_in_front(one, text);
      return obey(one, *unstarted);
    }
    one.rest().restarted.whole += all_.steady_now() - began;
    tell_restarted(one, "the failing turn is tried again");
    try_again(one);
    // What was replayed is not replayed again: the next message finds a new base.
    if (one.saved && !one.busy()) one.saved->replayed = true;
  }
  /// Precondition: the actor stands before the failing turn.
  [[nodiscard]] bool was_being_born(cell& one) const {
    if (one.busy() || !one.type->has_birth) return is_being_born(one);
    auto at = entry_;
    const log_entry entry = *one.saved->log.next(at);
    return entry.kind == log_kind::message && entry.index == one.type->birth_index();
  }

  /// What the failing turn was given waits in front. False: it cannot be copied, and is given up.
  bool wait_in_front(cell& one, const std::string& text) {
    try {
      put_input_back(one);
      one.more->fault = text;
      return true;
    } catch (...) {
      give_up(one, text);
      return false;
    }
  }

  /// A permanent actor has stopped itself.
  void begin_again(cell& one, std::string_view reason) {
    sometimes("permanent actor begins again");
    ruling found{
        decision::resume, 0, one.policy->groups(), {}, "it stopped itself: " + std::string{reason}};
    worker_counters::add(mine_.counters.restarts, 1);
    if (!found.others && !may_restart(all_.steady_now(), one)) {
      found = exceeded(*one.policy, exceeded_text(*one.policy, found.why));
    }
    if (found.what == decision::stop) return stop(one, found.why);
    reset(one);
    be_born_next(one);  // also where it is only resumed some day
    if (found.what == decision::suspend) return suspend(one, found.why);
    if (found.others && !one.suspended) tell_supervisor(one, found);
  }

  /// To where the actor stood before the failing turn.
  void restart(cell& one) {
    sometimes(one.busy() ? "suspended handler restarted" : "handler restarted");
    const auto began = all_.steady_now();
    try_replay(one, [&] { replay_.rebuild(one, entry_); });
    one.life = next(one.life);
    one.changed = one.needs_start = true;  // it starts when it goes on
    note_restart(one, began, replay_.messages());
  }

  void try_again(cell& one) {
    auto at = entry_;
    const log_entry entry = *one.saved->log.next(at);
    replay_.show(one, entry);  // the replay has shown others meanwhile
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
      run(mine_, one, [&] { one.type->handlers[message->index].begin(one, mine_.here, *message); });
    } else {
      run(mine_, one, [&] {
        if (waiter) waiter.resume();
      });
    }
  }

  /// Precondition: the actor stands before the failing turn, whose input is last in the log.
  void give_up(cell& one, const std::string& text) {
    cairn::dead_letter letter = letter_of(one);
    const return_address asker = one.busy() ? one.more->handler.answer : given_->answer;
    sometimes(one.busy() ? "suspended handler given up" : "message given up");
    buffer state;
    try {
      one.type->encode(one, state);
    } catch (...) {  // it cannot stand without its log
      const std::string why = "its state could not be serialized: " + text_of_caught();
      put_input_back(one);
      one.more->attempts = 0;
      suspend(one, why);
      return;
    }
    if (one.busy()) {
      drop_handler(one, state.view());
    } else {
      one.consumed = next(one.consumed);
    }
    renew_base(one, std::move(state));
    one.more->attempts = 0;
    mail_.report_dead(one, std::move(letter), one.self().id, errc::failed, text, one.at);
    all_.tell_of(event_kind::given_up, one, text, errc::failed);
    mail_.refuse(asker, errc::failed, text, one.at);
  }

  /// The actor will be suspended: a message whose handler has had no turn yet waits in front.
  void put_back(cell& one, const std::string& text) {
    if (one.busy()) {
      give_up(one, text);
      return;
    }
    put_input_back(one);
    one.more->attempts = 0;
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
    const log_entry entry = *one.saved->log.next(at);
    sometimes(entry.kind == log_kind::message ? "message put back" : "answer put back");
    if (entry.kind == log_kind::message) {
      put_in_front(one, replay_.message_of(one, entry));
    } else {
      one.box.put_back(replayer::reply_of(one, entry));
    }
    one.saved->log.truncate(entry_);
  }

  static void put_in_front(cell& one, envelope_ptr message) noexcept {
    if (message->ops == &ops_of<birth_note>) message->reserved = true;  // it is not dropped
    one.box.put_in_front(std::move(message));
  }

  /// An ephemeral actor has nothing to replay: its message is lost, and it begins afresh or, where
  /// it is to resume, goes on as the failing turn left it.
  void lose_turn(cell& one, const std::string& text, const ruling& found) {
    sometimes("ephemeral actor restarted");
    const auto began = all_.steady_now();
    const return_address asker = one.busy() ? one.more->handler.answer : given_->answer;
    cairn::dead_letter letter;
    letter.message = one.busy() ? one.more->handler.what : given_->ops->name;
    if (found.what == decision::resume) {
      replay_.drop_frame(one);
    } else {
      replay_.tear_down(one, stop_reason::restart);
    }
    std::erase_if(one.more->timers, [](const timer& each) { return !each.message; });
    one.more->attempts = 0;
    mail_.report_dead(one, std::move(letter), one.self().id, errc::failed, text, one.at);
    mail_.refuse(asker, errc::failed, text, one.at);
    if (found.what == decision::resume) return;
    if (found.what == decision::stop && !found.others) return stop(one, found.why);
    if (!begin_afresh(one)) return;
    one.needs_start = true;
    note_restart(one, began, 0);
    if (found.what == decision::rollback) {
      roll_back_once(world::label(one) + " failed: " + found.why);
    } else if (found.what != decision::restart || found.others || found.delay.count() > 0) {
      return obey(one, found);
    }
    if (!start(one)) return;
    note_restart(one, began, 0);
    tell_restarted(one, "restarted fresh");
  }

  std::exception_ptr thrown_{};  ///< what a turn has just ended with
};

}  // namespace cairn::detail
