// What replay compares of a value: a hash that stands for it within one process.
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
#include "hashing.hpp"

namespace cairn::detail {

/// Its bytes are the value itself: no pointers, padding, nor two ways to write the same.
template <class T>
concept compared_by_bytes =
    !std::is_empty_v<T> && (std::has_unique_object_representations_v<T> ||
                            std::is_same_v<T, float> || std::is_same_v<T, double>);

/// Whether anything is compared of such values.
template <class T>
concept is_compared = compared_by_bytes<T> || (!std::is_empty_v<T> && archived<T>);

/// Above this many bytes a scratch buffer is given back: one large value shall not keep its room.
inline constexpr std::size_t most_scratch = 64 * 1024;

template <class T>
[[nodiscard]] std::uint64_t digest_of_bytes(const T& value) noexcept {
  if constexpr (sizeof(T) <= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, &value, sizeof value);
    word *= 0x9e3779b97f4a7c15U;
    return word ^ (word >> 29U);
  } else {
    return hash_bytes(std::as_bytes(std::span{&value, std::size_t{1}}));
  }
}

/// Of what `serialize` writes. Throws what it throws.
template <archived T>
[[nodiscard]] std::uint64_t digest_of_written(const T& value, buffer& scratch) {
  scratch.clear();
  output_archive{scratch, purpose::digesting}(value);
  const std::uint64_t hash = hash_bytes(scratch.view());
  if (scratch.room() > most_scratch) scratch = {};
  return hash;
}

/// 0: such values are not compared.
template <class T>
[[nodiscard]] std::uint64_t digest_of(const T& value, buffer& scratch) {
  if constexpr (compared_by_bytes<T>) {
    return digest_of_bytes(value);
  } else if constexpr (is_compared<T>) {
    return digest_of_written(value, scratch);
  } else {
    return 0;
  }
}

/// The same of an argument, which need not be a value: a pointer may lead to something that a
/// replay does not have, or has elsewhere.
template <class T>
[[nodiscard]] std::uint64_t digest_of_argument(const T& given, buffer& scratch) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    const std::string_view text{given};
    return hash_bytes(std::as_bytes(std::span{text}));
  } else if constexpr (std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_array_v<T> ||
                       std::is_null_pointer_v<T>) {
    return 0;
  } else {
    return digest_of(given, scratch);
  }
}

}  // namespace cairn::detail
