// What an actor consumed since its base, and what its handlers were handed: enough to run them
// again. Compact and append-only; values are copied as objects, the codec is never run here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "envelope.hpp"

namespace cairn::detail {

enum class log_kind : std::uint8_t {
  message,  ///< a handler began with this message
  handed,   ///< an answer, or why there is none, arrived for the await of this number
  value,    ///< handed over at once: the time, a random number, the child that a spawn made
  turn,     ///< a turn ended; `number` is the digest of its effects
};

/// How sums of values are made, see `codec_digest.hpp` and `effect.hpp`: in the code of a turn's
/// entry, as it is stored. Whoever makes them otherwise takes another number: sums that were made
/// otherwise are then no longer compared.
inline constexpr std::uint8_t sums_made_as = 0;

/// The schema of a turn's entry whose sums hold the values that left.
inline constexpr std::uint32_t values_known = 1;

/// One entry; its value, an object of `ops` or plain bytes, follows it. Of a turn, that is what its
/// first effects are mixed to: see `effect`.
struct log_entry {
  std::uint32_t room = 0;    ///< bytes to the next entry
  std::uint32_t length = 0;  ///< of plain bytes, where there are no `ops`
  const payload_ops* ops = nullptr;
  std::uint64_t number = 0;
  return_address answer{};
  std::uint64_t ticket = 0;   ///< of a message; of a turn, the sum of the values that left
  std::uint64_t type = 0;     ///< hash of a message's type; of a turn, the other sum of the values
  std::uint32_t effects = 0;  ///< of a turn: how many left with it
  std::uint32_t schema = 0;   ///< of what was consumed: as it is encoded, see `schema_of`
  std::uint16_t index = 0;
  log_kind kind = log_kind::message;
  errc code = errc::ok;

  [[nodiscard]] void* value() noexcept { return this + 1; }
  [[nodiscard]] const void* value() const noexcept { return this + 1; }
  [[nodiscard]] bytes_view bytes() const noexcept {
    return {reinterpret_cast<const std::byte*>(this + 1), length};
  }
};

static_assert(alignof(log_entry) == alignof(std::uint64_t));  // see payload_ops::plain

/// Entries in chunks that never move. Home worker only.
class replay_log {
 public:
  /// Where reading stands.
  struct cursor {
    std::size_t chunk = 0;
    std::size_t at = 0;
    friend bool operator==(const cursor&, const cursor&) = default;
  };

  replay_log() = default;
  replay_log(replay_log&& other) noexcept { swap(other); }
  replay_log& operator=(replay_log&& other) noexcept {
    replay_log{std::move(other)}.swap(*this);
    return *this;
  }
  ~replay_log() { truncate({}); }

  /// Appends an entry with a copy of `value`; what cannot be copied is encoded instead.
  log_entry& append_object(log_kind kind, const payload_ops& ops, const void* value) {
    if (ops.copy == nullptr || ops.align > alignof(log_entry)) {
      buffer bytes;
      ops.encode(value, bytes);
      log_entry& made = append_bytes(kind, bytes.view());
      made.schema = ops.schema;
      return made;
    }
    log_entry& made = make_room(kind, ops.size);
    if (ops.trivial) {
      std::memcpy(made.value(), value, ops.size);
    } else {
      ops.copy(made.value(), value);
    }
    made.ops = &ops;
    made.schema = ops.schema;
    if (!ops.trivial) ++owning_;
    commit(made);
    return made;
  }

  log_entry& append_bytes(log_kind kind, bytes_view bytes) {
    log_entry& made = make_room(kind, bytes.size());
    if (!bytes.empty()) std::memcpy(made.value(), bytes.data(), bytes.size());
    made.length = static_cast<std::uint32_t>(bytes.size());
    commit(made);
    return made;
  }

  /// Appends what a turn is given: a message, or the answer that its handler waited for.
  void append_input(const envelope& input) {
    const payload_ops& ops = *input.ops;
    const bool message = input.kind == envelope_kind::message;
    if (!ops.plain) [[unlikely]] {
      log_entry& made =
          append_object(message ? log_kind::message : log_kind::handed, ops, input.payload());
      made.number = message ? 0 : input.answer.number;
      made.answer = message ? input.answer : return_address{};
      made.code = input.code;
      made.index = input.index;
      made.type = ops.hash;
      made.ticket = input.ticket;
    } else if (message) {
      put(ops.size, input.payload(), 0U, &ops, std::uint64_t{0}, input.answer, input.ticket,
          ops.hash, 0U, ops.schema, input.index, log_kind::message, input.code);
    } else {
      put(ops.size, input.payload(), 0U, &ops, input.answer.number, return_address{}, input.ticket,
          ops.hash, 0U, ops.schema, input.index, log_kind::handed, input.code);
    }
  }

  /// Appends a turn's end; see `log_entry`.
  void append_turn(bytes_view first_mixed, std::uint32_t effects, std::uint64_t digest,
                   bool knows_values, std::uint64_t values, std::uint64_t other_values) {
    put(first_mixed.size(), first_mixed.data(), static_cast<std::uint32_t>(first_mixed.size()),
        nullptr, digest, return_address{}, knows_values ? values : 0,
        knows_values ? other_values : 0, effects, knows_values ? values_known : 0U,
        std::uint16_t{0}, log_kind::turn, errc::ok);
  }

