// What a failing turn leaves behind for people: a text, and a dead letter.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "../dead_letter.hpp"
#include "../supervisor.hpp"
#include "actor_type.hpp"

namespace cairn::detail {

[[nodiscard]] inline std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& why) {
    return why.what();
  } catch (...) {
    return "an exception of an unknown type";
  }
}

/// Why an actor is suspended that failed too often.
[[nodiscard]] inline std::string exceeded_text(const supervision& by, const std::string& last) {
  return "more restarts than " + std::to_string(by.intensity.restarts) +
         "; the last failure: " + last;
}

/// Empty where the message has no codec, or its codec throws: a dead letter without its payload is
/// better than none.
[[nodiscard]] inline std::vector<std::byte> encoded_or_empty(const payload_ops& ops,
                                                             const void* value) {
  buffer bytes;
  try {
    if (ops.encode != nullptr) ops.encode(value, bytes);
  } catch (const std::exception&) {
    return {};
  }
  return {bytes.view().begin(), bytes.view().end()};
}

/// Of the message that was handled last. Precondition: the actor has a log.
[[nodiscard]] inline cairn::dead_letter letter_of(cell& one) {
  cairn::dead_letter letter;
  replay_log::cursor at{};
  const log_entry* last = nullptr;
  while (const log_entry* each = one.saved->log.next(at)) {
    if (each->kind == log_kind::message) last = each;
  }
  if (last == nullptr) return letter;
  const payload_ops& ops = *one.type->handlers[last->index].message;
  letter.message = ops.name;
  if (last->ops != nullptr) {
    letter.payload = encoded_or_empty(ops, last->value());
  } else {
    letter.payload.assign(last->bytes().begin(), last->bytes().end());
  }
  return letter;
}

}  // namespace cairn::detail
