// One worker runs its actors: what stands in a mailbox becomes turns.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "deadly_messages.hpp"
#include "delivery.hpp"
#include "failures.hpp"
#include "firing.hpp"
#include "intake.hpp"
#include "replay.hpp"
#include "resting.hpp"
#include "tombs.hpp"
#include "waiting_mail.hpp"
#include "waking.hpp"
#include "words.hpp"

namespace cairn::detail {

class turns {
 public:
  turns(world& all, worker& mine)
      : all_{all},
        mine_{mine},
        mail_{all, mine},
        intake_{all, mine, mail_},
        fail_{all, mine, mail_},
        words_{mail_, fail_},
        waiting_{mine, mail_, words_},
        tombs_{all, mine},
        deadly_{all, mine, mail_, fail_} {}

  [[nodiscard]] delivery& mail() noexcept { return mail_; }
  [[nodiscard]] intake& outside() noexcept { return intake_; }
  [[nodiscard]] tombs& buried() noexcept { return tombs_; }

  /// Runs a ready actor for a bounded number of turns.
  [[gnu::noinline]] void activate(cell& one) { activate_here(mine_, one); }
  /// The same, for the one place where all actors are run. `mine`, here and in what it leads to, is
  /// this worker: each part of a turn refers to it by itself, and who reads them all cannot know.
  [[gnu::always_inline]] void activate_here(worker& mine, cell& one) {
    mail_.take_for_turns(one);
    show_actor(mine, one);
    if (take_turns(mine, one) || mine.unopened.whose == &one) mine.ready.push(one);
    if (one.leads && has_started(one)) [[unlikely]]
      lead_on(one);
  }

  /// Timers that are due fire at their actors' home; while all pause, only the root task's.
  void fire_timers() {
    mine_.now = all_.time->steady();
    mine_.coarse = all_.time->coarse();
    while (!mine_.timers.empty() && mine_.timers.front().due <= mine_.now) {
      const due_timer due = mine_.take_timer();
      cell& one = *due.of.where;
      // pairs with the release in give_away(); an actor with timers is never given away
      if (!one.is(due.of.id) || one.home.load(std::memory_order_acquire) != &mine_) continue;
      if (mine_.still && one.slot_index != 1) {
        mine_.overdue.push_back(due);
      } else {
        fire_due(one, due.due);
      }
    }
  }

  /// What waits for the commit of that epoch waits no longer.
  void take_commit(epoch committed) {
    go_on();
    mail_.release_held(committed);
    mail_.give_up_lost(committed);
    forget_retained(mine_, committed);
    tell_listeners(committed);
  }

  /// The snapshot at rest is over.
  void go_on() {
    for (cell* each : std::exchange(mine_.rested, {})) mine_.ready.push(*each);
  }

 private:
  /// A commit is told to the actors that want to know: an ordinary message of the present epoch.
  /// Not of an epoch in which nothing but such notices was handled, or it would never end.
  void tell_listeners(epoch committed) {
    if (!all_.substantial.load(std::memory_order_relaxed)) return;  // ordered by the stages
    std::erase_if(mine_.listeners, [](const address& who) { return !who.where->is(who.id); });
    for (const address& who : mine_.listeners) {
      if (!who.where->stopped && !who.where->suspended) tell_listener(*who.where, committed);
    }
  }

  void tell_listener(cell& one, epoch committed) {
    auto note = make_envelope(commit_note{raw(committed), notice_token{all_.notices}});
    note->index = one.type->commit_index();
    note->to = &one;
    note->target = one.self().id;
    note->sent = mine_.seen;
    note->reserved = true;  // the bound is for the actor's own messages
    mail_.send(std::move(note));
  }

  /// False: there is nothing more to do.
  [[gnu::always_inline]] bool take_turns(worker& mine, cell& one) {
    for (left_ = all_.budget; left_ > 0; --left_) {
      mine.looked = {};
      if (pause_before(one) && advance(mine, one)) continue;
      return mine.here.yields && std::exchange(mine.here.yields, false);
    }
    return true;
  }

