#include "cairn/codec.hpp"

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/bitset.hpp>
#include <cereal/types/deque.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "catch.hpp"

namespace codec_test {

struct point {
  std::int32_t x = 0;
  double y = 0;
  void serialize(auto& ar) { ar(x, y); }
  bool operator==(const point&) const = default;
};
struct versioned {
  std::int32_t x = 0;
  void serialize(auto& ar, std::uint32_t version) {
    ar(x);
    seen = version;
  }
  std::uint32_t seen = 0;
};
struct unregistered {
  std::int32_t x = 0;
  void serialize(auto& ar, std::uint32_t) { ar(x); }
};
struct derived : versioned {
  std::int32_t z = 0;
  void serialize(auto& ar) { ar(cereal::base_class<versioned>(this), z); }
};
struct holder {
  versioned inside{};
  std::uint32_t seen = 99;
  void serialize(auto& ar, std::uint32_t version) {
    ar(inside);
    seen = version;
  }
};
struct empty {};
struct silent {
  int kept_out = 0;
  void serialize(auto&) {}
};
struct misspelt {
  int x = 0;
  void serialise(auto& ar) { ar(x); }
};
struct chain {
  std::unique_ptr<chain> next{};
  void serialize(auto& ar) { ar(next); }
};
struct everything {
  std::string text = "a text that is longer than the small buffer";
  std::vector<std::int64_t> numbers{1, -2, 3};
  std::vector<bool> bits{true, false, true};
  std::vector<point> points{{1, 2.5}, {3, 4.5}};
  std::map<std::string, std::vector<std::optional<std::int8_t>>> nested{{"a", {1, {}}}, {"b", {}}};
  std::unordered_map<int, std::string> one{{7, "seven"}};
  std::set<std::u16string> wide{u"x", u"yy"};
  std::shared_ptr<const point> shared = std::make_shared<point>(point{5, 6});
  std::shared_ptr<const point> again = shared;
  std::shared_ptr<const point> none{};
  std::shared_ptr<const std::string> other = std::make_shared<std::string>("other");
  std::unique_ptr<point> owned = std::make_unique<point>(point{7, 8});
  std::variant<std::monostate, int, std::string> choice = "chosen";
  std::chrono::milliseconds time{1234};
  std::array<bool, 3> flags{true, false, true};
  std::array<std::optional<bool>, 3> unknown{};
  std::tuple<int, std::string, char> mixed{1, "two", '3'};
  std::bitset<11> set{0x5a5};
  std::deque<std::string> queue{"p", "q"};
  cairn::errc code = cairn::errc::io;
  versioned old{9};
  derived below{};
  bool raw[2] = {true, false};
  empty nothing{};

  void serialize(auto& ar) {
    ar(text, numbers, bits, points, nested, one, wide, shared, again, none, other, owned, choice);
    ar(time, flags, unknown, mixed, set, queue, code, old, below, raw, nothing);
  }
};

struct both {
  std::shared_ptr<const std::array<std::int32_t, 2>> whole{};
  std::shared_ptr<const std::int32_t> first{};
  void serialize(auto& ar) { ar(whole, first); }
};

template <class T>
std::string ours(const T& value) {
  cairn::detail::buffer to;
  cairn::encode(value, to);
  return {reinterpret_cast<const char*>(to.data()), to.size()};
}
template <class T>
std::string theirs(const T& value) {
  std::ostringstream to;
  cereal::PortableBinaryOutputArchive{
      to, cereal::PortableBinaryOutputArchive::Options::LittleEndian()}(value);
  return to.str();
}
cairn::detail::bytes_view bytes(const std::string& text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}
template <class T>
cairn::errc refusal(const std::string& text) {
  try {
    (void)cairn::decode<T>(bytes(text));
  } catch (const cairn::error& why) {
    return why.code();
  }
  return cairn::errc::ok;
}
template <class T>
cairn::errc encode_refusal(const T& value) {
  cairn::detail::buffer to;
  to.put(std::uint8_t{42});
  try {
    cairn::encode(value, to);
  } catch (const cairn::error& why) {
    CHECK(to.size() == 1);
    return why.code();
  }
  return cairn::errc::ok;
}
chain chained(int count) {
  chain made;
  for (int i = 1; i < count; ++i) {
    auto longer = std::make_unique<chain>(std::move(made));
    made.next = std::move(longer);
  }
  return made;
}

static_assert(cairn::encodable<everything> && cairn::encodable<int> && cairn::encodable<empty>);
static_assert(cairn::encodable<cairn::result<std::string>> && cairn::encodable<cairn::failure>);
static_assert(cairn::encodable<std::shared_ptr<const int>>);
static_assert(!cairn::encodable<std::shared_ptr<int>> && !cairn::encodable<std::weak_ptr<int>>);
static_assert(!cairn::encodable<misspelt> && !cairn::encodable<long double>);

}  // namespace codec_test

