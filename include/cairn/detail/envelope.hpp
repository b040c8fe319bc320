// A message on its way: who it is for, the epoch of the turn that sent it, and the value itself.
//
// An envelope has one owner at any time: the turn that builds it, then the mailbox it is linked
// into, then the worker that takes it out. Nothing in it is atomic; `mailbox` passes it on.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../error.hpp"
#include "../ids.hpp"
#include "buffer.hpp"
#include "effect.hpp"
#include "room_pool.hpp"

namespace cairn::detail {

struct cell;

/// What can be done with a value whose type is no longer known. `encode` and `decode` are set when
/// a program lists the type in `cairn::actors<…>`, so that sending a message needs no codec.
struct payload_ops {
  std::string_view name{};
  std::uint64_t hash = 0;
  std::uint64_t origin = 0;   ///< hash of the oldest name
  std::uint64_t sent_as = 0;  ///< of a message the same, though the program does not list it
  std::span<const std::uint64_t> hashes{};  ///< of all names that the type has had
  std::uint32_t schema = 0;                 ///< in which it is encoded, see `schema_of`
  std::uint32_t size = 0;
  std::uint32_t align = 1;
  std::uint32_t payload_at = 0;  ///< in an envelope
  std::uint8_t pooled = 0;       ///< 1 + the class of its envelope's room, see `room_pool`; 0: none
  bool trivial = false;          ///< its bytes may be copied
  bool plain = false;            ///< and a log copies them as they are: see `replay_log`
  void (*destroy)(void* value) noexcept = nullptr;
  void (*copy)(void* to, const void* from) = nullptr;  ///< null: move-only
  void (*move)(void* to, void* from) = nullptr;
  /// What replay compares, see `codec_digest.hpp`; null: nothing. Set like `encode`.
  std::uint64_t (*digest)(const void* value, std::unique_ptr<digest_room>& room) = nullptr;
  void (*encode)(const void* value, buffer& to) = nullptr;
  /// Constructs at `to` what was written in that schema.
  void (*decode)(void* to, bytes_view from, std::uint32_t schema) = nullptr;
};

/// Bytes that the awaiting handler will decode: it knows the type.
struct encoded_value {
  buffer bytes{};
  std::uint32_t schema = 0;
};

/// Where an answer goes. `number` 0: nobody waits. No `asker` but a number: outside the system.
struct return_address {
  cell* asker = nullptr;
  actor_id id{};
  std::uint64_t number = 0;
  bool when_committed = false;

  [[nodiscard]] bool wanted() const noexcept { return number != 0; }
};

enum class envelope_kind : std::uint8_t {
  message,  ///< for a handler, in the mailbox's order
  reply,    ///< for a suspended handler; may overtake messages
  control,  ///< for the cell itself, in the mailbox's order
  row,      ///< several messages, on their way: see `message_row`
};

/// The number of the reply that wakes a dormant actor. No await has it.
inline constexpr std::uint64_t wake_number = ~std::uint64_t{0};
/// The number of the reply that asks by the way who awaits whom (see `tracing.hpp`).
inline constexpr std::uint64_t trace_number = wake_number - 1;
/// The number of the word with which a backoff ends.
inline constexpr std::uint64_t backoff_number = wake_number - 2;
/// Replies of these numbers are words to the cell (see `control.hpp`) that overtake messages and
/// handlers that wait. No await has one.
inline constexpr std::uint64_t first_word = std::uint64_t{1} << 63U;
[[nodiscard]] constexpr bool is_word(std::uint64_t number) noexcept {
  return number >= first_word && number < trace_number;
}

/// What is unusual about a message. One look finds that nothing is.
struct envelope_marks {
  envelope_kind kind = envelope_kind::message;
  errc code = errc::ok;   ///< a reply that is none
  bool reserved = false;  ///< its sender waited for room: exempt from the bound
  bool spoilt = false;    ///< its value could not be encoded: nobody handles it

  /// Whether it is a message for a handler, with nothing the matter, for which there must be room.
  [[nodiscard]] bool is_usual() const noexcept { return std::bit_cast<std::uint32_t>(*this) == 0; }
};
static_assert(sizeof(envelope_marks) == sizeof(std::uint32_t));

struct envelope : envelope_marks {
  // Every message pays for each word that is written here.
  envelope(const payload_ops& of, cell* receiver, actor_id whom, std::uint16_t number) noexcept
      : index{number}, ops{&of}, to{receiver}, target{whom} {}

