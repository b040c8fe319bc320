// What control messages do to a cell.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "failures.hpp"

namespace cairn::detail {

/// The root task is one handler that lasts as long as the program: words reach it meanwhile. So
/// does a supervisor what becomes of its children: it may be stopping a million of them.
[[nodiscard]] inline bool reaches_busy(const cell& one) noexcept {
  const envelope* first = one.box.queue.front();
  if (first == nullptr || first->kind != envelope_kind::control) return false;
  return one.slot_index == 1 ||
         (is_supervisor(one.type) && control{first->index} == control::child_stopped);
}

class control_words {
 public:
  control_words(delivery& mail, failures& fail) noexcept : mail_{mail}, fail_{fail} {}

  void obey(cell& one, envelope& message) {
    const auto& note = *static_cast<const control_note*>(message.payload());
    switch (control{message.index}) {
      case control::stop:
        if (disowns(note)) one.parent = {};  // also in the snapshots in which it has not ended
        stop(one, message, note.text);
        break;
      case control::stop_path:
        stop_below(one, note.text);
        break;
      case control::watch:
        watch(one, note.who);
        break;
      case control::unwatch:
        std::erase(one.rest().watchers, note.who);
        break;
      case control::child_stopped:
        forget(one, note);
        break;
      case control::room:
        one.rest().waiting_for_room.push_back(message.answer);
        break;
      case control::resume:
        fail_.resume(one);
        break;
      case control::suspend:
        fail_.suspend(one, note.text);
        break;
      case control::declare:
        one.rest().declared = options_of(note.number);
        break;
      case control::deliver:
        deliver_again(one, message);
        break;
      case control::child_suspended:
        tell_suspended(one, note);
        break;
      default:  // what stands where a word stood, and forged ones
        break;
    }
  }

  /// A word that has overtaken what waits here.
  void obey_at_once(cell& one, const envelope& word) {
    const control_note note = note_of(word);
    switch (control{word.index}) {
      case control::has_gone_on:
        if (const errc why = open_failure(one, note.text); why != errc::ok) {
          return mail_.deny(word, why, one.at);
        }
        break;
      case control::restart:
        if (is_never_restarted(one)) break;
        fail_.renew(one);
        break;
      case control::reset:
        if (is_never_restarted(one) || one.suspended) break;
        if (is_stopping(one)) {
          fail_.renew(one);
          break;
        }
        fail_.reset(one);
        fail_.be_born(one);
        if (!one.busy() && !one.suspended && !one.stopped) (void)fail_.start(one);
        break;
      case control::go_on:
        fail_.go_on(one, note.text.empty());
        break;
      case control::kill:
        fail_.stop(one, note.text, children_stop::killed);
        break;
      case control::hold:
        forget_resumes(one, word.ticket);
        fail_.suspend(one, note.text);
        break;
      default:
        break;
    }
    mail_.confirm(word, one.at);
  }

 private:
  /// Whether a failure of it, or below it, is still to be acted upon. One that cannot tell says so:
  /// what waits must not be forgotten.
  [[nodiscard]] static bool still_waits(const cell& one) {
    if (!is_supervisor(one.type)) return one.paused && !one.waits_for_backoff();
    return one.state == nullptr || one.needs_replay || held<supervisor_actor>(one).state.passed_up;
  }
  /// What an actor is held for comes after the resumes that stood before it when the word came,
  /// with which the next ticket would have been `until`; 0: nobody knows any more.
  void forget_resumes(cell& one, std::uint64_t until) {
    envelope_list& queue = one.box.queue;
    envelope* last = nullptr;
    while (envelope* each = last != nullptr ? last->next : queue.front()) {
      const bool before = until == 0 || each->ticket < until;
      if (before && each->kind == envelope_kind::control &&
          control{each->index} == control::resume) {
        sometimes("resume of before a suspension forgotten");
        const envelope_ptr word = one.box.take_within(last);
        mail_.cuts().meet(one, *word);
        queue.put_after(last, in_place_of(*word, one.at));
        one.box.attend_anew();
        one.changed = true;
        each = last != nullptr ? last->next : queue.front();
      }
      last = each;
    }
  }
  /// Whether the failure of this number has been dealt with: `ok`, or what is answered (see
  /// control).
  [[nodiscard]] static errc open_failure(cell& one, const std::string& which) {
    if (!still_waits(one)) return errc::ok;
    if (is_supervisor(one.type)) return errc::failed;
    const std::uint64_t told = one.rest().told;
    if (told == 0) return errc::not_found;
    if (std::to_string(told) == which) return errc::failed;  // an older cairn's is older than this
    sometimes("failure that a restart before has cured, and then another one");
    return errc::ok;
  }
  /// Whether its children are stopped, and then it: that is final, whoever begins afresh around it.
  [[nodiscard]] static bool is_stopping(const cell& one) noexcept {
    const bool stops = one.busy() && one.more->handler.index == one.type->stop_index();
    if (stops) sometimes("actor that stops not reset");
    return stops;
  }
  /// Whoever restarts those around it: it stops.
  bool is_never_restarted(cell& one) {
    if (!one.more || one.more->declared.restart != temporary) return false;
    sometimes("temporary actor stopped with its group");
    fail_.stop(one, "a temporary child is not restarted with the others");
    return true;
  }

