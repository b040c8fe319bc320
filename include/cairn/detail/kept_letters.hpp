// How a dead letter reaches its keeper, and comes back to the actor that gave it up.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "actor_record.hpp"
#include "cutter.hpp"
#include "letter_keeper.hpp"

namespace cairn::detail {

/// Brings the keeper to life, within a turn of any worker.
///
/// Other workers may still be in the epoch whose snapshot is open here, and what they send belongs
/// into it: so the keeper is born in that epoch, and cut at once. Once the sweep has begun nobody
/// is.
[[nodiscard]] inline address bear_keeper(world& all, worker& mine, cutter& cut) {
  cell& made =
      all.allocate_cell(all.type_named(type_hash<letter_keeper>, type_name<letter_keeper>));
  make_incarnation<letter_keeper>(made);
  made.name = type_name<letter_keeper>;
  made.parent = {all.cells.at(1), actor_id{1}};
  made.changed = true;
  made.at = mine.seen;
  worker_counters::add(mine.counters.actors, 1);
  cut.touch(made);
  if (mine.open && !mine.sweep_begun) {
    sometimes("keeper of dead letters born in the open snapshot");
    made.at = previous(mine.seen);
    cut.bring(made);
  }
  return made.self();
}

/// The message that brings a letter to its keeper, as an effect of this epoch.
[[nodiscard]] inline envelope_ptr letter_for_keeper(world& all, worker& mine, cutter& cut, epoch at,
                                                    stored_letter letter) {
  const address to = all.letters.keeper_or([&] { return bear_keeper(all, mine, cut); });
  auto message = make_envelope(keep_letter{std::move(letter), all.letters.most});
  message->index = 0;
  message->reserved = true;  // a letter is not dropped for want of room
  message->to = to.where;
  message->target = to.id;
  message->sent = at;
  return message;
}

/// Nothing where the bytes are forged.
[[nodiscard]] inline std::optional<stored_letter> letter_in(runtime& of, const envelope& word) {
  const auto& bytes = static_cast<const control_note*>(word.payload())->text;
  const scoped_current<runtime> scope{current_runtime, &of};
  try {
    return cairn::decode<stored_letter>(std::as_bytes(std::span{bytes.data(), bytes.size()}));
  } catch (const error&) {
    return std::nullopt;
  }
}

/// The message in a letter, for this very actor.
///
/// Errors: throws `errc::unknown_type` where its type has no handler for it any more, `damaged` or
/// `newer_schema` where it reads the bytes no more.
[[nodiscard]] inline envelope_ptr message_in(cell& one, const dead_letter& letter) {
  const auto index = find_handler(*one.type, fnv1a(letter.message));
  if (!index || *index >= one.type->stop_index()) {
    throw error{errc::unknown_type, "actor type \"" + std::string{one.type->name} +
                                        "\" does not handle \"" + letter.message + "\""};
  }
  const payload_ops& ops = *one.type->handlers[*index].message;
  if (ops.decode == nullptr) throw error{errc::unknown_type, letter.message + " has no codec"};
  const scoped_current<runtime> scope{current_runtime, one.owner};
  auto made =
      make_envelope(ops, [&](void* where) { ops.decode(where, letter.payload, letter.schema); });
  made->index = *index;
  made->reserved = true;  // it has been accepted once
  made->to = &one;
  made->target = one.self().id;
  made->sent = one.at;
  return made;
}

}  // namespace cairn::detail
