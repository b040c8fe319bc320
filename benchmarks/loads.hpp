// What a message carries besides the 8 bytes that its game needs, the same for every contender.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

namespace bench {

struct nothing {};
template <std::size_t Size>
struct bytes {
  std::array<std::uint64_t, Size / 8> all{};
  void serialize(auto& archive) { archive(all); }
};
using numbers = std::vector<std::uint64_t>;

inline constexpr const char* long_text = "a text that no small string has room for";

template <class Load>
[[nodiscard]] Load make_load() {
  if constexpr (std::is_same_v<Load, std::string>) {
    return long_text;
  } else if constexpr (std::is_same_v<Load, numbers>) {
    return numbers(8, 1);
  } else {
    return Load{};
  }
}

}  // namespace bench
