#include <cairn/dead_letter.hpp>

#include <utility>

#include "catch.hpp"

TEST_CASE("a dead letter is a value: a copy outlives the event that carried it") {
  cairn::dead_letter copy;
  {
    cairn::dead_letter letter;
    letter.name = "alice";
    letter.message = "deposit";
    letter.payload = {std::byte{1}, std::byte{2}};
    letter.code = cairn::errc::failed;
    letter.at = cairn::position{7};
    copy = std::move(letter);
  }
  CHECK(copy.name == "alice");
  CHECK(copy.payload == std::vector<std::byte>{std::byte{1}, std::byte{2}});
  CHECK(copy.code == cairn::errc::failed);
  CHECK(raw(copy.at) == 7);
}
