// What a handler is handed at once, and in a replay takes from the log: which kinds there are, and
// what is said where a replay wants another one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "replay_log.hpp"

namespace cairn::detail {

/// Kept in the number of its entry. Stored: a number stays, 0 is what is not known.
enum class handed_value : std::uint8_t { unknown, time, epoch, random, spawn, children };

/// `child` is the name that a spawn gives, or whose id it gave.
[[nodiscard]] inline std::string text_of(handed_value what, std::string_view child) {
  switch (what) {
    case handed_value::time:
      return "the time";
    case handed_value::epoch:
      return "the epoch";
    case handed_value::random:
      return "a random number";
    case handed_value::spawn:
      return "the spawn of " + std::string{child};
    case handed_value::children:
      return "the children";
    case handed_value::unknown:
      break;
  }
  return "a value of an unknown kind";
}

/// What stands in the log. The outcome of a spawn begins with the child's id,
/// which is 0 where there was none.
[[nodiscard]] inline std::string text_of(const found_entry& entry) {
  if (!entry) return "nothing more";
  switch (entry->kind) {
    case log_kind::message:
      return "the next message";
    case log_kind::handed:
      return "an answer, or why there is none";
    case log_kind::turn:
      return "the end of the turn";
    case log_kind::value:
      break;
  }
  std::uint64_t id = 0;
  if (entry->length >= sizeof id) std::memcpy(&id, entry->value(), sizeof id);
  return text_of(static_cast<handed_value>(entry->number),
                 id == 0 ? "a child that was refused" : "#" + std::to_string(id));
}

/// What is said where the log has `entry`, and the handler now takes something else.
[[nodiscard]] inline std::string text_of_other(const found_entry& entry, handed_value seen,
                                               std::string_view name) {
  const std::string now = text_of(
      seen, name.empty() ? std::string{"a child without a name"} : '"' + std::string{name} + '"');
  if (!entry || entry->kind != log_kind::value) return "not expected was " + now;
  return "expected was " + text_of(entry) + ", seen was " + now;
}

/// The same where it takes nothing any more.
[[nodiscard]] inline std::string text_of_missing(const found_entry& entry) {
  return "expected was " + text_of(entry) + ", which is not there";
}

/// Whether the log's value is of this kind. An older log does not say.
[[nodiscard]] inline bool is_value(const found_entry& entry, handed_value what,
                                   std::size_t bytes) noexcept {
  return entry && entry->kind == log_kind::value && entry->length == bytes &&
         (entry->number == static_cast<std::uint64_t>(what) || entry->number == 0);
}

}  // namespace cairn::detail
