// Records that are looked for among many of one actor, and carried from there to elsewhere.
#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include <cairn/detail/store_index.hpp>

#include "../catch.hpp"

namespace store_lookup {

using cairn::epoch;
using cairn::detail::location;
using cairn::detail::record_header;
using cairn::detail::record_kind;
using cairn::detail::store_index;

constexpr std::uint64_t whose = 5;
constexpr std::uint64_t many = 2000;

record_header header(record_kind kind, std::uint64_t place, std::uint64_t in) {
  record_header made;
  made.kind = kind;
  made.actor = cairn::actor_id{whose};
  made.epoch = epoch{in};
  (kind == record_kind::actor ? made.floor : made.place) = place;
  return made;
}
location at(std::uint32_t segment, std::uint64_t place) {
  return {segment, static_cast<std::uint32_t>(100 * place), 100};
}

/// An actor's record, and messages that wait for it, in no order.
struct one_actor {
  one_actor() {
    std::ranges::shuffle(places, std::mt19937{3});
    index.add(store_index::entry_of(header(record_kind::actor, 0, 1), at(1, 0)));
    for (const auto each : places) {
      index.add(store_index::entry_of(header(record_kind::mail, each, 1), at(1, each)));
    }
    index.add(store_index::entry_of(header(record_kind::reply, 3, 1), at(1, many + 1)));
  }
  [[nodiscard]] bool knows(record_kind kind, std::uint64_t place, location where) {
    return index.knows(header(kind, place, 1), where);
  }

  std::vector<std::uint64_t> places = [] {
    std::vector<std::uint64_t> all(many);
    for (std::uint64_t each = 0; each < many; ++each) all[each] = each + 1;
    return all;
  }();
  store_index index{};
};

TEST_CASE("each record of an actor that has many is found where it lies, and nowhere else") {
  one_actor of;
  CHECK(of.knows(record_kind::actor, 0, at(1, 0)));
  CHECK(of.knows(record_kind::reply, 3, at(1, many + 1)));
  for (const auto each : of.places) {
    CHECK(of.knows(record_kind::mail, each, at(1, each)));
    CHECK_FALSE(of.knows(record_kind::mail, each, at(2, each)));
    CHECK_FALSE(of.knows(record_kind::reply, each, at(1, each)));
  }
  CHECK_FALSE(of.index.knows(header(record_kind::mail, 7, 2), at(1, 7)));  // of another epoch
}

TEST_CASE("what is carried is found in its new place, and stands as before") {
  one_actor of;
  const auto alive = [](std::uint32_t) { return true; };
  const auto bytes = of.index.live_bytes();
  for (const auto each : of.places) {
    of.index.relocate(header(record_kind::mail, each, 1), at(1, each), at(2, each), alive);
    if (each % 2 == 0) continue;
    of.index.relocate(header(record_kind::mail, each, 1), at(2, each), at(3, each), alive);
  }
  CHECK(of.index.live_bytes() == bytes);
  CHECK(of.index.live_bytes(1) == 200);  // the actor's and the reply
  CHECK(of.index.live_bytes(2) == 100 * many / 2);
  CHECK(of.index.live_bytes(3) == 100 * many / 2);
  for (const auto each : of.places) {
    CHECK(of.knows(record_kind::mail, each, at(each % 2 == 0 ? 2 : 3, each)));
    CHECK_FALSE(of.knows(record_kind::mail, each, at(1, each)));
  }
  // Two segments hold records that are dead; a third one does for half of them, too.
  CHECK(of.index.size() == many + 2 + 2);
  std::size_t standing = 0;
  of.index.each_standing(epoch{1}, [&](const auto&) { ++standing; });
  CHECK(standing == many + 2);

  // A later record of the actor ends what it has handled.
  of.index.add(store_index::entry_of(header(record_kind::actor, many / 2, 2), at(4, 0)));
  const std::vector newest{epoch{2}};
  of.index.prune(cairn::actor_id{whose}, newest, alive);
  CHECK(of.index.live_bytes() == 100 * (1 + many / 2));  // and what was answered before
  for (const auto each : of.places) {
    CHECK(of.knows(record_kind::mail, each, at(each % 2 == 0 ? 2 : 3, each)) == (each > many / 2));
  }
}

TEST_CASE("of a stopped actor nothing stays once its tombstone is forgotten") {
  store_index index;
  std::set<std::uint32_t> there{1, 2};
  const auto alive = [&](std::uint32_t segment) { return there.contains(segment); };
  const auto gone = header(record_kind::gone, 0, 2);
  index.add(store_index::entry_of(header(record_kind::actor, 0, 1), at(1, 0)));
  index.add(store_index::entry_of(gone, at(2, 0)));
  const std::vector newest{epoch{2}};
  index.prune(cairn::actor_id{whose}, newest, alive);
  CHECK(index.size() == 2);  // it keeps down what lies in the first segment
  CHECK(index.needed(gone, 2, alive));
  there.erase(1);
  CHECK_FALSE(index.needed(gone, 2, alive));
  index.forget(gone, at(2, 0));
  CHECK(index.size() == 0);
  CHECK(index.live_bytes() == 0);
}

}  // namespace store_lookup
