// How messages reach mailboxes, and how a turn's effects leave.
//
// Runs on the worker `mine`, between turns.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "../dead_letter.hpp"
#include "../supervisor.hpp"
#include "cutter.hpp"
#include "deadly_runs.hpp"
#include "kept_letters.hpp"
#include "letters.hpp"
#include "mailbox_room.hpp"
#include "message_row.hpp"
#include "tracing.hpp"
#include "watching.hpp"

namespace cairn::detail {

class delivery {
 public:
  delivery(world& all, worker& mine) noexcept : all_{all}, mine_{mine}, cut_{all, mine} {}

  [[nodiscard]] cutter& cuts() noexcept { return cut_; }

  /// Whether the actor lives with this worker. pairs with the release in give_away(): what the
  /// former home did to the cell is visible
  [[nodiscard, gnu::always_inline]] bool is_here(const cell& one) const noexcept {
    return one.home.load(std::memory_order_acquire) == &mine_;
  }

  /// Whether it has not stopped. By its home.
  [[nodiscard, gnu::always_inline]] static bool lives_in(const cell& one, actor_id who) noexcept {
    return one.is(who) && one.type != nullptr && !one.stopped;
  }

  /// Sends a stamped message on its way. True: as usual, it is last in its actor's queue now.
  [[gnu::always_inline]] bool send(envelope_ptr message) {
    cell* to = message->to;
    if (to == nullptr) return send_outside(std::move(message)), false;
    if (is_here(*to)) {
      take_incoming(*to);
      return enqueue(*to, std::move(message));
    }
    envelope* only = message.release();
    push(*to, only, only);
    return false;
  }

  /// To somebody outside, who waits for an answer; what else has no receiver is dropped.
  [[gnu::noinline]] void send_outside(envelope_ptr message) {
    if (message->kind == envelope_kind::reply) all_.answer_outside(std::move(message));
  }

  /// Moves what other workers pushed into the private queue.
  [[gnu::always_inline]] void take_incoming(cell& one) {
    if (one.moving) [[unlikely]]
      arrive(one);
    if (!one.box.incoming.seems_empty() || mine_.unopened.whose == &one) [[unlikely]]
      take_all_incoming(one);
  }
  void take_all_incoming(cell& one);  // see arriving.hpp, as what follows
  /// The same before its turns: rows are left for `turns::run_unopened`.
  [[gnu::always_inline]] void take_for_turns(cell& one) {
    if (one.moving) [[unlikely]]
      arrive(one);
    if (!one.box.incoming.seems_empty()) [[unlikely]]
      take_rows(one);
  }
  void take_rows(cell& one);
  bool open_next(cell& one);
  bool take_from_row(envelope& row, std::size_t stride) noexcept;
  void open_rows();
  cutter& begin_stage();

  /// Takes the actors that others queued here, and with them those that were given away.
  void take_wakes() {
    pause_point();
    cell* each = mine_.wakes.take_all();
    while (each != nullptr) {
      cell* after = std::exchange(each->wake_next, nullptr);
      // Cleared before the drain: pairs with the exchange in push(), whose message is then either
      // seen by the drain or queues the actor again.
      each->queued.exchange(false, std::memory_order_seq_cst);
      pause_point();
      take_for_turns(*each);
      mine_.ready.push(*each);
      each = after;
    }
  }

  /// Has the actor's home look at it. See answering.hpp.
  void call_home(cell& to);

  // See burying.hpp, as what follows.
  void refuse(const return_address& asker, errc code, std::string_view text, epoch at);
  void confirm(const return_address& asker, epoch at);
  void confirm(const envelope& word, epoch at);
  void deny(const envelope& word, errc code, epoch at);
  void give_up_lost(epoch committed);

  /// Gives a message up. Precondition: the actor has met it.
  void bury(cell& one, envelope_ptr message, errc code, const std::string& text) {
    bury(one, std::move(message), code, text, one.at);
  }

  void bury(cell& one, envelope_ptr message, errc code, const std::string& text, epoch at);
  void bury_for_stopped(cell& one, envelope_ptr message);
  void bury_for_lost(const envelope& message);
  void report_dead(cell& one, cairn::dead_letter letter, actor_id target, errc code,
                   const std::string& text, epoch at);

  /// Sends a letter to who keeps them, as an effect of a turn of this epoch.
  void keep(epoch at, stored_letter letter) {
    send(letter_for_keeper(all_, mine_, cut_, at, std::move(letter)));
  }

