// The fewest bytes that a value takes: what bounds a container's size before anything is allocated.
#pragma once

#include <cstddef>
#include <type_traits>

namespace cairn::detail {

template <class T>
concept sized = requires(const T& all) {
  typename T::value_type;
  all.size();
};

/// The fewest bytes that a `T` is written as.
template <class T>
[[nodiscard]] constexpr std::size_t fewest_bytes() {
  if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    return sizeof(T);
  } else {
    return std::is_empty_v<T> ? 0 : 1;
  }
}

/// The fewest bytes of an element, where `T` is a container.
template <class T>
inline constexpr std::size_t element_floor = 1;
template <sized T>
inline constexpr std::size_t element_floor<T> = fewest_bytes<typename T::value_type>();

/// Containers whose elements might write nothing although they are not empty.
template <class T>
inline constexpr bool needs_floor_check = false;
template <sized T>
inline constexpr bool needs_floor_check<T> =
    std::is_class_v<typename T::value_type> && !std::is_empty_v<typename T::value_type>;

}  // namespace cairn::detail