  /// Who comes after this one wakes.
  void lead_on(cell& one) {
    one.leads = false;
    if (one.more) wake_next(mail_, mine_, std::exchange(one.more->wakes, {}));
  }

  /// One turn, or one message that becomes none. False: there is nothing to do.
  [[gnu::always_inline]] bool advance(worker& mine, cell& one) {
    if (one.type == nullptr || one.hindered() || !one.box.replies.empty() || one.busy())
        [[unlikely]] {
      return advance_otherwise(one);
    }
    bool goes_on = false;
    if (!one.box.queue.empty()) [[likely]] {
      if (has_to_rest(one)) [[unlikely]]
        return false;
      goes_on = consume(mine, one, one.box.queue.pop_front());
    } else {
      if (mine.unopened.whose != &one) return false;
      if (all_.resting.load(std::memory_order_relaxed)) return advance_otherwise(one);
      goes_on = run_unopened(mine, one);
    }
    const bool more = !one.box.empty() || one.hindered() || mine.unopened.whose == &one;
    return goes_on && more && !mine.here.yields;
  }

  /// The same where more than the next message of the mailbox is to be looked at.
  [[gnu::noinline]] bool advance_otherwise(cell& one) {
    if (mine_.unopened.whose == &one) mail_.open_rows();
    if (one.type != nullptr && !one.hindered() && one.box.has_answer()) return hand_over(one);
    if (one.type == nullptr || one.stopped) return tombs_.leave(one), false;
    if (one.retired) return fail_.retire_type(one), true;
    if (one.dormant) return wake_up(one);
    if (one.careful > caution::messages && !one.suspended && deadly_.hold_back(one)) return true;
    if (has_to_replay(one) && !deadly_.resume_restored(one))
      return one.box.has_word() || one.stopped;
    if (one.box.has_word()) return obey_word(one), true;
    if (one.suspended || one.paused) return waiting_.look(one);
    // Also within a handler, of one that could not start at first.
    if (one.needs_start && !fail_.start_at_last(one)) return true;
    if (!one.box.replies.empty()) return hand_over(one);
    if (one.busy() && !reaches_busy(one)) return false;
    if (one.box.queue.empty() || has_to_rest(one)) return false;
    return consume(mine_, one, one.box.queue.pop_front());
  }

  [[nodiscard]] bool hand_over(cell& one) {
    take_reply(one);
    return (!one.box.empty() || one.hindered()) && !mine_.here.yields;
  }

  /// Where that has failed, its supervisor may have to decide first.
  [[nodiscard]] static bool has_to_replay(const cell& one) noexcept {
    return one.needs_replay && !one.suspended && !(one.paused && one.diverged);
  }

  [[nodiscard, gnu::always_inline]] bool has_to_rest(cell& one) {
    // Relaxed: who begins one handler more is counted at the next look.
    return all_.resting.load(std::memory_order_relaxed) && rests(one);
  }
  /// False: it may go on.
  [[nodiscard, gnu::noinline]] bool rests(cell& one) {
    if (!must_rest(one)) return false;
    sometimes("message waits for a snapshot at rest");
    mail_.open_rows();
    mine_.rested.push_back(&one);
    return true;
  }

