// What becomes of messages that nobody handles, and answers that say no more than that: members of
// `delivery`, on its worker.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "delivery.hpp"

namespace cairn::detail {

// See waking.hpp, all.
[[nodiscard]] const wake_note& note_of_wake(const envelope& word) noexcept;
[[nodiscard]] bool tells_of_end(const envelope& word) noexcept;
void wake_next(delivery& mail, worker& mine, const wake_note& from);
void wake_latecomers(delivery& mail, worker& mine, actor_id first_new, const address& who);

/// A word that wakes somebody who has stopped, or was awake: who comes next does not wait for it.
inline void delivery::wake_others(const envelope& word) {
  if (tells_of_end(word)) {
    return wake_latecomers(*this, mine_, all_.first_new_id, {word.to, word.target});
  }
  sometimes("word to wake for who does not sleep");
  wake_next(*this, mine_, note_of_wake(word));
}

/// Answers an ask with a failure.
inline void delivery::refuse(const return_address& asker, errc code, std::string_view text,
                             epoch at) {
  if (!asker.wanted()) return;
  auto reply = make_envelope(std::string{text});
  reply->kind = envelope_kind::reply;
  reply->code = code;
  reply->to = asker.asker;
  reply->target = asker.id;
  reply->answer = asker;
  reply->sent = at;
  send(std::move(reply));
}

/// Answers an ask whose answer says no more than that it was done, if it is wanted.
inline void delivery::confirm(const return_address& asker, epoch at) {
  if (!asker.wanted()) return;
  auto reply = make_envelope(unit{});
  reply->kind = envelope_kind::reply;
  reply->to = asker.asker;
  reply->target = asker.id;
  reply->answer = asker;
  reply->sent = at;
  send(std::move(reply));
}

/// The same to who sent a word that overtakes.
inline void delivery::confirm(const envelope& word, epoch at) {
  const scoped_current<runtime> scope{current_runtime, &all_};  // it may still be bytes
  const control_note note = note_of(word);
  if (note.who.where == nullptr) return;
  confirm({note.who.where, note.who.id, note.number, false}, at);
}

/// A word that asks whether something is so: it is not.
inline void delivery::deny(const envelope& word, errc code, epoch at) {
  const scoped_current<runtime> scope{current_runtime, &all_};  // as in confirm()
  const control_note note = note_of(word);
  refuse({note.who.where, note.who.id, note.number, false}, code, "it is not so", at);
}

/// Mail for who is not there does not wait. What comes of it is of the message's own epoch,
/// before whose sweep there is a round for what was sent until then: else a snapshot could hold
/// that somebody watches, and neither the word nor the notice. But where the open snapshot has
/// the actor alive it has the message too, and what comes of it is later.
inline void delivery::bury_for_stopped(cell& one, envelope_ptr message) {
  sometimes("message for a stopped actor");
  cut_.meet(one, *message);
  const bool stood_in_queue = message->kind != envelope_kind::reply;
  if (stood_in_queue) one.box.done_ticket = std::max(one.box.done_ticket, message->ticket);
  const epoch at = one.stopped_in > message->sent ? one.at : message->sent;
  bury(one, std::move(message), errc::stopped, "the actor is stopped", at);
}

/// Answers a message that is given up, where somebody waits for that. False: it leaves no letter.
inline bool delivery::answer_for(const envelope& message, errc code, const std::string& text,
                                 epoch at) {
  if (message.kind == envelope_kind::reply) {  // nobody waits for it any more, but for a word
    if (is_word(message.answer.number)) confirm(message, at);
    if (message.answer.number == wake_number) wake_others(message);
    return false;
  }
  if (message.kind == envelope_kind::control) return bury_control(message, code, at), false;
  refuse(message.answer, code, text, at);
  return true;
}

/// What comes of giving a message up is of the epoch `at`.
inline void delivery::bury(cell& one, envelope_ptr message, errc code, const std::string& text,
                           epoch at) {
  if (!answer_for(*message, code, text, at)) return;
  if (all_.spoils_mail(one)) message->spoilt = true;  // also not for a letter
  report_dead(one, letter_of(*message), message->target, code, text, at);
}

inline void delivery::report_dead(cell& one, cairn::dead_letter letter, actor_id target, errc code,
                                  const std::string& text, epoch at) {
  complete(letter, one, target, code, text);
  letter.in = at;
  tell_letter(all_, letter);
  if (is_to_keep(all_, one, letter)) keep(at, {one.slot_index, {{}, std::move(letter)}});
}

/// Mail for a tombstone, or for who lived in this cell before.
inline void delivery::bury_arrived(cell& one, envelope_ptr message) {
  if (one.is(message->target) && one.type != nullptr) {
    if (message->kind != envelope_kind::reply) one.box.give_ticket(*message);
    bury_for_stopped(one, std::move(message));
    return;
  }
  sometimes("message for who lived in this cell");
  const epoch at = message->sent;
  bury(one, std::move(message), errc::stopped, "the actor is stopped", at);
}

/// From outside, for one that is lost: who lives in its cell, here or elsewhere, is not looked at.
inline void delivery::bury_for_lost(const envelope& message) {
  const std::string text = "the actor is stopped";
  if (!answer_for(message, errc::stopped, text, message.sent)) return;
  cairn::dead_letter letter = letter_of(message);
  complete(letter, message.target, errc::stopped, text);
  letter.in = message.sent;
  tell_letter(all_, letter);
}

inline void delivery::bury_control(const envelope& message, errc code, epoch at) {
  const auto& note = *static_cast<const control_note*>(message.payload());
  switch (control{message.index}) {
    case control::room:
      sometimes("room asked of a stopped actor");
      refuse(message.answer, errc::stopped, "the actor is stopped", at);
      break;
    case control::stop:
      confirm(message.answer, at);
      break;
    case control::watch:
      if (all_.lost.watch(message.target, note.who)) break;
      sometimes("watch of a stopped actor");
      tell(note.who, stopped{message.target, reason_of(message.target, code)}, at);
      break;
    case control::unwatch:
      all_.lost.unwatch(message.target, note.who);
      break;
    case control::deliver:
      sometimes("dead letter for a stopped actor");
      if (auto letter = letter_in(all_, message)) keep(at, std::move(*letter));
      refuse(message.answer, errc::stopped, "the actor is stopped", at);
      break;
    default:
      break;
  }
}

/// A snapshot after the rollback is committed: who watches those that have not been spawned again
/// until now waits no longer.
inline void delivery::give_up_lost(epoch committed) {
  if (mine_.index != 0) return;
  all_.lost.forget_arrivals(committed);
  if (!all_.lost.any()) return;
  for (const auto& each : all_.lost.take_watches()) {
    sometimes("watch of an actor that was not spawned again");
    tell(each.by, stopped{each.whom, lost_in_rollback}, mine_.seen);
  }
}

/// Why an actor is not there. Its home has seen it stop, unless a process before did.
inline std::string delivery::reason_of(actor_id gone, errc code) const {
  if (code != errc::stopped) return std::string{to_string(code)};
  return std::string{mine_.reasons.find(gone).value_or("not there any more; why is not known")};
}

/// Overflow never fails a turn: something becomes a dead letter.
inline void delivery::overflow(cell& one, envelope_ptr message) {
  one.box.give_ticket(*message);
  const envelope* first = one.box.queue.front();  // null where the bound is 0
  const bool stays = first == nullptr || first->kind == envelope_kind::control || first->reserved ||
                     one.careful == caution::unwritten;  // no cut could tell that it has gone
  if (one.type->mailbox.when_full == cairn::overflow::drop_oldest && !stays) {
    envelope_ptr oldest = one.box.queue.pop_front();
    if (one.box.attended() == oldest.get()) one.box.attend_anew();
    if (one.more && !one.busy()) one.more->attempts = 0;  // if it has failed: the next one has not
    one.box.queue.push_back(std::move(message));
    message = std::move(oldest);
    sometimes("mailbox full, the oldest goes");
    cut_.meet(one, *message);
    one.box.done_ticket = message->ticket;
    one.changed = true;
  } else {  // what is exempt from the bound is never dropped: the newest goes instead
    sometimes(stays ? "mailbox full, what is exempt stays" : "mailbox full, the newest goes");
    cut_.meet(one, *message);
  }
  const std::string text = "the mailbox of " + world::label(one) + " is full";
  bury(one, std::move(message), errc::mailbox_full, text);
}

}  // namespace cairn::detail
