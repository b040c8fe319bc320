#include "cairn/detail/buffer.hpp"

#include "catch.hpp"

using cairn::detail::buffer;
using cairn::detail::reader;

TEST_CASE("a reader gives back what a buffer was given") {
  buffer bytes;
  bytes.put(std::uint32_t{0x01020304});
  bytes.put_text("text");
  bytes.put(true);
  CHECK(bytes.view()[0] == std::byte{4});
  bytes.put_at(0, std::uint32_t{5});
  reader back{bytes.view()};
  CHECK(back.get<std::uint32_t>() == 5);
  CHECK(back.get_text() == "text");
  CHECK(back.get<bool>());
  CHECK(back.left() == 0);
  CHECK(bytes.view_from(8).size() == bytes.size() - 8);
}

TEST_CASE("a reader never reads past the end") {
  buffer bytes;
  bytes.put(std::uint32_t{100});
  reader text{bytes.view()};
  CHECK_THROWS_AS((void)text.get_text(), cairn::error);
  reader number{bytes.view()};
  CHECK_THROWS_AS((void)number.get<std::uint64_t>(), cairn::error);
  CHECK(number.left() == 4);
}

TEST_CASE("a buffer is not written outside its bytes") {
  buffer bytes;
  bytes.put(std::uint8_t{1});
  CHECK_THROWS_AS(bytes.put_at(0, std::uint32_t{1}), cairn::detail::broken_invariant);
}

TEST_CASE("a buffer that is copied is another one") {
  buffer first;
  first.put_text("what both have");
  buffer second = first;
  second.put_at(0, std::uint32_t{4});
  first.put_text("what one has");
  CHECK(reader{second.view()}.get_text() == "what");
  reader back{first.view()};
  CHECK(back.get_text() == "what both have");
  CHECK(back.get_text() == "what one has");
  second = std::move(first);
  CHECK(reader{second.view()}.get_text() == "what both have");
  first = buffer{};
  CHECK(first.empty());
}

TEST_CASE("what a buffer grows by is zero, also where something stood") {
  buffer bytes;
  bytes.put(~std::uint64_t{0});
  bytes.resize(2);
  bytes.resize(12);
  reader back{bytes.view()};
  CHECK(back.get<std::uint32_t>() == 0xffff);
  CHECK(back.get<std::uint64_t>() == 0);
  bytes.resize_unset(100'000);
  CHECK(bytes.size() == 100'000);
  CHECK(reader{bytes.view()}.get<std::uint32_t>() == 0xffff);
}
