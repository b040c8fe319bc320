// What replay compares of a value: a hash that stands for it within one version of a program.
//
// Equal values have equal ones, also where one of them has been written and read since: unordered
// containers count in whatever order they hold their elements, shared constants by content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "../codec.hpp"
#include "effect.hpp"
#include "hashing.hpp"

namespace cairn::detail {

/// Its bytes are the value itself, in the next process too: no padding, nor two ways to write the
/// same, nor a pointer, such as each `ref` has: whatever holds one is aligned as it is.
template <class T>
concept compared_by_bytes =
    std::is_same_v<T, float> || std::is_same_v<T, double> ||
    (!std::is_empty_v<T> && std::has_unique_object_representations_v<T> &&
     (std::is_integral_v<T> || std::is_enum_v<T> || alignof(T) < alignof(void*)));

/// Whether anything is compared of such values.
template <class T>
concept is_compared = compared_by_bytes<T> || (!std::is_empty_v<T> && archived<T>);

template <class T>
[[nodiscard]] std::uint64_t digest_of_bytes(const T& value) noexcept {
  if constexpr (sizeof(T) <= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    word = (word + 1) * 0x9e3779b97f4a7c15U;  // 0 is that nothing is known
    return word ^ (word >> 29U);
  } else {
    return hash_bytes(std::as_bytes(std::span{&value, std::size_t{1}}));
  }
}

/// An archive, which costs more to make than most values to write.
class digester final : public digest_room {
 public:
  template <class T>
  [[nodiscard]] std::uint64_t digest(const T& value) {
    bytes_.clear();
    archive_.begin_value();
    archive_(value);
    archive_.let_go();
    return hash_bytes(bytes_.view());
  }
  /// Whether the next value can be written by the same archive.
  [[nodiscard]] bool is_good() const noexcept {
    return bytes_.room() <= most_room && !archive_.remembers();
  }

 private:
  static constexpr std::size_t most_room = 64 * 1024;  ///< one large value shall not keep its room

  buffer bytes_{};
  output_archive archive_{bytes_, purpose::digesting};
};

/// Of what `serialize` writes. Throws what it throws.
template <archived T>
[[nodiscard]] std::uint64_t digest_of_written(const T& value, std::unique_ptr<digest_room>& room) {
  if (!room) room = std::make_unique<digester>();
  auto& with = static_cast<digester&>(*room);
  try {
    const std::uint64_t hash = with.digest(value);
    if (!with.is_good()) [[unlikely]]
      room.reset();
    return hash;
  } catch (...) {  // wherever it stands in the value
    room.reset();
    throw;
  }
}

/// 0: such values are not compared.
template <class T>
[[nodiscard]] std::uint64_t digest_of(const T& value, std::unique_ptr<digest_room>& room) {
  if constexpr (compared_by_bytes<T>) {
    return digest_of_bytes(value);
  } else if constexpr (is_compared<T>) {
    return digest_of_written(value, room);
  } else {
    return 0;
  }
}

/// The same of an argument, which need not be a value: a pointer may lead to something that a
/// replay does not have, or has elsewhere.
template <class T>
[[nodiscard]] std::uint64_t digest_of_argument(const T& given, std::unique_ptr<digest_room>& room) {
  if constexpr (std::is_null_pointer_v<T>) {
    return 0;
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    if constexpr (std::is_pointer_v<T>) {
      if (given == nullptr) return 0;
    }
    const std::string_view text{given};
    return hash_bytes(std::as_bytes(std::span{text}));
  } else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_array_v<T> ||
                       !ownership<T>::allowed) {
    return 0;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || archived<T>) {
    return digest_of(given, room);
  } else {
    return 0;  // a view, or another that holds an address
  }
}

}  // namespace cairn::detail
