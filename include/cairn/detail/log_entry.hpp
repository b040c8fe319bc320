// One entry of a replay log: as it is read, and how it stands in the log's memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>

#include "envelope.hpp"

namespace cairn::detail {

enum class log_kind : std::uint8_t {
  message,  ///< a handler began with this message
  handed,   ///< an answer, or why there is none, arrived for the await of this number
  value,    ///< handed over at once: the time, a random number, the child that a spawn made
  turn,     ///< a turn ended; `number` is the digest of its effects
};

/// How sums of values are made, see `codec_digest.hpp` and `effect.hpp`: in the code of a turn's
/// entry, as it is stored. Whoever makes them otherwise takes another number: sums that were made
/// otherwise are then no longer compared.
inline constexpr std::uint8_t sums_made_as = 0;

/// The schema of a turn's entry whose sums hold the values that left.
inline constexpr std::uint32_t values_known = 1;

/// One entry as it is read. Its value, an object of `ops` or plain bytes, stands in the log. Of a
/// turn, that is what its first effects are mixed to: see `effect`.
struct log_entry {
  const payload_ops* ops = nullptr;
  std::uint64_t number = 0;
  return_address answer{};
  std::uint64_t ticket = 0;   ///< of a message; of a turn, the sum of the values that left
  std::uint64_t type = 0;     ///< hash of a message's type; of a turn, the other sum of the values
  std::uint32_t effects = 0;  ///< of a turn: how many left with it
  std::uint32_t schema = 0;   ///< of what was consumed: as it is encoded, see `schema_of`
  std::uint32_t length = 0;   ///< of plain bytes, where there are no `ops`
  std::uint32_t room = 0;     ///< bytes that it takes in the log
  std::uint16_t index = 0;
  log_kind kind = log_kind::message;
  errc code = errc::ok;
  void* stands = nullptr;  ///< where its value does

  [[nodiscard]] void* value() const noexcept { return stands; }
  [[nodiscard]] bytes_view bytes() const noexcept {
    return {static_cast<const std::byte*>(stands), length};
  }
};

/// What is read of a log: nothing at its end.
using found_entry = std::optional<log_entry>;

// An entry begins with a head and what is to be said besides, as short as its kind allows: every
// message of an actor whose state cannot be copied as bytes is written here. Its value follows.

/// For which values a log has room as they are; see `payload_ops::plain`.
inline constexpr std::size_t log_align = alignof(std::uint64_t);

enum class log_form : std::uint8_t { whole, object, value, turn };

struct log_head {
  std::uint32_t room;  ///< bytes to the next entry
  std::uint16_t index;
  log_kind kind;
  std::uint8_t marks;

  [[nodiscard]] log_form form() const noexcept {
    return log_form{static_cast<std::uint8_t>(marks & 3U)};
  }
  /// Whether a turn ended before it without any effect: that has no entry of its own.
  [[nodiscard]] bool behind_turn() const noexcept { return (marks & 4U) != 0; }
  [[nodiscard]] static std::uint8_t marks_of(log_form form, bool behind_turn) noexcept {
    return static_cast<std::uint8_t>(static_cast<unsigned>(form) | (behind_turn ? 4U : 0U));
  }
};

/// A message or an answer with nothing unusual about it.
struct logged_object {
  log_head head;
  const payload_ops* ops;
  std::uint64_t key;  ///< the ticket of a message, the number of an answer
};

struct logged_value {
  log_head head;
  std::uint32_t number;
  std::uint32_t length;
};

struct logged_turn {
  log_head head;
  std::uint32_t effects;
  std::uint32_t schema;
  std::uint64_t number;
  std::uint64_t values;
  std::uint64_t other_values;
};

/// Whatever else.
struct logged_whole {
  log_head head;
  std::uint32_t length;
  std::uint32_t effects;
  std::uint32_t schema;
  errc code;
  const payload_ops* ops;
  std::uint64_t number;
  return_address answer;
  std::uint64_t ticket;
  std::uint64_t type;
};

static_assert(sizeof(log_head) == sizeof(std::uint64_t));
static_assert(alignof(logged_whole) == log_align && sizeof(logged_whole) % log_align == 0);

/// Bytes from one entry to the next, of which `before` stand before the value.
[[nodiscard]] constexpr std::size_t log_room(std::size_t before, std::size_t value) noexcept {
  return (before + value + log_align - 1) / log_align * log_align;
}

/// What begins with that head.
template <class Logged>
[[nodiscard]] Logged& behind(log_head& head) noexcept {
  return *std::launder(reinterpret_cast<Logged*>(&head));
}

/// Reads the entry that begins there.
[[nodiscard]] inline log_entry unpack(log_head& head) noexcept {
  log_entry made;
  made.room = head.room;
  made.kind = head.kind;
  made.index = head.index;
  if (head.form() == log_form::object) {
    auto& from = behind<logged_object>(head);
    made.ops = from.ops;
    (made.kind == log_kind::message ? made.ticket : made.number) = from.key;
    made.type = from.ops->hash;
    made.schema = from.ops->schema;
    made.stands = &from + 1;
  } else if (head.form() == log_form::value) {
    auto& from = behind<logged_value>(head);
    made.number = from.number;
    made.length = from.length;
    made.stands = &from + 1;
  } else if (head.form() == log_form::turn) {
    auto& from = behind<logged_turn>(head);
    made.number = from.number;
    made.ticket = from.values;
    made.type = from.other_values;
    made.effects = from.effects;
    made.schema = from.schema;
    made.length = head.room - static_cast<std::uint32_t>(sizeof from);
    made.stands = &from + 1;
  } else {
    auto& from = behind<logged_whole>(head);
    made.ops = from.ops;
    made.number = from.number;
    made.answer = from.answer;
    made.ticket = from.ticket;
    made.type = from.type;
    made.effects = from.effects;
    made.schema = from.schema;
    made.length = from.length;
    made.code = from.code;
    made.stands = &from + 1;
  }
  return made;
}

/// The end of a turn that had no effects.
[[nodiscard]] inline log_entry empty_turn() noexcept {
  log_entry made;
  made.kind = log_kind::turn;
  made.schema = values_known;
  return made;
}

}  // namespace cairn::detail
