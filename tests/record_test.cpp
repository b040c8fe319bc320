#include <cairn/detail/record.hpp>

#include "catch.hpp"
#include "store_fixture.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::errc;
using cairn::detail::record_cursor;

namespace {

record_header full_header() {
  record_header header;
  header.kind = record_kind::actor;
  header.place = 2;
  header.actor = actor_id{3};
  header.floor = 4;
  header.type = 5;
  header.schema = 6;
  header.epoch = epoch{7};
  header.position = cairn::position{8};
  return header;
}

/// Walks to the end and returns how many records there were.
int walk(bytes_view bytes) {
  record_cursor cursor{bytes, "here"};
  int count = 0;
  while (cursor.next()) ++count;
  return count;
}

}  // namespace

TEST_CASE("a record gives back what was put into it") {
  buffer bytes;
  const auto mark = cairn::detail::begin_record(bytes, full_header());
  bytes.append(bytes_of("pay"));
  bytes.append(bytes_of("load"));
  cairn::detail::end_record(bytes, mark);
  cairn::detail::append_record(bytes, {}, {});
  CHECK(bytes.size() == 2 * cairn::detail::record_overhead + 7);

  record_cursor cursor{bytes.view(), "here"};
  const auto first = cursor.next();
  REQUIRE(first);
  CHECK(first->header == full_header());
  CHECK(text_of(first->payload) == "payload");
  const auto second = cursor.next();
  REQUIRE(second);
  CHECK(second->header == record_header{});
  CHECK(second->payload.empty());
  CHECK(cursor.last() == cairn::detail::record_overhead + 7);
  CHECK(!cursor.next());
}

TEST_CASE("the layout of format 1 does not change") {
  buffer bytes;
  cairn::detail::append_record(bytes, full_header(), bytes_of("x"));
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto b : bytes.view()) {
    text += digits[std::to_integer<unsigned>(b) >> 4U];
    text += digits[std::to_integer<unsigned>(b) & 15U];
  }
  CHECK(text.substr(0, 130) ==
        "0100000003000000"
        "0200000000000000"
        "0300000000000000"
        "0400000000000000"
        "0500000000000000"
        "0700000000000000"
        "0800000000000000"
        "060000002addec47"
        "78");
  CHECK(text.substr(130) == "d3d5b2e3e260d916");
}

TEST_CASE("every flipped bit of a record is found") {
  const auto good = framed({make(record_kind::mail, 1, 2, 3, "hello"), state(1, 2, "world")});
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto bad = good;
    bad.data()[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto found = error_of([&] { walk(bad.view()); });
    REQUIRE(found.first == errc::damaged);
    REQUIRE(contains(found.second, "here, offset " + std::string{bit / 8 < 77 ? "0:" : "77:"}));
  }
}

TEST_CASE("a damaged payload leaves its header, and where the next record begins") {
  const auto good = framed({make(record_kind::mail, 1, 2, 3, "hello"), state(1, 2, "world")});
  constexpr std::size_t first = cairn::detail::record_overhead + 5;
  for (std::size_t at = 0; at < first; ++at) {
    INFO("byte " << at);
    auto bad = good;
    bad.data()[at] ^= std::byte{0x10};
    record_cursor cursor{bad.view(), "here"};
    if (at < cairn::detail::record_header_bytes) {
      CHECK(error_of([&] { (void)cursor.next_header(); }).first == errc::damaged);
      continue;
    }
    const auto record = cursor.next_header();
    REQUIRE(record);
    CHECK_FALSE(cursor.whole());
    CHECK(record->header == make(record_kind::mail, 1, 2, 3, "").header);
    const auto after = cursor.next();
    REQUIRE(after);
    CHECK(cursor.whole());
    CHECK(text_of(after->payload) == "world");
  }
}

TEST_CASE("a record that is cut off anywhere is found") {
  const auto good = framed({state(1, 2, "hello")});
  CHECK(walk(good.view()) == 1);
  CHECK(walk({}) == 0);
  for (std::size_t length = 1; length < good.size(); ++length) {
    CHECK(error_of([&] { walk(good.view().first(length)); }).first == errc::damaged);
  }
}

TEST_CASE("a kind of record that is not known is damage, though the checksum holds") {
  buffer bytes;
  cairn::detail::append_record(bytes, {.kind = static_cast<record_kind>(8)}, {});
  CHECK(error_of([&] { walk(bytes.view()); }).first == errc::damaged);
}
