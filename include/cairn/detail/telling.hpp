// What a handler tells others, as it stands in the outbox of its turn: an envelope for each
// message, or a row where many alike go to the same actor.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "../message.hpp"
#include "message_row.hpp"
#include "turn.hpp"

namespace cairn::detail {

/// Whether messages of this type, and built of these, may be in a row: see `message_row::takes`.
/// One that cannot be built leaves no gap.
template <class M, class... Args>
inline constexpr bool fits_row =
    std::is_trivially_copyable_v<M> && std::is_copy_constructible_v<M> &&
    alignof(M) <= message_row::step && sizeof(M) <= message_row::largest_value &&
    std::is_nothrow_constructible_v<M, Args...>;

/// A row in the outbox for one message more like the last one there. Null: it goes by itself. A row
/// costs as much as some envelopes: those that are few go as they are.
[[nodiscard, gnu::noinline]] inline envelope* begin_row(turn& here, envelope& last,
                                                        const payload_ops& ops) {
  constexpr std::uint32_t few = 3;
  constexpr std::size_t first_room = 16;
  envelope_chain& all = here.outbox;
  if (last.kind == envelope_kind::row) {  // which is full
    if (&message_row::ops_of(last) != &ops) return nullptr;
    all.push_back(envelope_ptr{make_row(ops, last, message_row::most_bytes)});
    return all.back();
  }
  if (last.ops != &ops || !message_row::takes(last)) return nullptr;
  if (all.front() == &last) here.alike = 0;
  if (++here.alike < few) return nullptr;
  here.alike = 0;
  const std::size_t stride = message_row::stride_of(ops);
  const std::size_t wanted = message_row::values_at + first_room * stride;
  envelope* row = make_row(ops, last, std::min(wanted, message_row::most_bytes));
  const envelope* first = all.front();
  const envelope* second = first->next;
  if (second->next == &last && message_row::are_alike(last, *first) &&
      message_row::are_alike(last, *second)) {
    while (!all.empty()) {
      const envelope_ptr each = all.pop_front();
      copy_into_row(*row, *each, stride);
    }
  }
  all.push_back(envelope_ptr{row});
  return row;
}

/// The row in which one more message for this handler of `to` has its place, within a turn. Null:
/// it goes by itself.
template <class M>
[[nodiscard, gnu::always_inline]] inline envelope* row_for(const address& to, std::uint16_t index) {
  turn* here = current_turn;
  if (here == nullptr) return nullptr;
  envelope* last = here->outbox.back();
  if (last == nullptr || last->to != to.where || last->target != to.id || last->index != index) {
    return nullptr;
  }
  constexpr std::size_t stride = message_row::stride_of(plain_ops_of<M>());
  const bool open = last->kind == envelope_kind::row && &message_row::ops_of(*last) == &ops_of<M> &&
                    message_row::place_behind(*last, stride) != nullptr;
  return open ? last : begin_row(*here, *last, ops_of<M>);
}

/// Builds the message behind the others of the row, which has room. It counts before: what builds
/// it might tell more.
template <class M, class... Args>
[[gnu::always_inline]] inline void build_in_row(envelope& row, Args&&... args) noexcept {
  constexpr std::size_t stride = message_row::stride_of(plain_ops_of<M>());
  void* place = message_row::place_behind(row, stride);
  ++row.ticket;
  construct_message<M>(place, std::forward<Args>(args)...);
}

}  // namespace cairn::detail
