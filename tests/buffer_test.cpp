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
