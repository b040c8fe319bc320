// An actor is stopped for good: what waits becomes dead letters, watchers and parent are told, its
// children go with it. How long its cell stays as a tombstone: see `tombs`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bases.hpp"
#include "delivery.hpp"
#include "waking.hpp"

namespace cairn::detail {

inline void send_control(delivery& mail, const cell& from, const address& to, envelope_ptr word) {
  word->to = to.where;
  word->target = to.id;
  word->sent = from.at;
  mail.send(std::move(word));
}

/// What begins a handler of the actor's own, at once.
[[nodiscard]] inline envelope_ptr addressed_to_itself(cell& one, envelope_ptr note) {
  note->ticket = one.box.done_ticket;
  note->to = &one;
  note->target = one.self().id;
  note->sent = one.at;
  return note;
}
template <class Note>
[[nodiscard]] envelope_ptr note_to_itself(cell& one, Note note, std::uint16_t index) {
  auto made = make_envelope(std::move(note));
  made->index = index;
  return addressed_to_itself(one, std::move(made));
}

/// What the turn that has ended wants to begin. The base is renewed: there is no log to grow with
/// one such handler after the other.
[[nodiscard]] inline envelope_ptr take_next(turn& ended, cell& one) {
  envelope_ptr next = std::move(ended.also().then);
  ended.clear();
  ensure_base(one);
  return addressed_to_itself(one, std::move(next));
}

/// Whether an actor that is to stop has children, and can stop them one after the other, by a
/// handler that every actor has. Else all stop at once: it may not have a turn, or there are more
/// children than a handler's record may hold.
[[nodiscard]] inline bool may_stop_family(const world& all, cell& one) {
  const std::size_t count = one.more ? one.more->children.size() : 0;
  if (count == 0 || count > all.max_history / bytes_of_ward) return false;
  const bool stands = one.suspended || one.paused || one.dormant || one.needs_replay;
  if (stands || one.busy() || one.state == nullptr) return false;
  try {
    ensure_base(one);
  } catch (...) {  // it cannot be serialized
    return false;
  }
  sometimes("children stopped before their parent");
  return true;
}

/// How the children stop of an actor that stops, and that has not stopped them before.
enum class children_stop : std::uint8_t {
  each,      ///< once it has handled what waits
  disowned,  ///< the same, and the parent lives on: their names are free at once
  killed,    ///< whatever they do, and those below them: their parent was stopped so
};

/// The youngest first, all at once.
inline void stop_children(delivery& mail, const cell& one, const extra& rest,
                          children_stop how = children_stop::each) {
  std::vector<address> all;
  rest.children.for_each([&](const std::string&, const child& each) { all.push_back(each.where); });
  std::sort(all.begin(), all.end(), [](const address& a, const address& b) { return a.id > b.id; });
  for (const address& each : all) {
    send_control(mail, one, each,
                 how == children_stop::killed
                     ? make_word(control::kill, {}, one.next_number, "its parent was stopped")
                     : make_control(control::stop, {}, "its parent stopped",
                                    how == children_stop::disowned ? 1 : 0));
  }
}

inline void forget_child(cell& parent, actor_id who, const std::string& name) {
  if (parent.more) parent.more->children.remove(who, name);
}

/// Whether the parent may forget a child that has stopped without a word that waits its turn: it
/// lives here in the child's own epoch, nothing keeps it from handling what comes, and either
/// nothing does, or nobody can tell: only a name is looked for by an actor's handlers, and only a
/// supervisor acts on what becomes of its children.
[[nodiscard]] inline bool may_forget_at_once(const worker& mine, const cell& child,
                                             const cell& parent) noexcept {
  // First whether it lives here: another worker may take it out of its cell just now.
  if (child.at != mine.seen || !mine.reaches(parent) || parent.hindered()) return false;
  if (!parent.is(child.parent.id) || parent.type == nullptr) return false;
  const bool looks = is_supervisor(parent.type) || parent.slot_index == 1;
  if (child.name.empty() && !looks) return true;
  return parent.box.empty() && (looks || !parent.busy());
}

/// Children come and go by the million, and a word costs as much as a message. The parent is cut
/// before, as it would be before it handled that.
inline void leave_parent(const worker& mine, delivery& mail, cell& one) {
  cell& parent = *one.parent.where;
  if (!may_forget_at_once(mine, one, parent)) {
    return send_control(mail, one, one.parent,
                        make_control(control::child_stopped, one.self(), one.name));
  }
  sometimes("child forgotten at once");
  mail.cuts().bring(parent);
  parent.changed = true;
  forget_child(parent, one.self().id, one.name);
}

/// Precondition: the incarnation is torn down.
inline void retire(world& all, worker& mine, delivery& mail, cell& one, std::string_view reason,
                   children_stop below) {
  one.stopped = true;
  one.suspended = false;
  one.stopped_in = one.at;
  one.changed = true;
  mine.bases.give(std::move(one.saved));
  mine.reasons.add(one.self().id, reason);
  worker_counters::take(mine.counters.actors, 1);
  all.tell_of(event_kind::stopped, one, reason);
  const auto rest = std::move(one.more);
  if (one.parent.where != nullptr) leave_parent(mine, mail, one);
  if (rest) {
    for (const auto& who : rest->watchers) {
      mail.tell(who, stopped{one.self().id, std::string{reason}}, one.at);
    }
    for (const auto& sender : rest->waiting_for_room) {
      mail.refuse(sender, errc::stopped, "the actor is stopped", one.at);
    }
    stop_children(mail, one, *rest, below);
    wake_next(mail, mine, rest->wakes);  // nobody waits for its start any more
    if (rest->below) wake_orphans(mail, mine, *rest->below);
  }
  one.box.marks.reset();
  while (!one.box.replies.empty()) mail.bury_for_stopped(one, one.box.replies.pop_front());
  while (!one.box.queue.empty()) mail.bury_for_stopped(one, one.box.queue.pop_front());
}

}  // namespace cairn::detail
