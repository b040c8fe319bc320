// What an actor's record says of it; read by `record_taker`. By its home, between its turns.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "actor_record.hpp"
#include "lost_watches.hpp"
#include "reminders.hpp"

namespace cairn::detail {

/// What most actors have nothing of.
inline void put_rest(buffer& to, const extra& rest, const runtime& system) {
  to.put(rest.attempts, rest.failures, bits_of(rest.declared), rest.first_schema);
  put_sized(to, [&](buffer& state) { state.append(rest.first_state.view()); });
  to.put(static_cast<std::uint32_t>(rest.watchers.size()));
  for (const auto& who : rest.watchers) put_address(to, who);
  to.put(static_cast<std::uint32_t>(rest.waiting_for_room.size()));
  for (const auto& who : rest.waiting_for_room) put_return(to, who);
  const bool timed = !rest.restarts.empty() || !rest.timers.empty() || !rest.watched.empty();
  const auto now = timed ? system.steady_now() : std::chrono::nanoseconds{};
  const wall_time wall = timed ? system.wall_now() : wall_time{};
  put_restarts(to, rest.restarts, now, wall);
  to.put(static_cast<std::uint32_t>(rest.timers.size() + rest.watched.size()));
  for (const auto& each : rest.timers) put_timer(to, each, now, micros_of(wall));
  for (const auto whom : rest.watched) put_timer(to, lost_watch(whom, now), now, micros_of(wall));
}

/// What stands before the base.
inline void put_outset(buffer& to, const cell& one, const runtime& system) {
  to.put(actor_payload_format, one.slot_index);
  put_address(to, one.parent);
  to.put_text(one.name);
  to.put(one.life, flags_of(one), one.next_number, one.box.last_ticket);
  if (one.more) return put_rest(to, *one.more, system);
  static const buffer nothing = [&] {
    buffer made;
    put_rest(made, extra{}, system);
    return made;
  }();
  to.append(nothing.view());
}

/// Appends the payload. Notes how long the history of a suspended handler is there. Precondition:
/// the actor has a base. Errors: throws what serializing throws; part of it is appended then.
inline void put_actor(buffer& to, cell& one, const runtime& system) {
  put_outset(to, one, system);
  const recovery& base = *one.saved;
  put_sized(to, [&](buffer& state) {
    if (base.raw) {
      one.type->encode_raw(base.state.view(), state);
    } else {
      state.append(base.state.view());
    }
  });
  to.put(base.at, base.next_number);
  const std::size_t history_from = one.busy() ? one.more->handler.history_from : 0;
  const std::size_t history = put_log(to, one.saved->log, history_from);
  if (one.busy()) one.more->handler.recorded = {history, one.saved->log.bytes()};
}

/// The same of an actor that would take its base now: as it is. Precondition: no handler is
/// suspended.
inline void put_as_it_is(buffer& to, const cell& one, const runtime& system) {
  put_outset(to, one, system);
  put_sized(to, [&](buffer& state) { one.type->encode(one, state); });
  constexpr std::uint32_t no_entries = 0;
  to.put(one.consumed, one.next_number, no_entries);
}

}  // namespace cairn::detail