  /// The effects of a turn that has ended well leave together.
  [[gnu::noinline]] void grant_and_send(cell& one) {
    wishes& more = mine_.here.also();
    grant(one, more);
    send_all(mine_, one);
    for (auto& each : more.runs) begin_run(one, std::move(each));
  }
  /// The same of a turn that wants nothing but to send.
  [[gnu::always_inline]] void send_all(worker& mine, cell& one) {
    envelope_chain& outbox = mine.here.outbox;
    while (envelope* first = outbox.front()) {
      cell* to = first->to;
      if (to == nullptr || !mine.reaches(*to) || !fits(*to, *first)) [[unlikely]] {
        if (send_answer(one) || leave_row(one)) continue;
        return send_others(one);
      }
      mine.ready.push(*to);
      if (first->next == nullptr) [[likely]] {  // as of most turns
        outbox.forget();
        first->sent = one.at;
        return put_last(*to, envelope_ptr{first});
      }
      put_run_last(*to, outbox, one.at);
    }
  }
  /// What stands in front for this actor, and is usual. Precondition: the first one is and fits.
  [[gnu::always_inline]] static void put_run_last(cell& to, envelope_chain& outbox,
                                                  epoch sent) noexcept {
    envelope* first = outbox.front();
    envelope* last = first;
    std::size_t count = 1;
    const std::size_t places = places_left(to);
    for (;; ++count) {
      last->sent = sent;
      to.box.give_ticket(*last);
      envelope* each = last->next;
      if (each == nullptr || each->to != &to || each->target != first->target) break;
      if (!each->is_usual() || count >= places) break;
      last = each;
    }
    to.box.queue.append(outbox, last, count);
  }
  bool send_answer(const cell& one) noexcept;  // see answering.hpp
  bool leave_row(const cell& by) noexcept;     // see arriving.hpp
  /// The same from a message on that goes another way.
  [[gnu::noinline]] void send_others(cell& one) {
    const cell* last = nullptr;
    const epoch sent = one.at;  // of the turn: what is taken in on the way may have the actor cut
    while (!mine_.here.outbox.empty()) {
      auto message = mine_.here.outbox.pop_front();
      message->sent = sent;
      cell* to = message->to;
      if (to == last && to != nullptr && fits(*to, *message)) {
        put_last(*to, std::move(message));
      } else if (is_held(*message)) {
        hold(std::move(message));
      } else if (to != nullptr && !is_here(*to)) {
        push_run(std::move(message));
      } else {
        last = send(std::move(message)) ? to : nullptr;
      }
    }
  }

  /// An output waits for its commit.
  [[gnu::noinline]] void hold(envelope_ptr message) {
    all_.has_outputs.store(true, std::memory_order_relaxed);  // ordered by the sweep
    sometimes("answer held until its commit");
    const epoch of = message->sent;
    mine_.held.push_back({of, std::move(message)});
  }

  /// What comes before anything is sent.
  [[gnu::noinline]] void grant(cell& one, wishes& more) {
    for (auto& each : more.born) welcome(one, each);
    more.born.clear();
    arm_all(one);
    for (const auto number : more.cancelled) cancel_reminder(one, number);
    for (const auto& each : more.watches) keep_watch(one, each, all_.lost);
  }

  void begin_run(cell& one, outside_run work) {
    warn_of_run(all_, one, work);
    show_end(mine_);
    if (!work.when_committed) return all_.start_run(one.self(), std::move(work));
    all_.has_outputs.store(true, std::memory_order_relaxed);  // ordered by the sweep
    sometimes("run waits for its commit");
    mine_.held_runs.push_back({one.at, one.self(), std::move(work)});
  }

  // See answering.hpp, all three.
  void arm_all(cell& one);
  void arm(cell& one, new_timer& each);
  void arm_asks(cell& one);

  /// An ask has timed out: an event will say who waited for whom.
  void trace_timeout(cell& one, const slot& asked) { trace_on(trace_of(all_, one, asked)); }

  /// Outputs of a committed epoch leave.
  void release_held(epoch committed) {
    while (!mine_.held.empty() && mine_.held.front().of <= committed) {
      envelope_ptr message = std::move(mine_.held.front().message);
      mine_.held.pop_front();
      send(std::move(message));
    }
    while (!mine_.held_runs.empty() && mine_.held_runs.front().of <= committed) {
      all_.start_run(mine_.held_runs.front().by, std::move(mine_.held_runs.front().work));
      mine_.held_runs.pop_front();
    }
  }

  /// Puts a message at the end of the private queue; the actor is at home here. True: as usual.
  [[gnu::always_inline]] bool enqueue(cell& one, envelope_ptr message) {
    // What is of the next epoch touches the actor in that epoch, or its snapshot passes it by.
    if (message->sent > mine_.seen) [[unlikely]] {
      sometimes(one.busy() ? "next epoch comes with a message for a suspended handler"
                           : "next epoch comes with a message");
      cut_.acknowledge(message->sent);
    }
    if (fits(one, *message)) [[likely]] {
      cut_.touch(one);
      put_last(one, std::move(message));
      mine_.ready.push(one);
      return true;
    }
    enqueue_otherwise(one, std::move(message));
    return false;
  }

 private:
  struct arrivals;

