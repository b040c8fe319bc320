#include "cairn/error.hpp"

#include <memory>

#include "catch.hpp"

using cairn::errc, cairn::failure, cairn::result;

TEST_CASE("every code has a name of its own") {
  CHECK(cairn::to_string(errc::ok) == "ok");
  CHECK(cairn::to_string(errc::damaged) == "damaged");
  CHECK(cairn::to_string(errc::write_buffer_full) == "write_buffer_full");
  CHECK(cairn::to_string(static_cast<errc>(200)) == "unknown");
}

TEST_CASE("a result holds a value or why there is none") {
  result<int> good{5};
  CHECK(good);
  CHECK(*good == 5);
  CHECK(good.code() == errc::ok);
  result<int> bad{failure{errc::timeout, "late"}};
  CHECK_FALSE(bad);
  CHECK(bad.code() == errc::timeout);
  CHECK(bad.why().text == "late");
  CHECK(bad.value_or(7) == 7);
  CHECK_THROWS_AS(bad.value(), cairn::error);
}

TEST_CASE("a result moves what it holds") {
  result<std::unique_ptr<int>> owned{std::make_unique<int>(3)};
  CHECK(*std::move(owned).value() == 3);
}

TEST_CASE("a result of nothing succeeds or fails") {
  CHECK_NOTHROW(result<void>{}.value());
  const result<void> bad{failure{errc::io, "disk"}};
  CHECK(bad.code() == errc::io);
  CHECK_THROWS_AS(bad.value(), cairn::error);
}

TEST_CASE("a broken invariant throws, in release too") {
  CHECK_NOTHROW(cairn::detail::check(true, "fine"));
  CHECK_THROWS_AS(cairn::detail::check(false, "broken"), cairn::detail::broken_invariant);
}
