// The framed record: what an actor's cut has to say, with a checksum, ready to be appended.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "../error.hpp"
#include "../ids.hpp"
#include "buffer.hpp"
#include "hashing.hpp"

namespace cairn::detail {

/// XXH3-64: protects against accident, not against someone who may write to the store.
[[nodiscard]] inline std::uint64_t checksum(bytes_view bytes) noexcept { return hash_bytes(bytes); }

/// What a record tells of. The numbers are part of the store's format.
enum class record_kind : std::uint8_t {
  meta = 1,   ///< the system's own state: one for each snapshot
  name = 2,   ///< a text that other records refer to by its place
  actor = 3,  ///< an actor's base and log
  mail = 4,   ///< a message that waits, or was under way at the cut
  reply = 5,  ///< a recorded result that reached an actor after its cut
  gone = 6,   ///< a tombstone: the actor was stopped
  claim = 7,  ///< a store's own: so much of a manifest was durable before it
};

/// What a record says of itself, before its payload.
struct record_header {
  record_kind kind = record_kind::meta;
  std::uint64_t place = 0;     ///< orders the mail and replies of one actor; a name's key
  actor_id actor{};            ///< whose record it is
  std::uint64_t floor = 0;     ///< an actor record: its mail up to this place is consumed
  std::uint64_t type = 0;      ///< hash of the type's name
  std::uint32_t schema = 0;    ///< version of that type
  cairn::epoch epoch{};        ///< the snapshot it was written for
  cairn::position position{};  ///< an actor record: messages consumed since birth

  friend bool operator==(const record_header&, const record_header&) = default;
};

/// A record in place. Valid as long as the bytes it was read from.
struct record_view {
  record_header header;
  bytes_view payload;
};

inline constexpr std::size_t record_header_bytes = 64;
inline constexpr std::size_t record_overhead = record_header_bytes + sizeof(std::uint64_t);
/// The header's own check covers what stands before it: where the payload is damaged, the header
/// still tells whose it was, and where the next record begins.
inline constexpr std::size_t record_check_at = record_header_bytes - sizeof(std::uint32_t);

[[nodiscard]] inline std::uint32_t record_check(bytes_view header) noexcept {
  return static_cast<std::uint32_t>(checksum(header.first(record_check_at)));
}

/// Begins a record: the payload is then appended to `to` by the caller.
///
/// Effects: returns the mark that `end_record` needs.
inline std::size_t begin_record(buffer& to, const record_header& header) {
  const auto mark = to.size();
  constexpr std::uint32_t later = 0;  // the length and the header's check are known at the end
  constexpr std::uint8_t none = 0;
  to.put(later, header.kind, none, none, none, header.place, header.actor, header.floor,
         header.type, header.epoch, header.position, header.schema, later);
  return mark;
}

/// Ends the record begun at `mark`: fills in its length and its checksums.
///
/// Errors: throws `cairn::error{errc::misuse}` for a payload of 4 GiB or more.
inline void end_record(buffer& to, std::size_t mark) {
  check(to.size() >= mark + record_header_bytes, "end_record without begin_record");
  const auto length = to.size() - mark - record_header_bytes;
  if (length > std::numeric_limits<std::uint32_t>::max() - record_overhead) {
    throw error{errc::misuse, "a record of " + std::to_string(length) + " bytes is too long"};
  }
  to.put_at(mark, static_cast<std::uint32_t>(length));
  to.put_at(mark + record_check_at, record_check(to.view_from(mark)));
  to.put(checksum(to.view_from(mark)));
}

/// Appends a whole record.
inline void append_record(buffer& to, const record_header& header, bytes_view payload) {
  const auto mark = begin_record(to, header);
  to.append(payload);
  end_record(to, mark);
}

/// Walks over records, verifying each one before it is parsed.
///
/// Errors: `next` throws `cairn::error{errc::damaged}` with `where` and the offset. A wrong length
/// leads to that error too, never to reading or allocating more than there is.
class record_cursor {
 public:
  /// `base` is what offsets in messages count from. The text stays with the caller.
  record_cursor(bytes_view bytes, std::string_view where, std::uint64_t base = 0) noexcept
      : bytes_{bytes}, where_{where}, base_{base} {}
  template <std::same_as<std::string> Temporary>
  record_cursor(bytes_view, Temporary&&, std::uint64_t = 0) = delete;

  /// The next record, or nothing at the end.
  [[nodiscard]] std::optional<record_view> next() {
    auto found = next_header();
    if (found && !whole_) raise(last_, broken_text);
    return found;
  }
  /// The same where the header alone has to verify: see `whole`.
  [[nodiscard]] std::optional<record_view> next_header() {
    if (at_ == bytes_.size()) return std::nullopt;
    const auto rest = bytes_.subspan(at_);
    if (rest.size() < record_overhead) raise(at_, "a record ends too early");
    std::uint32_t check = 0;
    std::memcpy(&check, rest.data() + record_check_at, sizeof check);
    if (check != record_check(rest)) raise(at_, "a record's header does not match its checksum");
    reader from{rest};
    const std::size_t length = from.get<std::uint32_t>();
    if (length > rest.size() - record_overhead) raise(at_, "a record's length leads too far");
    const auto body = rest.first(record_header_bytes + length);
    std::uint64_t stored = 0;
    std::memcpy(&stored, rest.data() + body.size(), sizeof stored);
    whole_ = stored == checksum(body);
    // In its place from the start: what is written in pieces and then copied waits for them.
    std::optional<record_view> found{std::in_place};
    parse(from, found->header);
    found->payload = body.subspan(record_header_bytes);
    last_ = at_;
    at_ += record_overhead + length;
    return found;
  }
  /// Whether the record that came last verifies to its end. If not, its payload is no payload.
  [[nodiscard]] bool whole() const noexcept { return whole_; }

  /// Where the record that came last begins.
  [[nodiscard]] std::size_t last() const noexcept { return last_; }
  /// Where the next one begins.
  [[nodiscard]] std::size_t offset() const noexcept { return at_; }

  static constexpr const char* broken_text = "a record does not match its checksum";

 private:
  void parse(reader& from, record_header& header) const {
    const auto kind = from.get<std::uint8_t>();
    if (kind < 1 || kind > 7) raise(at_, "a record is of no known kind");
    header.kind = static_cast<record_kind>(kind);
    (void)from.take(3);
    header.place = from.get<std::uint64_t>();
    header.actor = from.get<actor_id>();
    header.floor = from.get<std::uint64_t>();
    header.type = from.get<std::uint64_t>();
    header.epoch = from.get<epoch>();
    header.position = from.get<position>();
    header.schema = from.get<std::uint32_t>();
  }

  [[noreturn]] void raise(std::size_t at, const char* what) const {
    throw error{errc::damaged,
                std::string{where_} + ", offset " + std::to_string(base_ + at) + ": " + what};
  }

  bytes_view bytes_;
  std::string_view where_;
  std::uint64_t base_;
  std::size_t at_ = 0;
  std::size_t last_ = 0;
  bool whole_ = true;
};

}  // namespace cairn::detail