  /// Whether nothing is to be thought of but to put it into the queue.
  [[nodiscard, gnu::always_inline]] static bool fits(const cell& one,
                                                     const envelope& message) noexcept {
    return message.is_usual() && lives_in(one, message.target) && has_room(one);
  }
  [[gnu::always_inline]] static void put_last(cell& one, envelope_ptr message) noexcept {
    one.box.give_ticket(*message);
    one.box.queue.push_back(std::move(message));
  }

  [[gnu::noinline]] void enqueue_otherwise(cell& one, envelope_ptr message) {
    if (message->kind == envelope_kind::row) return unpack(one, *message);
    if (message->kind == envelope_kind::reply && message->answer.number == trace_number) {
      return trace_on(pass_on(all_, one, std::move(message)));
    }
    if (!lives_in(one, message->target)) return bury_arrived(one, std::move(message));
    if (message->kind == envelope_kind::reply) {
      const bool wakes = message->answer.number == wake_number;
      if (wakes && !one.dormant) return wake_others(*message);
      if (!wakes) cut_.touch(one);  // waking changes nothing
      // What it overtakes, and what comes after it: see control_words::forget_resumes().
      if (is_hold(*message)) message->ticket = one.box.last_ticket + 1;
      one.box.add_reply(std::move(message));
    } else if (is_full(one, *message)) {
      overflow(one, std::move(message));
    } else {
      cut_.touch(one);
      if (message->reserved && one.more && one.more->reserved_room > 0) --one.more->reserved_room;
      put_last(one, std::move(message));
    }
    mine_.ready.push(one);
  }

  // See answering.hpp, both.
  [[nodiscard]] static bool is_coarse(const new_timer& each) noexcept;
  [[nodiscard]] std::chrono::nanoseconds coarse_now(std::chrono::nanoseconds read) const noexcept;

  void trace_on(envelope_ptr trace) {
    if (!trace) return;
    aim(*trace);
    send(std::move(trace));
  }

  /// What follows in the outbox for the same actor goes with it: one push for all of them, and what
  /// is alike as one row.
  [[gnu::noinline]] void push_run(envelope_ptr first) {
    envelope_chain& more = mine_.here.outbox;
    cell& to = *first->to;
    const epoch sent = first->sent;
    envelope* oldest = gather_row(first.release(), more, mine_.rooms);
    envelope* newest = oldest;
    while (!more.empty() && more.front()->to == &to && !is_held(*more.front())) {
      envelope* each = more.pop_front().release();
      each->sent = sent;
      each = gather_row(each, more, mine_.rooms);
      each->next = std::exchange(newest, each);
      ++mine_.sent_away;
    }
    push(to, newest, oldest);
  }

  [[gnu::noinline]] void push(cell& to, envelope* newest, envelope* oldest) {
    ++mine_.sent_away;
    pause_point();
    to.box.incoming.push_run(newest, oldest);
    call_home(to);
  }

  /// Takes over an actor that was given away.
  [[gnu::noinline]] void arrive(cell& one) {
    one.moving = false;
    worker_counters::add(mine_.counters.actors, 1);
    cut_.take_over(one);
  }

  /// Late messages are exempt, like restored ones: the open snapshot has them as waiting.
  [[nodiscard]] bool is_full(const cell& one, const envelope& message) const noexcept {
    if (mine_.open && message.sent < mine_.seen) return false;
    return message.kind == envelope_kind::message && !message.reserved && !has_room(one);
  }

  [[nodiscard]] bool may_leave_rows(const cell& one) const noexcept;
  [[nodiscard]] bool may_be_late(epoch sent) const noexcept;
  void unpack(cell& one, envelope& row);
  void overflow(cell& one, envelope_ptr message);
  void bury_arrived(cell& one, envelope_ptr message);
  bool answer_for(const envelope& message, errc code, const std::string& text, epoch at);
  void bury_control(const envelope& message, errc code, epoch at);
  void wake_others(const envelope& word);
  [[nodiscard]] std::string reason_of(actor_id gone, errc code) const;

 public:
  /// Tells a watcher or a parent, whose mailbox may be full: it is told once and must not miss it.
  /// Precondition: its protocol lists `Note`.
  template <class Note>
  void tell(const address& who, Note note, epoch at) {
    if (who.where == nullptr) return;
    auto message = make_envelope(std::move(note));
    message->to = who.where;
    message->target = who.id;
    message->index = any_index;
    message->reserved = true;
    message->sent = at;
    send(std::move(message));
  }

  /// The receiver finds the handler by the message's type.
  static constexpr std::uint16_t any_index = 0xffff;

 private:
  // See welcoming.hpp, as what follows.
  void welcome(cell& parent_cell, const newborn& born);
  void come_again(cell& made);

 public:
  void greet(cell& made);

 private:
  world& all_;
  worker& mine_;
  cutter cut_;
  arrivals* arriving_ = nullptr;
};

}  // namespace cairn::detail

#include "answering.hpp"
#include "arriving.hpp"
#include "burying.hpp"
#include "welcoming.hpp"
