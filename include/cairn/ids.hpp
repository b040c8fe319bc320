// Identifiers are types: two swapped integers compile, two swapped types do not.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace cairn {

/// The interval between two cuts. Rises by one with every flip and never goes back.
enum class epoch : std::uint64_t {};

/// How many messages an actor has consumed since its birth.
enum class position : std::uint64_t {};

/// Names a logical actor for ever: a name used again gets a new id. 0 names nobody.
enum class actor_id : std::uint64_t {};

/// Counts the lives of one actor: its birth is 0 and every restart adds one.
enum class incarnation : std::uint32_t {};

/// Names a dead letter that is kept in the store, for ever.
enum class letter_id : std::uint64_t {};

namespace detail {

template <class T>
concept identifier =
    std::same_as<T, epoch> || std::same_as<T, position> || std::same_as<T, actor_id> ||
    std::same_as<T, incarnation> || std::same_as<T, letter_id>;

}  // namespace detail

/// The number inside an identifier, for text and for bytes.
template <detail::identifier Id>
[[nodiscard]] constexpr auto raw(Id id) noexcept {
  return static_cast<std::underlying_type_t<Id>>(id);
}

/// The identifier that follows.
template <detail::identifier Id>
[[nodiscard]] constexpr Id next(Id id) noexcept {
  return static_cast<Id>(raw(id) + 1);
}

/// The identifier before. Precondition: `id` is not 0.
template <detail::identifier Id>
[[nodiscard]] constexpr Id previous(Id id) noexcept {
  return static_cast<Id>(raw(id) - 1);
}

}  // namespace cairn
