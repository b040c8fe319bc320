// A message on its way: who it is for, the epoch of the turn that sent it, and the value itself.
//
// An envelope has one owner at any time: the turn that builds it, then the mailbox it is linked
// into, then the worker that takes it out. Nothing in it is atomic; `mailbox` passes it on.
#pragma once

#include <algorithm>
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

namespace cairn::detail {

struct cell;

/// What can be done with a value whose type is no longer known. `encode` and `decode` are set when
/// a program lists the type in `cairn::actors<…>`, so that sending a message needs no codec.
struct payload_ops {
  std::string_view name{};
  std::uint64_t hash = 0;
  std::uint64_t origin = 0;                 ///< hash of the oldest name
  std::span<const std::uint64_t> hashes{};  ///< of all names that the type has had
  std::uint32_t schema = 0;                 ///< in which it is encoded, see `schema_of`
  std::uint32_t size = 0;
  std::uint32_t align = 1;
  bool trivial = false;  ///< its bytes may be copied
  void (*destroy)(void* value) noexcept = nullptr;
  void (*copy)(void* to, const void* from) = nullptr;  ///< null: move-only
  void (*move)(void* to, void* from) = nullptr;
  void (*encode)(const void* value, buffer& to) = nullptr;
  /// Constructs at `to` what was written in that schema.
  void (*decode)(void* to, bytes_view from, std::uint32_t schema) = nullptr;
};

template <class T>
constexpr payload_ops plain_ops_of() noexcept {
  payload_ops ops;
  ops.size = sizeof(T);
  ops.align = alignof(T);
  ops.trivial = std::is_trivially_copyable_v<T>;
  ops.destroy = [](void* value) noexcept { std::destroy_at(static_cast<T*>(value)); };
  ops.move = [](void* to, void* from) {
    std::construct_at(static_cast<T*>(to), std::move(*static_cast<T*>(from)));
  };
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

struct envelope {
  envelope* next = nullptr;
  const payload_ops* ops = nullptr;
  cell* to = nullptr;
  actor_id target{};         ///< the cell may have been given to another actor meanwhile
  epoch sent{};              ///< of the turn that sent it
  epoch recorded{};          ///< the snapshot that holds it, 0: none
  std::uint64_t ticket = 0;  ///< its number in the mailbox, 0 before it stands in one
  return_address answer{};
  std::uint16_t index = 0;  ///< of the message in the receiver's protocol
  envelope_kind kind = envelope_kind::message;
  errc code = errc::ok;   ///< a reply that is none
  bool reserved = false;  ///< its sender waited for room: exempt from the bound
  bool spoilt = false;    ///< its value could not be encoded: nobody handles it

  [[nodiscard]] static std::size_t offset_of_payload(std::size_t align) noexcept {
    return (sizeof(envelope) + align - 1) / align * align;
  }
  [[nodiscard]] void* payload() noexcept {
    return reinterpret_cast<std::byte*>(this) + offset_of_payload(ops->align);
  }
  [[nodiscard]] const void* payload() const noexcept {
    return reinterpret_cast<const std::byte*>(this) + offset_of_payload(ops->align);
  }
};

[[nodiscard]] inline std::align_val_t alignment_of(const payload_ops& ops) noexcept {
  return std::align_val_t{std::max<std::size_t>(ops.align, alignof(envelope))};
}

/// Raw room for an envelope and its payload, which the caller constructs.
[[nodiscard]] inline envelope* allocate_envelope(const payload_ops& ops) {
  void* room = ::operator new(envelope::offset_of_payload(ops.align) + ops.size, alignment_of(ops));
  auto* made = std::construct_at(static_cast<envelope*>(room));
  made->ops = &ops;
  return made;
}

/// Gives back the room of an envelope whose payload is already gone.
inline void free_envelope_room(envelope* gone) noexcept {
  const auto align = alignment_of(*gone->ops);
  std::destroy_at(gone);
  ::operator delete(static_cast<void*>(gone), align);
}

inline void destroy_envelope(envelope* gone) noexcept {
  gone->ops->destroy(gone->payload());
  free_envelope_room(gone);
}

struct envelope_deleter {
  void operator()(envelope* gone) const noexcept { destroy_envelope(gone); }
};
using envelope_ptr = std::unique_ptr<envelope, envelope_deleter>;

/// Builds an envelope whose value `construct(void* where)` makes.
template <class Construct>
[[nodiscard]] envelope_ptr make_envelope(const payload_ops& ops, Construct&& construct) {
  envelope* made = allocate_envelope(ops);
  try {
    construct(made->payload());
  } catch (...) {
    free_envelope_room(made);
    throw;
  }
  return envelope_ptr{made};
}

template <class T>
[[nodiscard]] envelope_ptr make_envelope(T value) {
  return make_envelope(
      ops_of<T>, [&](void* where) { std::construct_at(static_cast<T*>(where), std::move(value)); });
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

/// What replay compares of a value: its first 64 bytes where these are the value itself, else
/// nothing. Mixed in as the message is built, so it must cost next to nothing. Refs hold addresses,
/// so it is the same within one process only.
template <class T>
[[nodiscard]] std::uint64_t digest_of(const T& value) noexcept {
  if constexpr (std::is_empty_v<T> || !std::has_unique_object_representations_v<T>) {
    return 0;
  } else {
    constexpr std::size_t length = std::min<std::size_t>(sizeof(T), 64);
    std::uint64_t mixed = 0;
    for (std::size_t at = 0; at < length; at += sizeof mixed) {
      std::uint64_t word = 0;
      std::memcpy(&word, reinterpret_cast<const std::byte*>(&value) + at,
                  std::min(sizeof word, length - at));
      mixed = (mixed ^ word) * 0x9e3779b97f4a7c15U;
      mixed ^= mixed >> 29U;
    }
    return mixed;
  }
}

/// A run of envelopes in order, linked through `next`. Owns them.
class envelope_list {
 public:
  envelope_list() = default;
  envelope_list(envelope_list&& other) noexcept { swap(other); }
  envelope_list& operator=(envelope_list&& other) noexcept {
    envelope_list{std::move(other)}.swap(*this);
    return *this;
  }
  ~envelope_list() { clear(); }

  void push_back(envelope_ptr owned) noexcept {
    envelope* last = owned.release();
    last->next = nullptr;
    (tail_ != nullptr ? tail_->next : head_) = last;
    tail_ = last;
    ++count_;
  }
  [[nodiscard]] envelope_ptr pop_front() noexcept {
    envelope* first = head_;
    head_ = first->next;
    if (head_ == nullptr) tail_ = nullptr;
    first->next = nullptr;
    --count_;
    return envelope_ptr{first};
  }
  void push_front(envelope_ptr owned) noexcept {
    envelope* first = owned.release();
    first->next = head_;
    head_ = first;
    if (tail_ == nullptr) tail_ = first;
    ++count_;
  }
  /// Takes out what stands behind `before`, which is in the list, or in front where that is null.
  /// Precondition: there is something.
  [[nodiscard]] envelope_ptr take_after(envelope* before) noexcept {
    if (before == nullptr) return pop_front();
    envelope* taken = before->next;
    before->next = std::exchange(taken->next, nullptr);
    if (tail_ == taken) tail_ = before;
    --count_;
    return envelope_ptr{taken};
  }
  void put_after(envelope* before, envelope_ptr owned) noexcept {
    if (before == nullptr) return push_front(std::move(owned));
    envelope* put = owned.release();
    put->next = std::exchange(before->next, put);
    if (tail_ == before) tail_ = put;
    ++count_;
  }
  void clear() noexcept {
    while (head_ != nullptr) pop_front().reset();
  }
  [[nodiscard]] envelope* front() const noexcept { return head_; }
  [[nodiscard]] envelope* back() const noexcept { return tail_; }
  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

  void swap(envelope_list& other) noexcept {
    std::swap(head_, other.head_);
    std::swap(tail_, other.tail_);
    std::swap(count_, other.count_);
  }

 private:
  envelope* head_ = nullptr;
  envelope* tail_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace cairn::detail
