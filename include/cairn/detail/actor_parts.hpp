// An actor's record taken apart by who does not know its type: an operator's tool, a copy of a
// store. The layout is that of docs/format.md; `cutter` writes it, `restorer` reads it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "actor_record.hpp"
#include "buffer.hpp"

namespace cairn::detail {

/// Views into a record's payload, which outlives them.
struct actor_parts {
  std::uint32_t slot_index = 0;
  actor_id parent{};
  std::string_view name{};
  bool suspended = false;
  bytes_view state{};             ///< of its base
  std::uint32_t log_entries = 0;  ///< more than 0: its handlers are run again

  bytes_view before_flags{};
  std::uint8_t flags = 0;
  std::uint64_t next_number = 0;  ///< of the next await
  std::uint64_t last_ticket = 0;  ///< place of the newest mail
  bytes_view after_flags{};       ///< to the count of restarts
  bytes_view restarts{};          ///< their count, and they
  bytes_view before_state{};      ///< from there to the size of the state
  bytes_view after_state{};       ///< to the end

  /// Errors: throws `errc::newer_schema`, `errc::damaged`.
  explicit actor_parts(bytes_view payload) {
    reader from{payload};
    const auto since = [&](const reader& mark) {
      return mark.rest().first(mark.left() - from.left());
    };
    reader mark = from;
    if (from.get<std::uint8_t>() != actor_payload_format) {
      throw error{errc::newer_schema, "an actor was written by a newer cairn"};
    }
    slot_index = from.get<std::uint32_t>();
    parent = from.get<actor_id>();
    (void)from.get<std::uint32_t>();
    name = from.get_text();
    (void)from.get<incarnation>();
    before_flags = since(mark);
    flags = from.get<std::uint8_t>();
    suspended = (flags & suspended_bit) != 0;
    next_number = from.get<std::uint64_t>();
    last_ticket = from.get<std::uint64_t>();
    mark = from;
    (void)from.take(2 * sizeof(std::uint32_t) + sizeof(std::uint64_t));  // tries, failures, options
    (void)from.take(sizeof(std::uint32_t));  // the first state's schema, and it
    (void)get_sized(from);
    skip(from, address_bytes);
    skip(from, return_bytes);
    after_flags = since(mark);
    mark = from;
    skip(from, sizeof(std::int64_t));
    restarts = since(mark);
    mark = from;
    for (auto left = from.get<std::uint32_t>(); left > 0; --left) skip_timer(from);
    before_state = since(mark);
    state = get_sized(from);
    mark = from;
    (void)from.take(2 * sizeof(std::uint64_t));
    log_entries = from.get<std::uint32_t>();
    after_state = reader{mark}.rest();
  }

  /// The same with another state, and mail consumed up to `ticket`.
  void put_with_state(buffer& to, bytes_view other, std::uint64_t ticket) const {
    put_head(to, flags, std::max(last_ticket, ticket));
    to.append(restarts);
    put_tail(to, other);
  }
  /// The same, not suspended any more and forgiven its restarts.
  void put_resumed(buffer& to) const { put_going_on(to, flags); }
  /// The same, and its suspended handler will be given up. Precondition: `has_handler()`.
  void put_without_handler(buffer& to) const { put_going_on(to, flags | abandons_bit); }

  /// Whether a handler has not ended.
  [[nodiscard]] bool has_handler() const noexcept {
    return (flags & handler_bit) != 0 && log_entries > 0;
  }

 private:
  void put_going_on(buffer& to, unsigned flagged) const {
    put_head(to, static_cast<std::uint8_t>(flagged & ~unsigned{suspended_bit}), last_ticket);
    to.put(std::uint32_t{0});
    put_tail(to, state);
  }
  void put_head(buffer& to, std::uint8_t flagged, std::uint64_t ticket) const {
    to.append(before_flags);
    to.put(flagged);
    to.put(next_number);
    to.put(ticket);
    to.append(after_flags);
  }
  void put_tail(buffer& to, bytes_view with) const {
    to.append(before_state);
    put_sized(to, [&](buffer& bytes) { bytes.append(with); });
    to.append(after_state);
  }

  static constexpr std::size_t address_bytes = sizeof(actor_id) + sizeof(std::uint32_t);
  static constexpr std::size_t return_bytes = address_bytes + sizeof(std::uint64_t);

  /// A count, and as many of this size.
  static void skip(reader& from, std::size_t each) {
    (void)from.take(std::size_t{from.get<std::uint32_t>()} * each);
  }
  static void skip_timer(reader& from) {
    // Number, what remains, the wall clock, kind, overdue, period, owed, whether it ends an ask.
    (void)from.take(sizeof(std::uint64_t) + 2 * sizeof(std::int64_t) + 2 + sizeof(std::int64_t) +
                    sizeof(std::uint32_t) + 1);
    if (from.get<std::uint8_t>() == 0) return;
    (void)from.take(sizeof(std::uint32_t));  // the message's schema
    (void)message_parts{from};
  }

 public:
  /// A message in a timer's or a record's payload.
  struct message_parts {
    envelope_kind kind{};
    std::uint64_t type = 0;
    bytes_view value{};

    explicit message_parts(reader& from) {
      kind = from.get<envelope_kind>();
      (void)from.take(sizeof(errc) + 1 + sizeof(std::uint16_t) + sizeof(epoch));
      type = from.get<std::uint64_t>();
      (void)from.take(return_bytes);
      value = get_sized(from);
    }
  };
};

}  // namespace cairn::detail
