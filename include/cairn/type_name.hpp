// Stable names of types, for bytes that outlive the program that wrote them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace cairn {
namespace detail {

/// The type as this compiler spells it. Stable for plain named types only.
template <class T>
[[nodiscard]] constexpr std::string_view spelled_name() {
  // g++: "… spelled_name() [with T = X; std::string_view = …]", clang++: "… [T = X]"
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  text.remove_suffix(1);
  return text.substr(0, text.find("; std::string_view = "));
}

/// Letters, digits, '_' and "::" only: no template, unnamed namespace, local type or closure.
[[nodiscard]] constexpr bool is_plain_name(std::string_view name) {
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool beyond_ascii = static_cast<unsigned char>(c) >= 0x80;
    if (!letter && !beyond_ascii && !(c >= '0' && c <= '9') && c != ':') return false;
  }
  return !name.empty();
}

template <class T>
[[nodiscard]] constexpr std::string_view derived_type_name() {
  static_assert(is_plain_name(spelled_name<T>()),
                "give this type a stable name, right after its definition: "
                "template <> inline constexpr std::string_view cairn::type_name<T> = \"name\";");
  return spelled_name<T>();
}

/// 64-bit FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv). Written here because libraries hash
/// at run time only, and a name's hash is a constant of the program.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// Text that is put together while compiling.
template <const std::string_view&... Parts>
struct joined {
  static constexpr auto bytes = [] {
    std::array<char, (Parts.size() + ... + 0)> all{};
    std::size_t at = 0;
    const auto add = [&](std::string_view part) {
      for (const char c : part) all[at++] = c;
    };
    (add(Parts), ...);
    return all;
  }();
  static constexpr std::string_view text{bytes.data(), bytes.size()};
};

inline constexpr std::string_view vector_of = "vector<", optional_of = "optional<",
                                  pair_of = "pair<", map_of = "map<", comma = ",", closing = ">";

template <class T>
concept counting =
    std::is_integral_v<T> && std::is_same_v<T, std::remove_cv_t<T>> && !std::is_same_v<T, bool> &&
    !std::is_same_v<T, char> && !std::is_same_v<T, wchar_t> && !std::is_same_v<T, char8_t> &&
    !std::is_same_v<T, char16_t> && !std::is_same_v<T, char32_t>;

/// `long` and `long long` are one name where they are one size: their bytes are the same.
template <counting T>
[[nodiscard]] constexpr std::string_view counting_name() {
  constexpr bool is_signed = std::is_signed_v<T>;
  switch (sizeof(T)) {
    case 1:
      return is_signed ? "i8" : "u8";
    case 2:
      return is_signed ? "i16" : "u16";
    case 4:
      return is_signed ? "i32" : "u32";
    case 8:
      return is_signed ? "i64" : "u64";
    default:
      return is_signed ? "i128" : "u128";
  }
}

}  // namespace detail

/// The name of a type in snapshots. Derived for plain named types: `bank::deposit`. Templates and
/// types in unnamed namespaces or functions are given one by specialising it, as is a type that
/// has been renamed or lies in an inline namespace (compilers spell those differently):
///
///     template <>
///     inline constexpr std::string_view cairn::type_name<my<int>> = "my-int";
template <class T>
inline constexpr std::string_view type_name = detail::derived_type_name<T>();

template <detail::counting T>
inline constexpr std::string_view type_name<T> = detail::counting_name<T>();
template <>
inline constexpr std::string_view type_name<std::string> = "string";
template <class T>
inline constexpr std::string_view type_name<std::vector<T>> =
    detail::joined<detail::vector_of, type_name<T>, detail::closing>::text;
template <class T>
inline constexpr std::string_view type_name<std::optional<T>> =
    detail::joined<detail::optional_of, type_name<T>, detail::closing>::text;
template <class A, class B>
inline constexpr std::string_view type_name<std::pair<A, B>> =
    detail::joined<detail::pair_of, type_name<A>, detail::comma, type_name<B>,
                   detail::closing>::text;
template <class K, class V>
inline constexpr std::string_view type_name<std::map<K, V>> =
    detail::joined<detail::map_of, type_name<K>, detail::comma, type_name<V>,
                   detail::closing>::text;

/// The same as a function.
template <class T>
[[nodiscard]] constexpr std::string_view type_name_of() {
  return type_name<T>;
}

/// The name's hash: what records hold of a type.
template <class T>
inline constexpr std::uint64_t type_hash = detail::fnv1a(type_name<T>);

}  // namespace cairn