  /// A restored actor sleeps until its supervisor is declared.
  bool wake_up(cell& one) {
    envelope_list kept;
    bool killed = false;
    bool below = false;
    if (take_rousing(one)) one.dormant = false;
    while (!one.box.replies.empty()) {
      auto each = one.box.replies.pop_front();
      if (each->answer.number == wake_number && each->code == errc::ok) {
        one.dormant = false;
        const wake_note& note = note_of_wake(*each);
        below |= note.below;
        if (note.order == nullptr) continue;
        one.leads = true;
        one.rest().wakes = note;
      } else {
        killed |= is_kill(*each);
        kept.push_back(std::move(each));
      }
    }
    one.box.replies = std::move(kept);
    if (killed && one.dormant) {
      // Who stops what is above it does not wait for a declaration that may never come. What is
      // below is to stop as well.
      sometimes("undeclared supervisor stopped with the one above");
      one.dormant = false;
      below = true;
    }
    if (one.dormant) return sometimes("dormant actor sleeps on"), false;
    if (one.more) one.more->to_wake = false;
    if (below) wake_children(mail_, mine_, one);
    if (!one.on_disk || one.known_since != epoch{}) return true;  // spawned beside restored ones
    sometimes(one.suspended ? "suspended actor woken" : "dormant actor woken");
    if (one.more) {
      for (const timer& each : one.more->timers) mine_.look_at(one, each.next());
    }
    mail_.greet(one);
    for (envelope* each = one.box.queue.front(); each != nullptr; each = each->next) {
      if (!is_notice(*each)) continue;
      static_cast<commit_note*>(each->payload())->counted = notice_token{all_.notices};
    }
    if (one.type->has_commit && !one.suspended)
      tell_listener(one, epoch{all_.committed.load(std::memory_order_relaxed)});  // a number
    return true;
  }

  /// False: it goes on when it is made ready again.
  [[gnu::always_inline]] bool consume(worker& mine, cell& one, envelope_ptr message) {
    cut().meet(mine, one, *message);
    one.changed = true;
    one.box.done_ticket = message->ticket;
    bool goes_on = true;
    if (one.is(message->target) && (message->is_usual() || message->is_plain())) [[likely]] {
      goes_on = begin(mine, one, std::move(message));
    } else {
      consume_otherwise(one, std::move(message));
    }
    words_.give_room(one);
    return goes_on;
  }

  /// What begins no handler.
  [[gnu::noinline]] void consume_otherwise(cell& one, envelope_ptr message) {
    if (!one.is(message->target)) {
      mail_.bury(one, std::move(message), errc::stopped, "the actor is stopped");
    } else if (message->spoilt) {
      mail_.bury(one, std::move(message), errc::misuse, "the message could not be serialized");
    } else if (message->code != errc::ok) {
      sometimes("ask dropped that was answered while its actor was suspended");
    } else {
      words_.obey(one, *message);
    }
  }

  // See beginning.hpp, as what follows.
  bool begin(worker& mine, cell& one, envelope_ptr message);
  class queued;
  class in_rows;
  template <class Source>
  bool run_one(worker& mine, cell& one, const handler& meant, Source& from);
  template <class Source>
  bool begin_next(worker& mine, cell& one, const handler& meant, Source& from, bool& goes_on);
  template <class Source>
  bool run_row(worker& mine, cell& one, const handler& meant, Source& from);
  bool run_behind(worker& mine, cell& one, const handler& meant, queued& from);
  bool run_unopened(worker& mine, cell& one);
  bool begin_with_log(cell& one, envelope_ptr& message);
  bool find_its_handler(cell& one, envelope_ptr& message);

  /// The same where more than the message and the state, or its log, is to be looked at.
  [[gnu::noinline]] void begin_otherwise(cell& one, envelope_ptr message) {
    if (handler_of(*one.type, *message) == nullptr && !find_its_handler(one, message)) return;
    if (one.careful != caution::none && deadly_.take(one, message)) return;
    if (begin_with_log(one, message)) {
      run_handler(mine_, one, one.type->handlers[message->index], *message);
    }
  }

  [[gnu::always_inline]] void run_handler(worker& mine, cell& one, const handler& meant,
                                          envelope& message) {
    const payload_ops& ops = *message.ops;
    one.consumed = next(one.consumed);
    worker_counters::add(mine.counters.messages, 1);
    worker_counters::add(mine.counters.bytes, ops.size);
    if (&ops != &ops_of<commit_note>) mine.substantial = true;
    fail_.run(mine, one, [&] { meant.begin(one, mine.here, message); });
  }

