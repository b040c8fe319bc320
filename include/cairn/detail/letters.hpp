// What a dead letter says of its message, and why it is one.
#pragma once

#include <string>
#include <vector>

#include "../dead_letter.hpp"
#include "actor_type.hpp"

namespace cairn::detail {

/// Empty where the message has no codec, or its codec throws.
[[nodiscard]] inline std::vector<std::byte> encoded(const payload_ops& ops, const void* value) {
  buffer bytes;
  try {
    if (ops.encode != nullptr) ops.encode(value, bytes);
  } catch (...) {
    return {};  // a dead letter without its payload is better than none
  }
  return {bytes.view().begin(), bytes.view().end()};
}

/// Why a handler is given up that was handed too much.
[[nodiscard]] inline std::string history_text(std::size_t most) {
  return "its handler was handed more than " + std::to_string(most) +
         " bytes; keep less in one handler";
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
    letter.payload = encoded(ops, last->value());
  } else {
    letter.payload.assign(last->bytes().begin(), last->bytes().end());
  }
  return letter;
}

}  // namespace cairn::detail