  std::uint16_t index;  ///< of the message in the receiver's protocol
  envelope* next;       ///< belongs to what it is linked into
  const payload_ops* ops;
  cell* to;
  actor_id target;           ///< the cell may have been given to another actor meanwhile
  epoch sent{};              ///< of the turn that sent it
  epoch recorded{};          ///< the snapshot that holds it, 0: none
  std::uint64_t ticket = 0;  ///< its number in the mailbox, 0 before it stands in one
  return_address answer{};

  /// Whether it is a message for a handler, with nothing the matter.
  [[nodiscard]] bool is_plain() const noexcept {
    return kind == envelope_kind::message && code == errc::ok && !spoilt;
  }
  [[nodiscard]] void* payload() noexcept {
    return reinterpret_cast<std::byte*>(this) + ops->payload_at;
  }
  [[nodiscard]] const void* payload() const noexcept {
    return reinterpret_cast<const std::byte*>(this) + ops->payload_at;
  }
};

/// The bytes of a plain value. Most are one word or two, for which a call would cost more than the
/// copy.
[[gnu::always_inline]] inline void copy_bytes(void* to, const void* from,
                                              std::size_t size) noexcept {
  if (size == sizeof(std::uint64_t)) {
    std::memcpy(to, from, sizeof(std::uint64_t));
  } else if (size == 2 * sizeof(std::uint64_t)) {
    std::memcpy(to, from, 2 * sizeof(std::uint64_t));
  } else if (size != 0) {
    std::memcpy(to, from, size);
  }
}

[[nodiscard]] constexpr std::size_t room_of(const payload_ops& ops) noexcept {
  return std::size_t{ops.payload_at} + ops.size;
}
/// Whether the room needs more than what every room is aligned for.
[[nodiscard]] constexpr bool is_overaligned(const payload_ops& ops) noexcept {
  return ops.align > __STDCPP_DEFAULT_NEW_ALIGNMENT__;
}

template <class T>
constexpr payload_ops plain_ops_of() noexcept {
  payload_ops ops;
  ops.size = sizeof(T);
  ops.align = alignof(T);
  ops.payload_at = (sizeof(envelope) + alignof(T) - 1) / alignof(T) * alignof(T);
  if (!is_overaligned(ops) && has_class(room_of(ops))) {
    ops.pooled = static_cast<std::uint8_t>(1 + room_pool::class_of(room_of(ops)));
  }
  ops.trivial = std::is_trivially_copyable_v<T>;
  ops.destroy = [](void* value) noexcept { std::destroy_at(static_cast<T*>(value)); };
  ops.move = [](void* to, void* from) {
    std::construct_at(static_cast<T*>(to), std::move(*static_cast<T*>(from)));
  };
  ops.plain =
      ops.trivial && std::is_copy_constructible_v<T> && alignof(T) <= alignof(std::uint64_t);
  if constexpr (std::is_copy_constructible_v<T>) {
    ops.copy = [](void* to, const void* from) {
      std::construct_at(static_cast<T*>(to), *static_cast<const T*>(from));
    };
  }
  return ops;
}

/// One per type and program. Written once, under the guard of a static, before any system that
/// uses the type runs (see `make_encodable` in actor_type.hpp).
template <class T>
inline constinit payload_ops ops_of = plain_ops_of<T>();

/// Raw room for an envelope and its payload.
[[nodiscard, gnu::always_inline]] inline void* allocate_room(const payload_ops& ops) {
  if (ops.pooled != 0) return take_room_of(std::size_t{ops.pooled} - 1);
  return is_overaligned(ops) ? ::operator new(room_of(ops), std::align_val_t{ops.align})
                             : ::operator new(room_of(ops));
}
/// An envelope whose payload the caller constructs.
[[nodiscard, gnu::always_inline]] inline envelope* place_envelope(
    void* room, const payload_ops& ops, cell* to = nullptr, actor_id target = {},
    std::uint16_t index = 0) noexcept {
  return ::new (room) envelope{ops, to, target, index};
}

/// Gives back the room of an envelope whose payload is already gone.
inline void free_envelope_room(envelope* gone) noexcept {
  const payload_ops& ops = *gone->ops;
  std::destroy_at(gone);
  if (ops.pooled != 0) [[likely]] {
    give_room_of(std::size_t{ops.pooled} - 1, gone);
  } else if (is_overaligned(ops)) {
    ::operator delete(static_cast<void*>(gone), std::align_val_t{ops.align});
  } else {
    ::operator delete(static_cast<void*>(gone));
  }
}

/// Not inline: an owner that was moved from, which most are at their end, then costs nothing.
[[gnu::noinline]] inline void destroy_envelope(envelope* gone) noexcept {
  if (!gone->ops->trivial) gone->ops->destroy(gone->payload());
  free_envelope_room(gone);
}

/// The same of a value that ends without a destructor, where the pool of this thread is known.
[[gnu::always_inline]] inline void destroy_trivial(envelope* gone, room_pool& pool) noexcept {
  const std::size_t pooled = gone->ops->pooled;
  if (pooled == 0) [[unlikely]]
    return free_envelope_room(gone);
  pool.give(gone, pooled - 1);
}

/// Owns an envelope, as a `unique_ptr` would. That one is not inlined where it is moved from and
/// ends a dozen times for each message.
class envelope_ptr {
 public:
  envelope_ptr() = default;
  envelope_ptr(std::nullptr_t) noexcept {}
  explicit envelope_ptr(envelope* owned) noexcept : it_{owned} {}
  [[gnu::always_inline]] envelope_ptr(envelope_ptr&& other) noexcept : it_{other.release()} {}
  [[gnu::always_inline]] envelope_ptr& operator=(envelope_ptr&& other) noexcept {
    reset(other.release());
    return *this;
  }
  [[gnu::always_inline]] ~envelope_ptr() {
    if (it_ != nullptr) destroy_envelope(it_);
  }