  /// Appends what stands in another log.
  void append_copy(const log_entry& of) {
    log_entry& made = of.ops != nullptr ? append_object(of.kind, *of.ops, of.value())
                                        : append_bytes(of.kind, of.bytes());
    made.number = of.number;
    made.answer = of.answer;
    made.ticket = of.ticket;
    made.type = of.type;
    made.effects = of.effects;
    made.schema = of.schema;
    made.index = of.index;
    made.code = of.code;
  }

  /// The entry at `at`, which moves on; null at the end.
  [[nodiscard]] log_entry* next(cursor& at) noexcept {
    while (at.chunk < chunks_.size() && at.at == chunks_[at.chunk].used) at = {at.chunk + 1, 0};
    if (at.chunk >= chunks_.size()) return nullptr;
    auto* entry = reinterpret_cast<log_entry*>(chunks_[at.chunk].bytes.get() + at.at);
    at.at += entry->room;
    return entry;
  }

  [[nodiscard]] cursor end() const noexcept {
    return chunks_.empty() ? cursor{} : cursor{last_, chunks_[last_].used};
  }
  /// The bytes of the entries before `at`.
  [[nodiscard]] std::size_t bytes_before(cursor at) const noexcept {
    std::size_t sum = at.at;
    for (std::size_t whole = 0; whole < at.chunk; ++whole) sum += chunks_[whole].used;
    return sum;
  }
  [[nodiscard]] bool empty() const noexcept { return bytes_ == 0; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  /// Destroys every entry from `from` on.
  void truncate(cursor from) noexcept {
    if (owning_ != 0) destroy_behind(from);
    bytes_ = bytes_before(from);
    if (from.chunk >= chunks_.size()) return;
    for (std::size_t behind = from.chunk + 1; behind <= last_; ++behind) chunks_[behind].used = 0;
    last_ = from.chunk;
    chunks_[last_].used = from.at;
    // Two are kept, for what comes: an actor's base is renewed for each so many bytes.
    if (chunks_.size() > last_ + 2) chunks_.resize(last_ + 2);
    if (bytes_ != 0 || !has_large_ones()) return;
    chunks_.clear();
    last_ = 0;
  }
  /// Every entry behind the one at `at`.
  void truncate_behind(cursor at) noexcept {
    (void)next(at);
    truncate(at);
  }
  void clear() noexcept { truncate({}); }
  void swap(replay_log& other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(last_, other.last_);
    std::swap(bytes_, other.bytes_);
    std::swap(owning_, other.owning_);
  }

 private:
  struct chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
    std::size_t used = 0;
  };
  static constexpr std::size_t first_bytes = 512;
  static constexpr std::size_t chunk_bytes = 4096;

  [[nodiscard]] bool has_large_ones() const noexcept {
    return std::any_of(chunks_.begin(), chunks_.end(),
                       [](const chunk& one) { return one.size > chunk_bytes; });
  }

  [[gnu::noinline]] void add_chunk(std::size_t room) {
    if (!chunks_.empty() && ++last_ < chunks_.size() && chunks_[last_].size >= room) return;
    if (last_ < chunks_.size()) chunks_.resize(last_);  // the one that was kept is too small
    const std::size_t size = std::max(room, chunks_.empty() ? first_bytes : chunk_bytes);
    chunks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size, 0});
  }

  void destroy_behind(cursor at) noexcept {
    while (log_entry* entry = next(at)) {
      if (entry->ops == nullptr || entry->ops->trivial) continue;
      entry->ops->destroy(entry->value());
      --owning_;
    }
  }

  [[nodiscard]] static std::size_t room_for(std::size_t value_bytes) noexcept {
    constexpr std::size_t align = alignof(log_entry);
    return (sizeof(log_entry) + value_bytes + align - 1) / align * align;
  }
  [[nodiscard, gnu::always_inline]] chunk& chunk_with(std::size_t room) {
    if (chunks_.empty() || chunks_[last_].size - chunks_[last_].used < room) [[unlikely]]
      add_chunk(room);
    return chunks_[last_];
  }

  /// An entry with the bytes of its value; `fields` are those behind its room, in their order. Each
  /// is written once, and a small value without a call: most turns of a handler that waits, and
  /// most answers, are logged here.
  template <class... Fields>
  [[gnu::always_inline]] void put(std::size_t value_bytes, const void* value, Fields... fields) {
    const std::size_t room = room_for(value_bytes);
    chunk& last = chunk_with(room);
    auto* made =
        ::new (last.bytes.get() + last.used) log_entry{static_cast<std::uint32_t>(room), fields...};
    if (value_bytes == sizeof(std::uint64_t)) {
      std::memcpy(made->value(), value, sizeof(std::uint64_t));
    } else if (value_bytes != 0) {
      std::memcpy(made->value(), value, value_bytes);
    }
    last.used += room;
    bytes_ += room;
  }

  log_entry& make_room(log_kind kind, std::size_t value_bytes) {
    const std::size_t room = room_for(value_bytes);
    chunk& last = chunk_with(room);
    auto* made = ::new (last.bytes.get() + last.used) log_entry;  // see place_envelope()
    made->kind = kind;
    made->room = static_cast<std::uint32_t>(room);
    return *made;
  }

  /// Only now is the entry part of the log: copying its value may have thrown.
  void commit(const log_entry& made) noexcept {
    chunks_[last_].used += made.room;
    bytes_ += made.room;
  }

  std::vector<chunk> chunks_;
  std::size_t last_ = 0;  ///< the chunk that is appended to; those behind it are empty
  std::size_t bytes_ = 0;
  std::size_t owning_ = 0;  ///< entries whose value is to be destroyed
};

}  // namespace cairn::detail
