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
inline void put_rest(buffer& to, const cell& one, const runtime& system) {
  static const extra nothing{};
  const extra& rest = one.more ? *one.more : nothing;
  to.put(rest.attempts);
  to.put(rest.failures);
  to.put(bits_of(rest.declared));
  to.put(rest.first_schema);
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

/// Appends the payload. Notes how long the history of a suspended handler is there. Precondition:
/// the actor has a base. Errors: throws what serializing throws; part of it is appended then.
inline void put_actor(buffer& to, cell& one, const runtime& system) {
  const recovery& base = *one.saved;
  to.put(actor_payload_format);
  to.put(one.slot_index);
  put_address(to, one.parent);
  to.put_text(one.name);
  to.put(one.life);
  to.put(flags_of(one));
  to.put(one.next_number);
  to.put(one.box.last_ticket);
  put_rest(to, one, system);
  put_sized(to, [&](buffer& state) {
    if (base.raw) {
      one.type->encode_raw(base.state.view(), state);
    } else {
      state.append(base.state.view());
    }
  });
  to.put(base.at);
  to.put(base.next_number);
  const std::size_t history_from = one.busy() ? one.more->handler.history_from : 0;
  const std::size_t history = put_log(to, one.saved->log, history_from);
  if (one.busy()) one.more->handler.recorded = {history, one.saved->log.bytes()};
}

}  // namespace cairn::detail