CEREAL_CLASS_VERSION(codec_test::versioned, 3)

using namespace codec_test;

TEST_CASE("bytes are laid out as in cereal's portable binary archive") {
  CHECK(ours(everything{}) == theirs(everything{}));
  CHECK(ours(std::int16_t{-5}) == theirs(std::int16_t{-5}));
  CHECK(ours(point{1, 2}) == theirs(point{1, 2}));
  CHECK(ours(unregistered{4}) == theirs(unregistered{4}));
  CHECK(ours(std::vector<empty>(3)) == theirs(std::vector<empty>(3)));
}

TEST_CASE("what was encoded is decoded") {
  const auto text = ours(everything{});
  const auto back = cairn::decode<everything>(bytes(text));
  CHECK(ours(back) == text);
  CHECK(back.shared == back.again);
  CHECK(back.none == nullptr);
  CHECK(*back.other == "other");
  CHECK(back.points == everything{}.points);
  CHECK(back.old.seen == 3);
  CHECK(cairn::decode<std::vector<empty>>(bytes(ours(std::vector<empty>(3)))).size() == 3);
}

TEST_CASE("an empty type takes no bytes") {
  CHECK(ours(empty{}).empty());
  (void)cairn::decode<empty>({});
  CHECK(refusal<empty>("x") == cairn::errc::damaged);
}

TEST_CASE("a result is encoded with its value or its failure") {
  using cairn::result;
  CHECK(cairn::decode<result<int>>(bytes(ours(result<int>{5}))).value() == 5);
  const result<int> failed{cairn::failure{cairn::errc::rejected, "no"}};
  CHECK(cairn::decode<result<int>>(bytes(ours(failed))).why().text == "no");
}

TEST_CASE("a shared address with two types stays two objects") {
  auto whole =
      std::make_shared<const std::array<std::int32_t, 2>>(std::array<std::int32_t, 2>{11, 12});
  const both given{whole, std::shared_ptr<const std::int32_t>{whole, whole->data()}};
  const auto back = cairn::decode<both>(bytes(ours(given)));
  CHECK((*back.whole)[1] == 12);
  CHECK(*back.first == 11);
}

TEST_CASE("damage is refused by name") {
  const auto good = ours(point{1, 2});
  CHECK(refusal<point>(good) == cairn::errc::ok);
  CHECK(refusal<point>(good + "x") == cairn::errc::damaged);
  CHECK(refusal<point>("") == cairn::errc::damaged);
  CHECK(refusal<point>("\0" + good.substr(1)) == cairn::errc::damaged);
  CHECK(refusal<bool>("\1\2") == cairn::errc::damaged);
  CHECK(refusal<std::array<bool, 2>>("\1\1\2") == cairn::errc::damaged);
  try {
    (void)cairn::decode<point>({});
    FAIL("nothing was thrown");
  } catch (const cairn::error& why) {
    CHECK(std::string{why.what()}.find("codec_test::point") != std::string::npos);
  }
}

TEST_CASE("sizes are checked against what is left") {
  const std::string text{
      "\1\0\0\0\0\0\0\0\x10"
      "abc",
      12};
  CHECK(refusal<std::string>(text) == cairn::errc::damaged);
  CHECK(refusal<std::vector<double>>(text) == cairn::errc::damaged);
  CHECK(refusal<std::vector<point>>(text) == cairn::errc::damaged);
  CHECK(refusal<std::map<int, int>>(text) == cairn::errc::damaged);
  CHECK(refusal<std::vector<empty>>(text) == cairn::errc::damaged);
  const std::string two_doubles{
      "\1\2\0\0\0\0\0\0\0"
      "12345678",
      17};
  CHECK(refusal<std::vector<double>>(two_doubles) == cairn::errc::damaged);
  const std::vector<empty> many(cairn::detail::max_empty_elements / 2);
  const auto count = ours(many).substr(1);
  CHECK(refusal<std::vector<std::vector<empty>>>(two_doubles.substr(0, 9) + count + count) ==
        cairn::errc::ok);
  CHECK(refusal<std::vector<std::vector<empty>>>("\1\3" + two_doubles.substr(2, 7) + count + count +
                                                 count) == cairn::errc::damaged);
}

