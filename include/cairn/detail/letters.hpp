// What a failing turn leaves behind for people: a text, and a dead letter.
#pragma once

#include <exception>
#include <string>

#include "../dead_letter.hpp"
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

/// Of the message whose handler fails: the last one in the log.
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
  buffer bytes;
  if (last->ops != nullptr) {
    ops.encode(last->value(), bytes);
  } else {
    bytes.append(last->bytes());
  }
  letter.payload.assign(bytes.view().begin(), bytes.view().end());
  return letter;
}

}  // namespace cairn::detail