  void obey_word(cell& one) {
    cut().meet(one, *one.box.replies.front());  // as in take_reply()
    const envelope_ptr word = one.box.replies.pop_front();
    one.changed = true;
    one.is(word->target) ? words_.obey_at_once(one, *word) : mail_.confirm(*word, one.at);
  }

  /// An answer, the end of a sleep or of a run.
  void take_reply(cell& one) {
    // Before it is taken out: a cut says all answers again that still wait, this one too.
    cut().meet(mine_, one, *one.box.replies.front());
    envelope_ptr reply = one.box.replies.pop_front();
    const std::uint64_t number = reply->answer.number;
    slot* found = one.is(reply->target) ? one.find_slot(number) : nullptr;
    if (found == nullptr || found->arrived) {
      sometimes(found == nullptr ? "answer that nobody awaits" : "answer after its timeout");
      return;
    }
    one.changed = true;
    one.disarm(number);
    log_reply(one, reply);
    found->code = reply->code;
    found->value = std::move(reply);
    found->arrived = true;
    if (one.careful != caution::none && deadly_.take_handler(one)) return;
    if (history_of(one) > all_.max_history) {
      fail_.give_up_handler(one, errc::history_exceeded, history_text(all_.max_history));
    } else if (const auto waiter = std::exchange(found->waiter, {})) {
      worker_counters::add(mine_.counters.resumed, 1);
      one.awaits.store(0, std::memory_order_relaxed);  // see awaited_slot::wait()
      fail_.run(mine_, one, [&] { waiter.resume(); });
    }
  }

  /// An answer that cannot be copied for a replay becomes a failure of its ask.
  void log_reply(cell& one, envelope_ptr& reply) {
    try {
      fail_.begin_turn(one, *reply);
    } catch (...) {
      reply = failure_instead(*reply, text_of_caught());
      fail_.begin_turn(one, *reply);
    }
  }

  /// The actor's timers that are due then, in their order; the next one has its place in time.
  void fire_due(cell& one, std::chrono::nanoseconds then) {
    if (!one.more || one.more->next_look != then) return;
    one.more->next_look = no_look;
    if (one.dormant || one.suspended || one.careful == caution::unwritten) return;
    mail_.take_incoming(one);  // it was sent before
    auto& all = one.more->timers;
    for (;;) {
      const auto first = first_due(one);
      if (first == all.end()) return;
      if (first->next() > then) return mine_.look_at(one, first->next());
      fire(one, first);
    }
  }

  /// Removal and enqueueing are one step, after the cut: a snapshot has the timer or what it did.
  void fire(cell& one, std::vector<timer>::iterator found) {
    cut().touch(one);
    cut().bring(one);
    const std::uint64_t number = found->number;
    if (found->kind == timer_kind::every && as_retired(*found->message) == nullptr) {
      return fire_again(all_, mail_, one, *found);
    }
    timer due = std::move(*found);
    one.more->timers.erase(found);
    one.changed = true;
    if (const slot* asked = due.ask ? one.find_slot(number) : nullptr) {
      mail_.trace_timeout(one, *asked);
    }
    envelope_ptr message = std::move(due.message);
    if (!message) {
      message = make_envelope(unit{});
      message->kind = envelope_kind::reply;
      message->code = due.ask ? errc::timeout : errc::ok;
      message->answer.number = number;
      message->index = static_cast<std::uint16_t>(control::go_on);  // where a backoff ends
    }
    message->to = &one;
    message->target = one.self().id;
    message->sent = one.at;
    mail_.enqueue(one, std::move(message));
  }

  [[nodiscard]] cutter& cut() noexcept { return mail_.cuts(); }

  world& all_;
  worker& mine_;
  delivery mail_;
  intake intake_;
  failures fail_;
  control_words words_;
  waiting_mail waiting_;
  tombs tombs_;
  deadly_messages deadly_;
  int left_ = 0;  ///< turns of the present activation
};

}  // namespace cairn::detail

#include "beginning.hpp"
