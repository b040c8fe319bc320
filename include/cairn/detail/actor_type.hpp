// What cairn knows of an actor's type once the type itself is no longer known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "notice.hpp"
#include "turn.hpp"

namespace cairn {

/// What a full mailbox does with one message too many. It becomes a dead letter.
enum class overflow : std::uint8_t { drop_newest, drop_oldest };

/// An actor declares `static constexpr cairn::mailbox_options mailbox{.capacity = 100};`
struct mailbox_options {
  std::size_t capacity = 1'048'576;  ///< messages; restored ones are exempt
  overflow when_full = overflow::drop_newest;
};

/// Why `on_stop` is called.
enum class stop_reason : std::uint8_t {
  stopped,   ///< for good: by itself, by another actor, or with its parent
  restart,   ///< this incarnation failed; another takes over
  shutdown,  ///< the system ends; the state is in its last epoch
};

namespace detail {

/// One message of a protocol, as its receiver sees it.
struct handler {
  const payload_ops* message = nullptr;
  std::string_view name{};
  /// Runs the handler's first turn. Moves the payload out, or copies or reads it (see
  /// `keeps_message`); leaves the coroutine, if it suspends or not, in the cell's activity. Throws
  /// what a plain handler throws.
  void (*begin)(cell& self, turn& here, envelope& message) = nullptr;
  /// Where its turn begins from a copy of the state the message stays what it is; else a log may
  /// hold it, or a copy of it.
  bool direct = false;
  /// It only reads a message that owns memory: a log may take that, see `turn::logged`.
  bool reads_logged = false;
};

/// One per actor type and program; constant once made.
struct actor_type {
  std::string_view name{};
  std::uint64_t hash = 0;
  std::uint32_t schema = 0;  ///< of its state as it is written, see `schema_of`
  bool persistent = true;
  bool is_retired = false;   ///< only its name is left: its actors are stopped
  bool raw_base = false;     ///< the state may be copied as bytes
  std::size_t size = 0;      ///< of the state itself
  std::size_t state_at = 0;  ///< where it stands in a `holder`
  mailbox_options mailbox{};
  /// The protocol's messages in order, then the stop of its children, `on_birth`, `on_commit`.
  std::vector<handler> handlers{};
  bool has_birth = false;
  bool has_commit = false;

  void (*construct)(cell&) = nullptr;  ///< a default state; null: it has none
  void (*destroy)(cell&) noexcept = nullptr;
  void (*encode)(const cell&, buffer& to) = nullptr;
  /// Into a default-constructed state.
  void (*decode)(cell&, bytes_view from, std::uint32_t schema) = nullptr;
  void (*load_raw)(cell&, bytes_view from) = nullptr;
  void (*encode_raw)(bytes_view object, buffer& to) = nullptr;
  /// Where the state differs from what was once encoded, for people. Empty: it does not.
  std::string (*difference)(const cell&, bytes_view before) = nullptr;
  void (*on_start)(cell&) = nullptr;
  void (*on_stop)(cell&, stop_reason) noexcept = nullptr;
  /// What must be done outside before the epoch of the cut that calls it is committed, or null.
  std::function<void()> (*prepare)(cell&) = nullptr;

  [[nodiscard]] std::uint16_t stop_index() const noexcept {
    return static_cast<std::uint16_t>(handlers.size() - 3);
  }
  [[nodiscard]] std::uint16_t birth_index() const noexcept {
    return static_cast<std::uint16_t>(handlers.size() - 2);
  }
  [[nodiscard]] std::uint16_t commit_index() const noexcept {
    return static_cast<std::uint16_t>(handlers.size() - 1);
  }
};

/// The handler of this number, where it is for such messages; else null.
[[nodiscard, gnu::always_inline]] inline const handler* handler_of(
    const actor_type& type, std::uint16_t index, const payload_ops& ops) noexcept {
  // In bytes: how many handlers there are would be a division.
  const std::size_t place = std::size_t{index} * sizeof(handler);
  if (place >= type.handlers.size() * sizeof(handler)) return nullptr;
  const handler& found = type.handlers[index];
  return found.message == &ops ? &found : nullptr;
}
/// The one that a message is for; null: it does not say so, or this type has none.
[[nodiscard, gnu::always_inline]] inline const handler* handler_of(
    const actor_type& type, const envelope& message) noexcept {
  return handler_of(type, message.index, *message.ops);
}

/// The message behind `on_birth`.
struct birth_note {};

/// The message behind `on_commit`.
struct commit_note {
  std::uint64_t number = 0;
  notice_token counted{};
  void serialize(auto& archive) { archive(number); }
};
[[nodiscard]] inline bool is_notice(const envelope& message) noexcept {
  return message.kind == envelope_kind::message && message.ops == &ops_of<commit_note>;
}

}  // namespace detail
}  // namespace cairn
