// Values as they are compared: equal ones are written as equal bytes, in whatever order their
// unordered containers hold their elements.
//
// What is stored is written by the same functions, in the container's own order: cereal's layout.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "codec_shared.hpp"

namespace cairn::detail {

/// Appends what `each` holds in the order of the bytes.
inline void put_sorted(output_archive& archive, std::vector<buffer> each) {
  std::sort(each.begin(), each.end(), [](const buffer& a, const buffer& b) {
    return std::lexicographical_compare(a.view().begin(), a.view().end(), b.view().begin(),
                                        b.view().end());
  });
  for (const buffer& one : each) archive.write(one.view().data(), one.size());
}

/// `put(archive, element)` writes one. Sorted, each has an archive of its own: what stands for
/// shared objects must not depend on which element came first.
template <class Container, class Put>
void save_unordered(output_archive& archive, const Container& all, Put put) {
  archive(cereal::make_size_tag(static_cast<cereal::size_type>(all.size())));
  if (archive.is_for() == purpose::storing) {
    for (const auto& one : all) put(archive, one);
    return;
  }
  if (archive.is_for() == purpose::digesting) {
    std::uint64_t sum = 0;
    for (const auto& one : all) sum += archive.digest([&] { put(archive, one); });
    return archive.write(&sum, sizeof sum);
  }
  std::vector<buffer> each;
  each.reserve(all.size());
  for (const auto& one : all) {
    output_archive apart{each.emplace_back(), purpose::comparing};
    put(apart, one);
  }
  put_sorted(archive, std::move(each));
}

inline constexpr auto put_pair = [](output_archive& archive, const auto& one) {
  archive(cereal::make_map_item(one.first, one.second));
};
inline constexpr auto put_key = [](output_archive& archive, const auto& one) { archive(one); };

// More special than cereal's own, which write in the container's order.

template <class K, class V, class H, class E, class A>
void save(output_archive& archive, const std::unordered_map<K, V, H, E, A>& all) {
  save_unordered(archive, all, put_pair);
}
template <class K, class V, class H, class E, class A>
void save(output_archive& archive, const std::unordered_multimap<K, V, H, E, A>& all) {
  save_unordered(archive, all, put_pair);
}
template <class K, class H, class E, class A>
void save(output_archive& archive, const std::unordered_set<K, H, E, A>& all) {
  save_unordered(archive, all, put_key);
}
template <class K, class H, class E, class A>
void save(output_archive& archive, const std::unordered_multiset<K, H, E, A>& all) {
  save_unordered(archive, all, put_key);
}

/// Where two encodings differ, and how, for people. Empty: they do not.
[[nodiscard]] inline std::string difference_of(bytes_view before, bytes_view now) {
  const auto [a, b] = std::mismatch(before.begin(), before.end(), now.begin(), now.end());
  if (a == before.end() && b == now.end()) return {};
  const auto from = static_cast<std::size_t>(a - before.begin());
  const auto shown = [&](bytes_view all) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text = std::to_string(all.size()) + " bytes,";
    for (const std::byte each :
         all.subspan(from).first(std::min<std::size_t>(8, all.size() - from))) {
      const auto value = std::to_integer<unsigned>(each);
      text += {' ', digits[value / 16], digits[value % 16]};
    }
    return text;
  };
  return "from byte " + std::to_string(from) + " on: it was " + shown(before) + " and now is " +
         shown(now);
}

}  // namespace cairn::detail