  /// Who has children stops when they have.
  void stop(cell& one, envelope& word, const std::string& reason) {
    if (!is_supervisor(one.type)) return fail_.stop_with_family(one, reason, word.answer);
    auto note = make_note(stop_all{reason});
    note->answer = word.answer;
    send_control(mail_, one, one.self(), std::move(note));
  }

  /// A message that was given up is sent once more: by its receiver, for only here it is known
  /// whether it can be handled. If not, it goes back to who keeps it.
  void deliver_again(cell& one, const envelope& word) {
    std::optional<stored_letter> letter = letter_in(*one.owner, word);
    if (!letter) return mail_.refuse(word.answer, errc::damaged, "it is no dead letter", one.at);
    try {
      if (one.careful == caution::unwritten) {  // a cut could not tell of it
        throw error{errc::failed, "the process has died of serializing " + world::label(one)};
      }
      mail_.send(message_in(one, letter->what.letter));
    } catch (const error& why) {
      sometimes("dead letter cannot be delivered");
      mail_.keep(one.at, std::move(*letter));
      mail_.refuse(word.answer, why.code(), why.what(), one.at);
      return;
    }
    sometimes("dead letter delivered again");
    tell_kept(*one.owner, event_kind::delivered_again, one.at, letter->what);
    mail_.confirm(word.answer, one.at);
  }

  /// Who watches twice is told once.
  static void watch(cell& one, const address& who) {
    auto& all = one.rest().watchers;
    if (std::find(all.begin(), all.end(), who) == all.end()) all.push_back(who);
  }

  /// To a parent or a watcher that wants to know: its protocol lists it.
  void tell_suspended(cell& one, const control_note& note) {
    if (!find_handler(*one.type, type_hash<suspended>)) return;
    mail_.tell(one.self(), suspended{note.who.id, note.text}, one.at);
  }

  static void forget(cell& one, const control_note& note) {
    // Stores of before say '/' and the id of one without a name.
    static const std::string nameless;
    forget_child(one, note.who.id, note.text.starts_with('/') ? nameless : note.text);
  }

  void stop_below(cell& one, const std::string& path) {
    const auto split = path.find('/');
    const std::string name = path.substr(0, split);
    const auto* found = one.rest().children.find(name);
    if (found == nullptr) {
      cairn::dead_letter letter;
      letter.message = "stop";
      mail_.report_dead(one, std::move(letter), one.self().id, errc::not_found,
                        world::label(one) + " has no child \"" + name + "\"", one.at);
      return;
    }
    const address child = found->where;
    auto word = split == std::string::npos
                    ? make_control(control::stop, {}, "stopped by path")
                    : make_control(control::stop_path, {}, path.substr(split + 1));
    word->to = child.where;
    word->target = child.id;
    word->sent = one.at;
    mail_.send(std::move(word));
  }

 public:
  /// Senders that wait for room go on, one for each free place.
  [[gnu::always_inline]] void give_room(cell& one) {
    if (one.more && !one.more->waiting_for_room.empty()) give_room_to_waiting(one);
  }

 private:
  [[gnu::noinline]] void give_room_to_waiting(cell& one) {
    if (one.type == nullptr) return;
    mail_.take_incoming(one);  // rows that are not opened yet have their room, too
    extra& rest = *one.more;
    if (one.box.queue.empty()) rest.reserved_room = 0;
    while (!rest.waiting_for_room.empty() &&
           one.box.queue.size() + rest.reserved_room < one.type->mailbox.capacity) {
      sometimes("room given");
      const return_address sender = rest.waiting_for_room.front();
      rest.waiting_for_room.erase(rest.waiting_for_room.begin());
      ++rest.reserved_room;
      mail_.confirm(sender, one.at);
    }
  }

  delivery& mail_;
  failures& fail_;
};

}  // namespace cairn::detail
