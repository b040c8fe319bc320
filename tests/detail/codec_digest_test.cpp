#include "cairn/detail/codec_digest.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include <cairn/detail/control.hpp>
#include <cereal/types/base_class.hpp>

#include "../catch.hpp"

namespace digests {

struct common {
  int number = 0;
  void serialize(auto& ar) { ar(number); }
};
struct left : virtual common {
  void serialize(auto& ar) { ar(cereal::virtual_base_class<common>(this)); }
};
struct right : virtual common {
  void serialize(auto& ar) { ar(cereal::virtual_base_class<common>(this)); }
};
struct both : left, right {
  void serialize(auto& ar) { ar(cereal::base_class<left>(this), cereal::base_class<right>(this)); }
};

struct versioned {
  int number = 0;
  void serialize(auto& ar, std::uint32_t) { ar(number); }
};

struct node {
  std::shared_ptr<const node> one{};
  std::shared_ptr<const node> other{};
  int number = 0;
  void serialize(auto& ar) { ar(one, other, number); }
};

struct sick {
  std::vector<std::vector<int>> before{};
  bool throws = false;
  void serialize(auto& ar) {
    ar(before);
    if (throws) throw std::runtime_error{"it does not serialize"};
  }
};

/// As a message that holds a ref.
struct pointing {
  cairn::detail::address to{};
  void save(auto& ar) const { cairn::detail::save_address(ar, to); }
  void load(auto& ar) { cairn::detail::load_address(ar, to); }
};
struct pair {
  int one = 0;
  int other = 0;
  void serialize(auto& ar) { ar(one, other); }
};
static_assert(cairn::detail::compared_by_bytes<std::int64_t>);
static_assert(cairn::detail::compared_by_bytes<pair>);
static_assert(!cairn::detail::compared_by_bytes<pointing>);

/// One room for all, as a turn has it.
std::unique_ptr<cairn::detail::digest_room> room;

template <class T>
std::uint64_t of(const T& value) {
  return cairn::detail::digest_of(value, room);
}

}  // namespace digests

TEST_CASE("equal values have equal digests, one after the other") {
  using namespace digests;
  const std::string text = "a text that no small string has room for";
  CHECK(of(text) == of(std::string{text}));
  CHECK(of(text) != of(text + " "));
  CHECK(of(1) != of(2));
  CHECK(of(1.5) != of(2.5));
  CHECK(of(std::vector{1, 2}) != of(std::vector{2, 1}));
  const std::vector<double> large(1000, 1.5);
  auto other = large;
  CHECK(of(large) == of(other));
  other.back() = 2;
  CHECK(of(large) != of(other));
  const std::array<std::uint64_t, 100> whole{};
  auto last = whole;
  last[99] = 1;
  CHECK(of(whole) != of(last));
}

TEST_CASE("who lives elsewhere in the next process has the same digest") {
  using namespace digests;
  cairn::detail::cell here, there;
  here.slot_index = there.slot_index = 7;
  const cairn::actor_id whose{9};
  CHECK(of(pointing{{&here, whose}}) == of(pointing{{&there, whose}}));
  CHECK(of(pointing{{&here, whose}}) != of(pointing{{&here, cairn::actor_id{10}}}));
}

TEST_CASE("what cereal remembers of one value makes no difference to the next") {
  using namespace digests;
  both one;
  one.number = 7;
  const auto first = of(one);
  CHECK(of(one) == first);
  one.number = 8;
  CHECK(of(one) != first);  // the same object, whose virtual base has been met before
  const auto with_version = of(versioned{1});
  CHECK(of(versioned{1}) == with_version);
  CHECK(of(versioned{2}) != with_version);
  const std::map<int, versioned> all{{1, {1}}, {2, {2}}};
  CHECK(of(all) == of(std::map<int, versioned>{all}));
}

TEST_CASE("hashed containers have one digest in whatever order, also in each other") {
  using namespace digests;
  using inner = std::unordered_map<int, versioned>;
  std::unordered_map<int, inner> up, down;
  up.rehash(1000);
  for (int at = 0; at < 100; ++at) up[at % 10][at] = {at};
  for (int at = 99; at >= 0; --at) down[at % 10][at] = {at};
  CHECK(of(up) == of(down));
  down[3][13].number = 0;
  CHECK(of(up) != of(down));
}

TEST_CASE("shared constants have the digest of their content, each looked at once") {
  using namespace digests;
  const auto leaf = [](int number) {
    return std::make_shared<const node>(node{nullptr, nullptr, number});
  };
  const auto one = leaf(1);
  CHECK(of(node{one, one, 0}) == of(node{one, leaf(1), 0}));
  CHECK(of(node{one, one, 0}) != of(node{one, leaf(2), 0}));
  CHECK(of(node{one, nullptr, 0}) != of(node{nullptr, one, 0}));
  auto top = leaf(0);  // 2 to the 100th paths lead to the leaf
  for (int at = 0; at < 100; ++at) top = std::make_shared<const node>(node{top, top, at});
  CHECK(of(node{top, nullptr, 0}) == of(node{top, nullptr, 0}));
}

TEST_CASE("a serialize that throws leaves no trace in what is digested next") {
  using namespace digests;
  const sick well{{{1}, {2, 3}}, false};
  const auto before = of(well);
  CHECK_THROWS_AS(of(sick{{{1}, {2, 3}}, true}), std::runtime_error);
  CHECK(of(well) == before);
}

TEST_CASE("an argument that may be no value is not looked at") {
  using namespace digests;
  const int number = 1;
  CHECK(cairn::detail::digest_of_argument(&number, room) == 0);
  CHECK(cairn::detail::digest_of_argument(nullptr, room) == 0);
  CHECK(cairn::detail::digest_of_argument(std::make_shared<int>(1), room) == 0);
  const char* const none = nullptr;
  CHECK(cairn::detail::digest_of_argument(none, room) == 0);
  CHECK(cairn::detail::digest_of_argument("text", room) ==
        cairn::detail::digest_of_argument(std::string{"text"}, room));
  CHECK(cairn::detail::digest_of_argument("text", room) !=
        cairn::detail::digest_of_argument("test", room));
}
