// What a dead letter says of its message, and why it is one.
#pragma once

#include <string>
#include <vector>

#include "../dead_letter.hpp"
#include "letter_keeper.hpp"
#include "retired_type.hpp"
#include "world.hpp"

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

/// Of a message that has had no handler.
[[nodiscard]] inline cairn::dead_letter letter_of(const envelope& message) {
  cairn::dead_letter letter;
  if (const retired_message* old = as_retired(message)) {
    letter.message = old->name;
    letter.schema = old->schema;
    letter.payload = {old->bytes.view().begin(), old->bytes.view().end()};
    return letter;
  }
  letter.message = message.ops->name;
  letter.schema = message.ops->schema;
  // A spoilt one's `serialize` throws, or must not be called.
  if (!message.spoilt) letter.payload = encoded(*message.ops, message.payload());
  return letter;
}

/// What the suspended handler has been handed, in bytes: as its last cut has written it, with all
/// that the objects own, and behind that as the log holds it. A process that goes on from that cut
/// counts the same.
[[nodiscard]] inline std::size_t history_of(const cell& one) noexcept {
  if (!one.saved || !one.busy()) return 0;
  const activity& handler = one.more->handler;
  const std::size_t bytes = one.saved->log.bytes();
  const auto [recorded, until] = handler.recorded;
  const bool is_recorded = until > handler.history_from && until <= bytes;
  return is_recorded ? recorded + (bytes - until) : bytes - handler.history_from;
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
  found_entry last;
  while (const found_entry each = one.saved->log.next(at)) {
    if (each->kind == log_kind::message) last = each;
  }
  if (!last) return letter;
  const payload_ops& ops = *one.type->handlers[last->index].message;
  letter.message = ops.name;
  letter.schema = last->schema;
  if (last->ops != nullptr) {
    letter.payload = encoded(ops, last->value());
  } else {
    letter.payload.assign(last->bytes().begin(), last->bytes().end());
  }
  return letter;
}

/// Says of a letter whose it is and why.
inline void complete(cairn::dead_letter& letter, actor_id target, errc code,
                     const std::string& text) {
  letter.target = target;
  letter.name = "#" + std::to_string(raw(target));
  letter.code = code;
  letter.text = text;
}
/// The same in the words of who lives in its actor's cell.
inline void complete(cairn::dead_letter& letter, cell& one, actor_id target, errc code,
                     const std::string& text) {
  complete(letter, target, code, text);
  if (!one.is(target)) return;
  letter.name = world::label(one);
  letter.at = one.consumed;
}

/// Tells the subscriber.
inline void tell_letter(world& all, const cairn::dead_letter& letter) {
  event what;
  what.kind = event_kind::dead_letter;
  what.at = letter.in;
  what.actor = letter.target;
  what.name = letter.name;
  what.text = letter.message + ": " + letter.text;
  what.code = letter.code;
  what.consumed = letter.at;
  what.letter = &letter;
  all.report(what);
}

/// What a persistent actor has given up is kept: nobody else has it any more. Not what its keeper
/// gives up itself.
[[nodiscard]] inline bool is_to_keep(const world& all, const cell& one,
                                     const cairn::dead_letter& letter) noexcept {
  const bool given_up = letter.code == errc::failed || letter.code == errc::history_exceeded;
  return given_up && all.letters.most != 0 && one.type != nullptr && one.type->persistent &&
         one.type->hash != type_hash<letter_keeper>;
}

}  // namespace cairn::detail
