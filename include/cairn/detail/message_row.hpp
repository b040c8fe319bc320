// Several messages of one turn to one actor, on their way as one envelope.
//
// What another worker has written comes by lines of the cache, a quarter of a microsecond each on
// some machines. An envelope of its own is two of them, and two more when its room is written to
// again; of small values side by side each line holds several. On the same worker it is the work
// that counts: what envelopes have in common is written, and looked at, once.
//
// Behind the turn that sends it, nobody else than the receiver's home looks into a row: it handles
// one message after the other, or makes envelopes of them first where anybody may look at what
// waits (see arriving.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#include "envelope_list.hpp"

namespace cairn::detail {

/// What rows have in common. `index`, `to`, `target` and `sent` of its envelope are those of each
/// of its messages, which have nothing else but their values. `ticket` says how many they are, and
/// `answer.number` at which byte the first of them stands: who takes one out only counts. Behind
/// the envelope stands whose values follow.
struct message_row {
  static constexpr std::size_t step = sizeof(std::uint64_t);  ///< values begin at multiples of it
  static constexpr std::size_t values_at = sizeof(envelope) + sizeof(const payload_ops*);
  static constexpr std::size_t most_bytes = room_pool::largest;
  /// Of larger values a row saves less than the copies cost.
  static constexpr std::size_t largest_value = 64;
  static_assert(values_at % step == 0);

  [[nodiscard]] static constexpr std::size_t stride_of(const payload_ops& ops) noexcept {
    return (std::size_t{ops.size} + step - 1) / step * step;
  }
  /// Whether it may be in a row.
  [[nodiscard]] static bool takes(const envelope& message) noexcept {
    const payload_ops& ops = *message.ops;
    return ops.plain && ops.size <= largest_value && message.is_usual() && !message.answer.wanted();
  }
  /// Whether both may be in the same one. Precondition: it takes `first`.
  [[nodiscard]] static bool are_alike(const envelope& first, const envelope& other) noexcept {
    return other.ops == first.ops && other.to == first.to && other.target == first.target &&
           other.index == first.index && other.is_usual() && !other.answer.wanted();
  }

  /// How many messages it is.
  [[nodiscard]] static std::size_t count_of(const envelope& one) noexcept {
    return one.kind == envelope_kind::row ? static_cast<std::size_t>(one.ticket) : 1;
  }
  /// Of each of its messages.
  [[nodiscard]] static const payload_ops& ops_of(const envelope& row) noexcept {
    const auto* behind = reinterpret_cast<const std::byte*>(&row) + sizeof(envelope);
    return **reinterpret_cast<const payload_ops* const*>(behind);
  }
  /// The first one's value.
  [[nodiscard]] static const std::byte* first_of(const envelope& row) noexcept {
    return reinterpret_cast<const std::byte*>(&row) + row.answer.number;
  }
  /// One less, the first one.
  static void take_first(envelope& row, std::size_t stride) noexcept {
    --row.ticket;
    row.answer.number += stride;
  }
  /// Where one more would stand, null where it has no room. Precondition: none was taken out.
  [[nodiscard]] static void* place_behind(envelope& row, std::size_t stride) noexcept {
    const std::size_t at = values_at + static_cast<std::size_t>(row.ticket) * stride;
    return at + stride <= room_of(*row.ops) ? reinterpret_cast<std::byte*>(&row) + at : nullptr;
  }
  /// Fetches all lines of a row whose turn comes soon.
  static void fetch(const envelope& row) noexcept {
    const auto* room = reinterpret_cast<const std::byte*>(&row);
    for (std::size_t at = 64; at < room_of(*row.ops); at += 64) __builtin_prefetch(room + at);
  }
};

/// Of rows, by the class of their rooms.
inline constexpr std::array<payload_ops, room_depot::coarse> row_ops = [] {
  std::array<payload_ops, room_depot::coarse> made{};
  for (std::size_t at = 0; at < made.size(); ++at) {
    const std::size_t room = room_depot::size_of(at);
    if (room < message_row::values_at) continue;  // no row is so small
    made[at].name = "row";
    made[at].payload_at = sizeof(envelope);
    made[at].size = static_cast<std::uint32_t>(room - sizeof(envelope));
    made[at].align = alignof(const payload_ops*);
    made[at].trivial = true;
    if (rooms_are_kept) made[at].pooled = static_cast<std::uint8_t>(1 + at);
  }
  return made;
}();

/// Fetches a room that another worker has read or written to last: all its lines at once, to be
/// written to.
inline void expect_writes(void* room, std::size_t bytes) noexcept {
  for (std::size_t at = 0; at < bytes; at += 64) {
    auto* line = static_cast<std::byte*>(room) + at;
#if defined(__x86_64__)
    // The compilers' own fetches for reading, unless they are told of the processor.
    __asm__ volatile("prefetchw %0" : : "m"(*line));
#else
    __builtin_prefetch(line, 1);
#endif
  }
}

/// An empty one for messages like `like`, which are of these `ops`. It has room for so many bytes
/// at least, up to `message_row::most_bytes`. Throws where there is no memory.
[[nodiscard]] inline envelope* make_row(const payload_ops& ops, const envelope& like,
                                        std::size_t bytes) {
  const payload_ops& kind = row_ops[room_pool::class_of(bytes)];
  void* room = allocate_room(kind);
  expect_writes(room, bytes);
  envelope* row = place_envelope(room, kind, like.to, like.target, like.index);
  row->kind = envelope_kind::row;
  row->answer.number = message_row::values_at;
  ::new (row->payload()) const payload_ops* {&ops};
  return row;
}

/// Adds the value of one more. Precondition: there is room.
inline void copy_into_row(envelope& row, const envelope& one, std::size_t stride) noexcept {
  copy_bytes(message_row::place_behind(row, stride), one.payload(), one.ops->size);
  ++row.ticket;
}
/// The same of one that ends.
inline void move_into_row(envelope& row, envelope* gone, std::size_t stride,
                          room_pool& pool) noexcept {
  copy_into_row(row, *gone, stride);
  destroy_trivial(gone, pool);
}

/// Makes one row of `first` and those that stand in front of `more` and are like it. The same
/// envelope where it goes alone.
[[nodiscard]] inline envelope* gather_row(envelope* first, envelope_chain& more,
                                          room_pool& pool) noexcept {
  const envelope* second = more.front();
  if (second == nullptr || !message_row::takes(*first)) return first;
  if (!message_row::are_alike(*first, *second)) return first;
  const std::size_t stride = message_row::stride_of(*first->ops);
  const std::size_t most = (message_row::most_bytes - message_row::values_at) / stride;
  std::size_t count = 1;
  for (const envelope* each = second;
       each != nullptr && count < most && message_row::are_alike(*first, *each);
       each = each->next) {
    ++count;
  }
  envelope* row = nullptr;
  try {
    row = make_row(*first->ops, *first, message_row::values_at + count * stride);
  } catch (const std::bad_alloc&) {
    return first;  // what a turn has sent leaves in any case
  }
  row->sent = first->sent;
  move_into_row(*row, first, stride, pool);
  for (; --count > 0;) move_into_row(*row, more.pop(more.front()).release(), stride, pool);
  return row;
}

}  // namespace cairn::detail
