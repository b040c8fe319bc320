// Messages to a cell rather than to the actor in it. They stand in the mailbox like any other, so
// that stops, watches and the deaths of children are consistent in every snapshot.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "turn.hpp"

namespace cairn::detail {

enum class control : std::uint16_t {
  stop,       ///< text: the reason; number: 1 to a child whose parent goes on without it
  stop_path,  ///< text: the names that remain, separated by '/'
  watch,      ///< who: tell this actor when you stop
  unwatch,
  child_stopped,  ///< who: a child of yours; text: the reason
  room,           ///< an ask that is answered once the mailbox has room
  resume,         ///< a suspended actor goes on
  suspend,        ///< text: the reason
  none,           ///< stands where a word stood that was obeyed out of turn
  declare,        ///< number: the bits of its `child_options`
  deliver,        ///< text: a dead letter of this actor, encoded; an ask
  // Words that overtake; who: is told, under this number, once it is done.
  restart,  ///< brought back to the present by replay
  reset,    ///< back to the state of its birth
  go_on,    ///< what waited for its supervisor, or for a backoff, goes on
  kill,     ///< stops, whatever its handler waits for; text: the reason
  hold,     ///< suspended; text: the reason
  // In the mailbox's order again.
  child_suspended,  ///< who: a child of yours, or whom you watch; text: the reason
  // One more that overtakes.
  /// Whether it has gone on since the failure of that number, which is the text; empty: whichever.
  /// Answered with a failure by who still waits for its supervisor, with `not_found` by one that
  /// waits since before this process, and does not know for which failure.
  has_gone_on,
};

template <class Archive>
void save_address(Archive& archive, const address& to) {
  const std::uint32_t index = to.where != nullptr ? to.where->slot_index : 0;
  archive(raw(to.id), index);
}

template <class Archive>
void load_address(Archive& archive, address& to) {
  std::uint64_t id = 0;
  std::uint32_t index = 0;
  archive(id, index);
  to.id = actor_id{id};
  to.where = id != 0 && current_runtime != nullptr ? current_runtime->locate(index) : nullptr;
}

/// The one payload of all control messages; `envelope::index` says which it is.
struct control_note {
  address who{};
  std::string text{};
  std::uint64_t number = 0;

  void save(auto& archive) const {
    save_address(archive, who);
    archive(text, number);
  }
  void load(auto& archive) {
    load_address(archive, who);
    archive(text, number);
  }
};

[[nodiscard]] inline envelope_ptr make_control(control what, address who, std::string text,
                                               std::uint64_t number = 0) {
  auto made = build_envelope<control_note>(
      [&](void* where) { ::new (where) control_note{who, std::move(text), number}; });
  made->kind = envelope_kind::control;
  made->index = static_cast<std::uint16_t>(what);
  return made;
}

/// What a word says. One that a snapshot gave back is still bytes; the end of a backoff has none.
[[nodiscard]] inline control_note note_of(const envelope& word) {
  if (word.ops == &ops_of<control_note>) {
    return *static_cast<const control_note*>(word.payload());
  }
  control_note note;
  if (word.ops != &ops_of<encoded_value>) return note;
  const buffer& bytes = static_cast<const encoded_value*>(word.payload())->bytes;
  if (bytes.empty()) return note;
  std::destroy_at(&note);
  try {
    ops_of<control_note>.decode(&note, bytes.view(), 0);
  } catch (...) {
    std::construct_at(&note);
    throw;
  }
  return note;
}

/// A word that overtakes. `asker` is told under `number`, which no other word has that is under way
/// to the same actor.
[[nodiscard]] inline envelope_ptr make_word(control what, address asker, std::uint64_t number,
                                            std::string text) {
  auto made = make_control(what, asker, std::move(text), number);
  made->kind = envelope_kind::reply;
  made->answer.number = first_word | number;
  return made;
}

/// A parent that begins afresh has stopped it, and knows it no more.
[[nodiscard]] inline bool disowns(const control_note& stop) noexcept { return stop.number == 1; }

/// A word that does not wait for its turn leaves this in its place, of the present epoch: a
/// snapshot that holds the word as waiting shall not have it obeyed again by the next process.
[[nodiscard]] inline envelope_ptr in_place_of(const envelope& word, epoch present) {
  auto made = make_control(control::none, {}, {});
  made->to = word.to;
  made->target = word.target;
  made->ticket = word.ticket;
  made->sent = present;
  return made;
}

/// Whether it suspends an actor, and overtakes what waits there.
[[nodiscard]] inline bool is_hold(const envelope& word) noexcept {
  return is_word(word.answer.number) && word.index == static_cast<std::uint16_t>(control::hold);
}

[[nodiscard]] inline envelope_ptr room_request() { return make_control(control::room, {}, {}); }

}  // namespace cairn::detail
