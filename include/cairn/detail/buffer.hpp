// A growing run of bytes, and a bounded view to read one back.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../error.hpp"

namespace cairn::detail {

static_assert(std::endian::native == std::endian::little,
              "cairn writes little-endian stores and has been tried on such machines only");

using bytes_view = std::span<const std::byte>;

/// Bytes that are appended to. Owned by one thread at a time.
///
/// No `std::vector`: it sets each byte that a read from a file then overwrites, and copies what
/// `realloc` can leave where it is.
class buffer {
 public:
  buffer() = default;
  buffer(const buffer& other) { append(other.view()); }
  buffer(buffer&& other) noexcept { swap(other); }
  buffer& operator=(buffer other) noexcept {
    swap(other);
    return *this;
  }
  ~buffer() { std::free(bytes_); }

  void append(const void* from, std::size_t count) {
    if (count > room_ - size_) grow(count);
    if (count != 0) std::memcpy(bytes_ + size_, from, count);
    size_ += count;
  }
  void append(bytes_view bytes) { append(bytes.data(), bytes.size()); }

  /// Appends the objects' bytes as they are in memory (little-endian), one behind the other.
  template <class... T>
    requires((std::is_arithmetic_v<T> || std::is_enum_v<T>) && ...)
  [[gnu::always_inline]] void put(T... values) {
    constexpr std::size_t count = (sizeof values + ...);
    if (count > room_ - size_) [[unlikely]]
      grow(count);
    std::byte* at = bytes_ + size_;
    ((std::memcpy(at, &values, sizeof values), at += sizeof values), ...);
    size_ += count;
  }

  /// Appends a length of 32 bits and the characters.
  void put_text(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    append(text.data(), text.size());
  }

  /// Overwrites what was put at `at` earlier. Precondition: it lies inside.
  template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
  void put_at(std::size_t at, T value) {
    check(at + sizeof value <= size_, "buffer::put_at outside the buffer");
    std::memcpy(bytes_ + at, &value, sizeof value);
  }

  void reserve(std::size_t count) {
    if (count > room_) set_room(count);
  }
  void resize(std::size_t count) {
    const std::size_t before = size_;
    resize_unset(count);
    if (count > before) std::memset(bytes_ + before, 0, count - before);
  }
  /// For who writes the new bytes at once: they may be anything until then.
  void resize_unset(std::size_t count) {
    reserve(count);
    size_ = count;
  }
  void clear() noexcept { size_ = 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t room() const noexcept { return room_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::byte* data() noexcept { return bytes_; }
  [[nodiscard]] bytes_view view() const noexcept { return {bytes_, size_}; }
  [[nodiscard]] bytes_view view_from(std::size_t at) const { return view().subspan(at); }

 private:
  void swap(buffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(room_, other.room_);
  }

  [[gnu::noinline]] void grow(std::size_t more) {
    set_room(std::max({size_ + more, room_ + room_ / 2, std::size_t{64}}));
  }
  void set_room(std::size_t room) {
    void* moved = std::realloc(bytes_, room);
    if (moved == nullptr) throw std::bad_alloc{};
    bytes_ = static_cast<std::byte*>(moved);
    room_ = room;
  }

  std::byte* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

/// Reads back what a `buffer` holds. Every read is checked against what is left.
///
/// Errors: throws `cairn::error{errc::damaged}` where more is asked for than is left.
class reader {
 public:
  explicit reader(bytes_view bytes) noexcept : rest_{bytes} {}

  void take(void* to, std::size_t count) {
    const auto from = take(count);
    if (count != 0) std::memcpy(to, from.data(), count);
  }
  [[nodiscard]] bytes_view take(std::size_t count) {
    if (count > rest_.size()) raise();
    const auto head = rest_.first(count);
    rest_ = rest_.subspan(count);
    return head;
  }
  template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
  [[nodiscard, gnu::always_inline]] T get() {
    if (sizeof(T) > rest_.size()) raise();
    T value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }
  [[nodiscard]] std::string_view get_text() {
    const auto bytes = take(get<std::uint32_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }
  [[nodiscard]] bytes_view rest() const noexcept { return rest_; }

 private:
  [[noreturn, gnu::cold]] static void raise() { throw error{errc::damaged, "bytes end too early"}; }

  bytes_view rest_;
};

}  // namespace cairn::detail
