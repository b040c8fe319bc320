// When an actor's base is taken, from which a replay begins: before it consumes anything that is
// not in it, again at each cut, and once what was consumed since has grown.
//
// By the actor's home, between its turns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "actor_type.hpp"
#include "cell.hpp"
#include "pausing.hpp"
#include "watching.hpp"
#include "worker.hpp"

namespace cairn::detail {

/// The base is what the actor is now: nothing was consumed since.
[[gnu::always_inline]] inline void date_base(cell& one) noexcept {
  recovery& base = *one.saved;
  base.valid = true;
  base.schema = one.type->schema;
  base.replayed = false;
  base.at = one.consumed;
  base.next_number = one.next_number;
  if (!base.log.empty()) base.log.clear();
}

/// Copies a state whose bytes are the state. A small one word by word: what the turn before has
/// just written in words cannot be read in larger pieces before it has left the processor's store
/// buffer, which takes longer than all of it.
[[gnu::always_inline]] inline void save_raw(const cell& one, std::byte* to) noexcept {
  const std::byte* from = static_cast<const std::byte*>(one.state) + one.type->state_at;
  const std::size_t size = one.type->size;
  constexpr std::size_t step = sizeof(std::uint64_t);
  if (size > 8 * step || size % step != 0) return (void)std::memcpy(to, from, size);
  for (std::size_t at = 0; at < size; at += step) {
    std::uint64_t word;
    std::memcpy(&word, from + at, step);
    __asm__("" : "+r"(word));  // else the compiler takes several at once
    std::memcpy(to + at, &word, step);
  }
}

/// Of such a state: cheaper than a log. Precondition: the actor has had a base.
[[gnu::always_inline]] inline void copy_state(cell& one) {
  recovery& base = *one.saved;
  if (base.state.size() != one.type->size) base.state.resize(one.type->size);
  save_raw(one, base.state.data());
  date_base(one);
  base.raw = true;
}

/// The turn has ended well, and no handler is suspended: no replay can begin before the actor's
/// next base, which is taken from the state as it is then. What the log held goes: a notice of a
/// commit is waited for while anything holds it.
inline void put_aside(turn& here, cell& one) noexcept {
  if (!one.saved->log.empty()) one.saved->log.clear();
  here.spare = std::move(one.saved);
}

/// What is compared by a replay.
inline void note_end(cell& one, turn& here) {
  here.log_input();
  here.note_sent();
  one.saved->log.append_turn(here.first_mixed(), here.effects, here.digest, here.knows_values(),
                             here.values, here.other_values);
}

/// The same of a turn that nothing is to be told of but what it has sent and was handed. False: it
/// is not logged, or it began from a copy of the state.
[[nodiscard, gnu::always_inline]] inline bool end_in_log(cell& one, turn& here) {
  if (!one.saved || one.type->raw_base) return false;
  if (here.outbox.empty() && here.effects == 0 && one.saved->log.end_turn()) [[likely]]
    return true;
  note_end(one, here);
  return true;
}

/// The end of a turn that a log may have to tell of.
inline void end_logged(cell& one, turn& here) {
  if (!here.logs()) return;
  if (!one.type->raw_base || one.busy()) {
    note_end(one, here);
  } else {
    put_aside(here, one);
  }
}

/// Precondition: copy_aside() was the last to touch what stands aside.
[[gnu::always_inline]] inline void copy_again(turn& here, cell& one) noexcept {
  recovery& base = *here.spare;
  save_raw(one, base.state.data());
  base.at = one.consumed;
  base.next_number = one.next_number;
}

/// Whether a base has room for a state of this size, which it is for from now on: a parent's and
/// its children's may take turns. Not much more than that, since who takes it keeps it.
[[nodiscard, gnu::noinline]] inline bool fits(recovery& base, std::size_t size) noexcept {
  constexpr std::size_t most_besides = 64;
  const std::size_t room = base.state.room();
  if (room < size || room > size + most_besides) return false;
  base.state.resize_unset(size);
  return true;
}

/// For one turn of an actor that keeps no base between its turns: it stands aside, where the turn
/// takes it from if it needs one (see `turn::log_input`). False: there is none with room for it,
/// and the actor gets its own.
[[nodiscard, gnu::always_inline]] inline bool copy_aside(turn& here, cell& one) noexcept {
  if (one.saved) [[unlikely]]
    put_aside(here, one);
  recovery* base = here.spare.get();
  if (base == nullptr) [[unlikely]]
    return false;
  if (base->state.size() != one.type->size) [[unlikely]] {  // by itself: it is what is seldom
    if (!fits(*base, one.type->size)) return false;
  }
  base->schema = one.type->schema;
  copy_again(here, one);
  return true;
}

/// Takes these bytes for a base. Precondition: the actor has had one.
inline void renew_base(cell& one, buffer state) noexcept {
  one.saved->state = std::move(state);
  date_base(one);
  one.saved->raw = false;
}

/// The same where the bytes' room is wanted again, if it is small. Each actor gets as much as its
/// state takes, and keeps it.
inline void renew_base_with(cell& one, buffer& state) {
  constexpr std::size_t most_kept = std::size_t{64} << 10U;
  if (state.room() > most_kept) return renew_base(one, std::exchange(state, {}));
  buffer& kept = one.saved->state;
  kept.reserve(state.size());
  kept.clear();
  kept.append(state.view());
  date_base(one);
  one.saved->raw = false;
}

/// Takes a base. Where that fails, the one before stands with its log.
///
/// Precondition: no handler is suspended.
inline void renew_base(cell& one) {
  if (!one.type->persistent) return;
  worker& mine = *one.home.load(std::memory_order_relaxed);  // this worker
  if (!one.saved) one.saved = mine.bases.take();
  if (one.state == nullptr) throw error{errc::failed, "it has no state"};
  if (one.type->raw_base) return copy_state(one);
  buffer& state = mine.encoding;
  state.clear();
  {
    const besides said{mine, one, in_serialize};
    one.type->encode(one, state);
  }
  renew_base_with(one, state);
}

/// The same where the base until now is audited with its log, if it is the actor's turn.
inline void renew_and_audit(cell& one) {
  audit_queue* audits = one.home.load(std::memory_order_relaxed)->audits.get();  // this worker's
  renew_audited(audits, one, [&] { renew_base(one); });
}

/// Bytes that a log may have in any case; more, as long as it is no larger than the base.
inline constexpr std::size_t min_log = 4096;

/// Whether so much was consumed since the base that there is to be another one.
[[nodiscard, gnu::always_inline]] inline bool has_long_log(const recovery& base) noexcept {
  return base.log.bytes() > min_log && base.log.bytes() > base.state.size();
}

/// Whether the actor has a base that its next message can be logged behind.
[[nodiscard, gnu::always_inline]] inline bool keeps_base(const cell& one) noexcept {
  return one.saved && one.saved->valid && !one.saved->replayed && !has_long_log(*one.saved);
}

/// Before a message is handled.
inline void ensure_base(cell& one) {
  if (!one.type->persistent) return;
  if (!one.saved || (one.type->raw_base && !one.busy())) return renew_base(one);
  const recovery& base = *one.saved;
  const bool is_long = base.replayed || has_long_log(base);
  if (base.valid && (one.busy() || !is_long)) return;
  if (base.valid && is_long) return sometimes("base renewed between cuts"), renew_and_audit(one);
  renew_base(one);
}

}  // namespace cairn::detail
