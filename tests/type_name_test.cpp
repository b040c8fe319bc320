#include "cairn/type_name.hpp"

#include "catch.hpp"

namespace type_name_test {
struct deposit {
  struct inner {};
};
enum class colour { red };
template <class T>
struct box {};
}  // namespace type_name_test

template <>
inline constexpr std::string_view cairn::type_name<type_name_test::box<int>> = "int-box";

template <>
inline constexpr auto cairn::former_names<type_name_test::deposit> =
    cairn::names("bank::payment", "bank::deposit");

TEST_CASE("a type is known by its former names, and by the oldest for good") {
  using namespace type_name_test;
  using cairn::detail::fnv1a;
  CHECK(cairn::detail::name_hashes<deposit> == std::array{fnv1a("type_name_test::deposit"),
                                                          fnv1a("bank::payment"),
                                                          fnv1a("bank::deposit")});
  CHECK(cairn::detail::origin_hash<deposit> == fnv1a("bank::payment"));
  CHECK(cairn::detail::origin_hash<colour> == cairn::type_hash<colour>);
  CHECK(cairn::type_name<cairn::retired<"bank::deposit">> == "bank::deposit");
  CHECK(cairn::detail::share_a_name<deposit, cairn::retired<"bank::deposit">>());
  CHECK_FALSE(cairn::detail::share_a_name<deposit, colour>());
}

TEST_CASE("plain types are named as they are spelled") {
  using namespace type_name_test;
  CHECK(cairn::type_name<deposit> == "type_name_test::deposit");
  CHECK(cairn::type_name<deposit::inner> == "type_name_test::deposit::inner");
  CHECK(cairn::type_name<colour> == "type_name_test::colour");
  CHECK(cairn::type_name_of<bool>() == "bool");
  CHECK(cairn::type_name<char> == "char");
  CHECK(cairn::type_name<double> == "double");
}

TEST_CASE("integers are named by their size") {
  CHECK(cairn::type_name<std::int8_t> == "i8");
  CHECK(cairn::type_name<std::uint16_t> == "u16");
  CHECK(cairn::type_name<int> == "i32");
  CHECK(cairn::type_name<long> == cairn::type_name<long long>);
}

TEST_CASE("templates have the names they are given") {
  CHECK(cairn::type_name<type_name_test::box<int>> == "int-box");
  CHECK(cairn::type_name<std::string> == "string");
  CHECK(cairn::type_name<std::vector<type_name_test::box<int>>> == "vector<int-box>");
  using map = std::map<std::string, std::optional<std::pair<int, bool>>>;
  CHECK(cairn::type_name<map> == "map<string,optional<pair<i32,bool>>>");
}

TEST_CASE("hashes are FNV-1a of the name") {
  // The values of the reference implementation.
  CHECK(cairn::detail::fnv1a("") == 0xcbf29ce484222325);
  CHECK(cairn::detail::fnv1a("a") == 0xaf63dc4c8601ec8c);
  CHECK(cairn::detail::fnv1a("foobar") == 0x85944171f73967e8);
  CHECK(cairn::type_hash<type_name_test::box<int>> == cairn::detail::fnv1a("int-box"));
}
