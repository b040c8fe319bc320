// Values of every kind that the codec knows, decoded from what the fuzzer feeds in.
#pragma once

#include <array>
#include <cairn/codec.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/deque.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "store_doors.hpp"

namespace fuzz {

struct point {
  std::int32_t x = 0;
  double y = 0;
  void serialize(auto& ar) { ar(x, y); }
};
struct versioned {
  std::int32_t x = 0;
  std::string later{};
  void serialize(auto& ar, std::uint32_t version) {
    ar(x);
    if (version >= 2) ar(later);
  }
};
struct unregistered {
  std::int32_t x = 0;
  void serialize(auto& ar, std::uint32_t) { ar(x); }
};
struct derived : versioned {
  std::int32_t z = 0;
  void serialize(auto& ar) { ar(cereal::base_class<versioned>(this), z); }
};
struct empty {};
struct chain {
  std::unique_ptr<chain> next{};
  void serialize(auto& ar) { ar(next); }
};
struct tree {
  std::vector<tree> below{};
  std::optional<std::string> name{};
  void serialize(auto& ar) { ar(below, name); }
};
enum class colour : std::uint8_t { red, green };

struct shared_values {
  std::shared_ptr<const point> one = std::make_shared<point>(point{5, 6});
  std::shared_ptr<const point> again = one;
  std::shared_ptr<const std::string> other = std::make_shared<std::string>("other");
  std::vector<std::shared_ptr<const std::string>> many{other, nullptr, other};
  std::shared_ptr<const std::shared_ptr<const point>> nested =
      std::make_shared<std::shared_ptr<const point>>(one);
  void serialize(auto& ar) { ar(one, again, other, many, nested); }
};

struct everything {
  std::string text = "a text that is longer than the small buffer";
  std::vector<std::int64_t> numbers{1, -2, 3};
  std::vector<bool> bits{true, false, true};
  std::vector<point> points{{1, 2.5}, {3, 4.5}};
  std::map<std::string, std::vector<std::optional<std::int8_t>>> nested{{"a", {1, {}}}, {"b", {}}};
  std::set<std::u16string> wide{u"x", u"yy"};
  std::unique_ptr<point> owned = std::make_unique<point>(point{7, 8});
  std::variant<std::monostate, int, std::string, std::vector<colour>> choice = "chosen";
  std::chrono::milliseconds time{1234};
  std::chrono::system_clock::time_point when{};
  std::array<bool, 3> flags{true, false, true};
  std::tuple<int, std::string, char> mixed{1, "two", '3'};
  std::bitset<11> set{0x5a5};
  std::deque<std::string> queue{"p", "q"};
  cairn::errc code = cairn::errc::io;
  cairn::result<std::string> answer{cairn::failure{cairn::errc::rejected, "no"}};
  versioned old{9};
  derived below{};
  bool raw[2] = {true, false};
  empty nothing{};
  void serialize(auto& ar) {
    ar(text, numbers, bits, points, nested, wide, owned, choice, time, when, flags, mixed, set);
    ar(queue, code, answer, old, below, raw, nothing);
  }
};

}  // namespace fuzz

CEREAL_CLASS_VERSION(fuzz::versioned, 3)

namespace fuzz {

/// Decodes, and where that goes well: what is encoded again decodes to the same.
template <class T>
[[nodiscard]] bool try_value(bytes_view from) {
  T value{};
  if (!goes_well([&] { cairn::decode(value, from); })) return false;
  buffer once;
  cairn::encode(value, once);
  T back{};
  cairn::decode(back, once.view());
  buffer twice;
  cairn::encode(back, twice);
  require(text_of(once.view()) == text_of(twice.view()), "a value is not what was encoded");
  return true;
}

using hash_map = std::unordered_map<std::uint32_t, std::string>;

/// By the first byte of the only part.
[[nodiscard]] inline bool try_codec(const input& from) {
  if (from.parts.empty() || from.parts.front().empty()) return false;
  const auto& part = from.parts.front();
  const auto rest = view_of(part).subspan(1);
  switch (static_cast<unsigned char>(part.front()) % 9U) {
    case 0:
      return try_value<everything>(rest);
    case 1:
      return try_value<shared_values>(rest);
    case 2:
      return try_value<chain>(rest);
    case 3:
      return try_value<tree>(rest);
    case 4:
      return try_value<std::vector<std::vector<empty>>>(rest);
    case 5:
      return try_value<std::vector<derived>>(rest);
    case 6:
      return try_value<unregistered>(rest);
    case 7:
      return try_value<std::map<std::string, std::map<int, std::vector<everything>>>>(rest);
    default: {
      hash_map value;  // its order is not that of its bytes
      return goes_well([&] { cairn::decode(value, rest); });
    }
  }
}

}  // namespace fuzz
