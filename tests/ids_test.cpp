#include "cairn/ids.hpp"

#include "catch.hpp"

static_assert(!std::is_convertible_v<cairn::epoch, cairn::position>);
static_assert(!std::is_convertible_v<std::uint64_t, cairn::actor_id>);
static_assert(std::is_same_v<decltype(cairn::raw(cairn::incarnation{})), std::uint32_t>);

TEST_CASE("identifiers count up and down") {
  CHECK(cairn::raw(cairn::epoch{7}) == 7);
  CHECK(cairn::next(cairn::position{7}) == cairn::position{8});
  CHECK(cairn::previous(cairn::epoch{7}) == cairn::epoch{6});
  CHECK(cairn::epoch{1} < cairn::epoch{2});
}
