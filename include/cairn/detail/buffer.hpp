// A growing run of bytes, and a bounded view to read one back.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../error.hpp"

namespace cairn::detail {

static_assert(std::endian::native == std::endian::little,
              "cairn writes little-endian stores and has been tried on such machines only");

using bytes_view = std::span<const std::byte>;

/// Bytes that are appended to. Owned by one thread at a time.
class buffer {
 public:
  void append(const void* from, std::size_t count) {
    const auto* first = static_cast<const std::byte*>(from);
    bytes_.insert(bytes_.end(), first, first + count);
  }
  void append(bytes_view bytes) { append(bytes.data(), bytes.size()); }

  /// Appends the object's bytes as they are in memory (little-endian).
  template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
  void put(T value) {
    append(&value, sizeof value);
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
    check(at + sizeof value <= bytes_.size(), "buffer::put_at outside the buffer");
    std::memcpy(bytes_.data() + at, &value, sizeof value);
  }

  void reserve(std::size_t count) { bytes_.reserve(count); }
  void resize(std::size_t count) { bytes_.resize(count); }
  void clear() noexcept { bytes_.clear(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::byte* data() noexcept { return bytes_.data(); }
  [[nodiscard]] bytes_view view() const noexcept { return bytes_; }
  [[nodiscard]] bytes_view view_from(std::size_t at) const { return view().subspan(at); }

 private:
  std::vector<std::byte> bytes_;
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
    if (count > rest_.size()) throw error{errc::damaged, "bytes end too early"};
    const auto head = rest_.first(count);
    rest_ = rest_.subspan(count);
    return head;
  }
  template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
  [[nodiscard]] T get() {
    T value;
    take(&value, sizeof value);
    return value;
  }
  [[nodiscard]] std::string_view get_text() {
    const auto bytes = take(get<std::uint32_t>());
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }
  [[nodiscard]] bytes_view rest() const noexcept { return rest_; }

 private:
  bytes_view rest_;
};

}  // namespace cairn::detail
