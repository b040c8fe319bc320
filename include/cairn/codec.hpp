// State and messages to bytes and back: cereal's portable binary layout, checked while it is read.
#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include <cereal/types/array.hpp>
#include <cereal/types/chrono.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/set.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/tuple.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include "detail/archive.hpp"
#include "detail/archive_keeper.hpp"
#include "detail/buffer.hpp"
#include "detail/codec_sorted.hpp"
#include "error.hpp"
#include "type_name.hpp"

namespace cairn {
namespace detail {

template <class T>
concept archived = cereal::traits::is_output_serializable<T, output_archive>::value &&
                   cereal::traits::is_input_serializable<T, input_archive>::value;

template <class T>
[[nodiscard]] std::string about(const std::string& what) {
  return std::string{spelled_name<T>()} + ": " + what;
}

template <class T>
consteval bool check_encodable() {
  static_assert(std::is_empty_v<T> || archived<T>,
                "state must serialize: write void serialize(auto& ar) { ar(members...); }");
  static_assert(std::default_initializable<T>,
                "state must be default-constructible: it is made first and then read");
  return true;
}

/// What records say of the version in which a type's bytes were written: 0 where its `serialize`
/// takes none, else the version and one.
template <class T>
[[nodiscard]] std::uint32_t schema_of() {
  if constexpr (versioned<T>) {
    return version_of<T> + 1;
  } else {
    return 0;
  }
}

[[nodiscard]] inline std::string text_of_schema(std::uint32_t schema) {
  return schema == 0 ? "without a version" : "in version " + std::to_string(schema - 1);
}

/// Why bytes of schema `found` are not read where `known` is the program's.
[[nodiscard]] inline std::string newer_text(std::uint32_t found, std::uint32_t known) {
  return "it was written " + text_of_schema(found) + ", this program reads " +
         (known == 0 ? "it without a version" : "up to version " + std::to_string(known - 1));
}

template <class T>
void decode_written(T& value, bytes_view from, std::uint32_t schema);

}  // namespace detail

/// What can be written and read back: a default-constructible type that serializes the way cereal
/// knows (`serialize`, `save` and `load`, members or not), or that is empty.
template <class T>
concept encodable = std::default_initializable<T> && (std::is_empty_v<T> || detail::archived<T>);

/// Appends `value` to `to`, in cereal's portable binary layout, little-endian. An empty type
/// without functions of its own takes no bytes.
///
/// Errors: what `serialize` throws; `errc::misuse` where values are nested deeper than
/// `detail::max_nesting`, or elements write nothing. `to` is as before then.
/// Thread safety: values and buffers apart, any number of threads.
template <class T>
void encode(const T& value, detail::buffer& to) {
  static_assert(detail::check_encodable<T>());
  if constexpr (detail::archived<T>) {
    const std::size_t before = to.size();
    try {
      if (detail::archive_keeper* kept = detail::current_archives) {
        kept->write(to, [&](detail::output_archive& archive) { archive(value); });
      } else {
        detail::output_archive{to}(value);
      }
    } catch (...) {
      to.resize(before);
      throw;
    }
  }
}

/// Reads what `encode` wrote. All of `from` belongs to the value.
///
/// Errors: `errc::damaged` where the bytes are no such value, `errc::newer_schema` where a class
/// version is above this program's; both name the type. `value` is then valid, and unspecified.
/// Thread safety: values apart, any number of threads.
template <class T>
void decode(T& value, detail::bytes_view from) {
  detail::decode_written(value, from, detail::schema_of<T>());
}

namespace detail {

/// The same of bytes that were written in this schema.
template <class T>
void decode_written(T& value, bytes_view from, std::uint32_t schema) {
  static_assert(detail::check_encodable<T>());
  try {
    if (schema > schema_of<T>()) {
      throw error{errc::newer_schema, newer_text(schema, schema_of<T>())};
    }
    reader bytes{from};
    if constexpr (archived<T>) input_archive{bytes, schema != 0}(value);
    if (bytes.left() != 0) throw error{errc::damaged, "bytes are left over"};
  } catch (const error& why) {
    throw error{why.code(), detail::about<T>(why.what())};
  } catch (...) {  // cereal's, the allocator's, whatever a check in `serialize` throws
    throw error{errc::damaged, detail::about<T>(detail::text_of_caught())};
  }
}

/// Where a value differs from what it was, and how, for people. Empty: by `==`, where its type has
/// it, or by what a snapshot holds of it they are equal.
///
/// Errors: what `serialize` throws.
template <class T>
[[nodiscard]] std::string difference_of(const T& before, const T& now) {
  if constexpr (std::equality_comparable<T>) {
    if (before == now) return {};
  }
  buffer was, is;
  if constexpr (archived<T>) {
    output_archive{was, purpose::comparing}(before);
    output_archive{is, purpose::comparing}(now);
  }
  return difference_of(was.view(), is.view());
}

}  // namespace detail

/// The same as a value.
template <class T>
[[nodiscard]] T decode(detail::bytes_view from) {
  T value{};
  decode(value, from);
  return value;
}

}  // namespace cairn
