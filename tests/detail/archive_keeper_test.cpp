// A kept archive writes each value as one of its own would.
#include <cairn/codec.hpp>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "../catch.hpp"

namespace kept_archives {

using cairn::detail::archive_keeper;
using cairn::detail::buffer;
using cairn::detail::current_archives;

struct plain {
  int number = 0;
  std::string text{};
  void serialize(auto& ar) { ar(number, text); }
};
struct dated {
  int number = 0;
  void serialize(auto& ar, std::uint32_t) { ar(number); }
};
struct around {
  std::vector<dated> all{};
  void serialize(auto& ar) { ar(all); }
};
struct sharing {
  std::shared_ptr<const std::string> first{}, second{};
  void serialize(auto& ar) { ar(first, second); }
};
struct root_of_both {
  int number = 0;
  void serialize(auto& ar) { ar(number); }
};
struct inheriting : virtual root_of_both {
  void serialize(auto& ar) { ar(cereal::virtual_base_class<root_of_both>(this)); }
};
struct deferring {
  int number = 0;
  std::string text{};
  void serialize(auto& ar) {
    ar(cereal::defer(text), number);
    ar.serializeDeferments();
  }
};
/// Encodes another value while it is written.
struct outer {
  int number = 0;
  void serialize(auto& ar) {
    buffer within;
    cairn::encode(plain{number, "within"}, within);
    auto size = static_cast<std::uint32_t>(within.size());
    ar(number, size);
  }
};
struct refusing {
  std::vector<int> some{1, 2};
  bool refuses = false;
  void serialize(auto& ar) {
    ar(some);
    if (refuses) throw std::runtime_error{"no"};
  }
};

}  // namespace kept_archives

CEREAL_CLASS_VERSION(kept_archives::dated, 3)

namespace kept_archives {

template <class T>
buffer encoded(const T& value) {
  buffer bytes;
  bytes.put(std::uint8_t{7});  // something stands there
  cairn::encode(value, bytes);
  return bytes;
}
bool same(const buffer& a, const buffer& b) { return std::ranges::equal(a.view(), b.view()); }

struct keeping {
  keeping() { current_archives = &keeper; }
  ~keeping() { current_archives = nullptr; }
  archive_keeper keeper{};
};

template <class T>
void check_same(const T& value) {
  REQUIRE(current_archives == nullptr);
  const buffer alone = encoded(value);
  const keeping all;
  for (int times = 0; times < 3; ++times) {
    CHECK(same(encoded(value), alone));
    CHECK(encoded(plain{1, "between"}).size() > 1);
  }
}

TEST_CASE("a kept archive writes what a new one would, whatever it has written before") {
  check_same(plain{5, "five"});
  check_same(around{{{1}, {2}}});  // the version stands before the first of each
  const auto text = std::make_shared<const std::string>("shared");
  check_same(sharing{text, text});
  check_same(outer{4});
  check_same(deferring{6, "six"});
  inheriting one;
  one.number = 9;
  check_same(one);
}

TEST_CASE("a kept archive forgets a value that could not be written") {
  const buffer alone = encoded(refusing{});
  const keeping all;
  CHECK(same(encoded(refusing{}), alone));
  buffer bytes;
  CHECK_THROWS_AS(cairn::encode(refusing{{3}, true}, bytes), std::runtime_error);
  CHECK(bytes.empty());
  CHECK(same(encoded(refusing{}), alone));
}

TEST_CASE("a kept archive keeps no shared value alive") {
  const keeping all;
  auto text = std::make_shared<const std::string>("shared");
  (void)encoded(sharing{text, text});
  CHECK(text.use_count() == 1);
}

}  // namespace kept_archives