  [[nodiscard]] envelope* get() const noexcept { return it_; }
  [[nodiscard]] envelope& operator*() const noexcept { return *it_; }
  envelope* operator->() const noexcept { return it_; }
  [[nodiscard]] explicit operator bool() const noexcept { return it_ != nullptr; }
  friend bool operator==(const envelope_ptr& one, std::nullptr_t) noexcept {
    return one.it_ == nullptr;
  }

  [[gnu::always_inline]] envelope* release() noexcept { return std::exchange(it_, nullptr); }
  [[gnu::always_inline]] void reset(envelope* owned = nullptr) noexcept {
    if (envelope* gone = std::exchange(it_, owned)) destroy_envelope(gone);
  }

 private:
  envelope* it_ = nullptr;
};

/// Builds an envelope whose value `construct(void* where)` makes.
template <class Construct>
[[nodiscard]] envelope_ptr make_envelope(const payload_ops& ops, Construct&& construct) {
  envelope* made = place_envelope(allocate_room(ops), ops);
  try {
    construct(made->payload());
  } catch (...) {
    free_envelope_room(made);
    throw;
  }
  return envelope_ptr{made};
}

/// The same of a value of a known type: what its room takes is known when this is compiled.
template <class T, class Construct>
[[nodiscard, gnu::always_inline]] inline envelope_ptr build_envelope(Construct&& construct,
                                                                     cell* to = nullptr,
                                                                     actor_id target = {},
                                                                     std::uint16_t index = 0) {
  constexpr payload_ops known = plain_ops_of<T>();
  envelope* made = place_envelope(allocate_room(known), ops_of<T>, to, target, index);
  try {
    construct(reinterpret_cast<std::byte*>(made) + known.payload_at);
  } catch (...) {
    free_envelope_room(made);
    throw;
  }
  return envelope_ptr{made};
}

template <class T>
[[nodiscard]] envelope_ptr make_envelope(T value) {
  return build_envelope<T>(
      [&](void* where) { std::construct_at(static_cast<T*>(where), std::move(value)); });
}

/// The same message once more, not yet sent. Null where it can neither be copied nor be written and
/// read. Throws what copying throws. Precondition: where it is written and read, the system is
/// `current_runtime`.
[[nodiscard]] inline envelope_ptr copy_of(const envelope& of) {
  const payload_ops& ops = *of.ops;
  if (ops.copy == nullptr && (ops.encode == nullptr || ops.decode == nullptr)) return {};
  auto made = make_envelope(ops, [&](void* where) {
    if (ops.copy != nullptr) return ops.copy(where, of.payload());
    buffer bytes;
    ops.encode(of.payload(), bytes);
    ops.decode(where, bytes.view(), ops.schema);
  });
  made->to = of.to;
  made->target = of.target;
  made->sent = of.sent;
  made->answer = of.answer;
  made->index = of.index;
  made->kind = of.kind;
  made->reserved = of.reserved;
  return made;
}

}  // namespace cairn::detail
