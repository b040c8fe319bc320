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
/// lies in an inline namespace (compilers spell those differently):
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

/// Some names, for `former_names`.
template <class... Texts>
  requires(std::is_convertible_v<Texts, std::string_view> && ...)
[[nodiscard]] consteval std::array<std::string_view, sizeof...(Texts)> names(Texts... texts) {
  return {texts...};
}

/// The names that a type had before, the oldest first: what stores hold under them is read as `T`,
/// and written anew under its present name. To be specialised right after the type's definition:
///
///     template <>
///     inline constexpr auto cairn::former_names<account> = cairn::names("bank::konto");
template <class T>
inline constexpr auto former_names = names();

namespace detail {

/// A text as a template's argument.
template <std::size_t Size>
struct fixed_text {
  // NOLINTNEXTLINE(*explicit*): it is written as a plain text
  consteval fixed_text(const char (&text)[Size]) {
    for (std::size_t at = 0; at < Size; ++at) bytes[at] = text[at];
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {bytes, Size - 1}; }
  char bytes[Size]{};
};

/// The hashes of all names of `T`, the present one first.
template <class T>
inline constexpr auto name_hashes = [] {
  std::array<std::uint64_t, 1 + former_names<T>.size()> all{type_hash<T>};
  std::size_t at = 1;
  for (const auto name : former_names<T>) all[at++] = fnv1a(name);
  return all;
}();

/// Of its oldest name: the same for as long as there is such a type.
template <class T>
inline constexpr std::uint64_t origin_hash = name_hashes<T>[name_hashes<T>.size() > 1 ? 1 : 0];

template <class T, class U>
[[nodiscard]] consteval bool share_a_name() {
  for (const auto one : name_hashes<T>) {
    for (const auto other : name_hashes<U>) {
      if (one == other) return true;
    }
  }
  return false;
}

}  // namespace detail

/// Listed in `cairn::actors<…>` for a type that is no more: `cairn::retired<"bank::ledger">`.
/// Actors of that name are stopped when the program begins, messages of that name become dead
/// letters.
template <detail::fixed_text Name>
struct retired {
  static constexpr std::string_view name = Name.view();
};
template <detail::fixed_text Name>
inline constexpr std::string_view type_name<retired<Name>> = retired<Name>::name;

}  // namespace cairn