TEST_CASE("what could not be read back is not written") {
  CHECK(encode_refusal(std::vector<silent>(1)) == cairn::errc::misuse);
  CHECK(encode_refusal(std::vector<empty>(cairn::detail::max_empty_elements + 1)) ==
        cairn::errc::misuse);
  const auto many = std::vector<empty>(cairn::detail::max_empty_elements / 2);
  CHECK(encode_refusal(std::vector<std::vector<empty>>(2, many)) == cairn::errc::ok);
  CHECK(encode_refusal(std::vector<std::vector<empty>>(3, many)) == cairn::errc::misuse);
  CHECK(encode_refusal(chained(1000)) == cairn::errc::misuse);
  CHECK(refusal<chain>(ours(chained(100))) == cairn::errc::ok);
  CHECK(refusal<chain>("\1" + std::string(1000, '\1')) == cairn::errc::damaged);
}

TEST_CASE("shared values that are not there are refused") {
  using pair = std::pair<std::shared_ptr<const std::string>, std::shared_ptr<const point>>;
  auto text = ours(pair{std::make_shared<std::string>("s"), nullptr});
  text[text.size() - 4] = 1;  // the string's number where a point belongs
  CHECK(refusal<pair>(text) == cairn::errc::damaged);
  text[text.size() - 4] = 2;
  CHECK(refusal<pair>(text) == cairn::errc::damaged);
}

TEST_CASE("a version above the program's is refused") {
  auto text = ours(versioned{1});
  REQUIRE(text[1] == 3);
  text[1] = 2;
  CHECK(cairn::decode<versioned>(bytes(text)).seen == 2);
  text[1] = 4;
  CHECK(refusal<versioned>(text) == cairn::errc::newer_schema);
  auto below = ours(derived{});
  below[1] = 4;
  CHECK(refusal<derived>(below) == cairn::errc::newer_schema);
}

TEST_CASE("what was written without a version is read as version 0, inside it as it says") {
  CHECK(cairn::detail::schema_of<point>() == 0);
  CHECK(cairn::detail::schema_of<unregistered>() == 1);
  CHECK(cairn::detail::schema_of<versioned>() == 4);
  const auto with = ours(holder{});
  const auto without = with.substr(0, 1) + with.substr(5);
  holder found;
  cairn::detail::decode_written(found, bytes(without), 0);
  CHECK(found.seen == 0);
  CHECK(found.inside.seen == 3);
  cairn::detail::decode_written(found, bytes(with), 1);
  CHECK(found.inside.seen == 3);
  const auto code_of = [](auto&& call) {
    try {
      call();
    } catch (const cairn::error& why) {
      return why.code();
    }
    return cairn::errc::ok;
  };
  CHECK(code_of([&] { cairn::detail::decode_written(found, bytes(with), 2); }) ==
        cairn::errc::newer_schema);
  point plain;
  CHECK(code_of([&] { cairn::detail::decode_written(plain, bytes(ours(point{})), 1); }) ==
        cairn::errc::newer_schema);
}

TEST_CASE("several threads encode classes with versions") {
  std::string first, second;
  std::thread other{[&] { first = ours(unregistered{1}) + ours(versioned{1}); }};
  second = ours(versioned{1}) + ours(unregistered{1});
  other.join();
  CHECK(first.size() == second.size());
}

TEST_CASE("damaged bytes never do harm") {
  const auto good = ours(everything{});
  for (std::size_t at = 0; at < good.size(); ++at) {
    CHECK(refusal<everything>(good.substr(0, at)) == cairn::errc::damaged);
  }
  std::mt19937 random{20260101};
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto text = good;
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) text.resize(random() % text.size());
    const auto code = refusal<everything>(text);
    if (code != cairn::errc::ok) ++refused;
  }
  CHECK(refused > 1000);
}
