#include "cairn/detail/store_rows.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "../catch.hpp"

using cairn::actor_id;
using cairn::detail::index_item;
using cairn::detail::index_row;
using cairn::detail::index_rows;

namespace {

index_item item(std::uint32_t number) {
  index_item made;
  made.at = {1, number, 1};
  made.kind = cairn::detail::record_kind::mail;
  return made;
}

std::vector<std::uint32_t> places_of(const index_row* row) {
  std::vector<std::uint32_t> found;
  if (row == nullptr) return found;
  for (const auto& each : row->all()) found.push_back(each.at.offset);
  return found;
}

/// Some actors that come, get another record and go; `step` is how far apart their ids are.
void come_and_go(std::uint64_t step) {
  CAPTURE(step);
  index_rows all;
  std::map<std::uint64_t, std::vector<std::uint32_t>> expected;
  std::mt19937 chance{7};
  for (std::uint32_t at = 0; at < 20'000; ++at) {
    const std::uint64_t id = step * (chance() % 1000);
    const auto known = expected.find(id);
    if (known != expected.end() && chance() % 2 == 0) {
      all.erase(*all.find(actor_id{id}));
      expected.erase(known);
    } else {
      all.add(actor_id{id}, item(at));
      expected[id].push_back(at);
    }
  }
  REQUIRE(all.size() == expected.size());
  for (std::uint64_t at = 0; at < 1000; ++at) {
    const auto known = expected.find(step * at);
    const std::vector<std::uint32_t> none;
    CHECK(places_of(all.find(actor_id{step * at})) ==
          (known != expected.end() ? known->second : none));
  }
}

}  // namespace

TEST_CASE("an index finds its actors, however far apart their ids are") {
  for (const std::uint64_t step : {1U, 2U, 16U, 17U, 4096U}) come_and_go(step);
  come_and_go(std::uint64_t{1} << 40U);
  come_and_go(0x1000'0000'0001U);
}

TEST_CASE("an index keeps its actors in the order in which they came") {
  index_rows all;
  all.reserve(100);
  CHECK(all.find(actor_id{1}) == nullptr);
  for (std::uint32_t at = 0; at < 5000; ++at) all.add(actor_id{at * 7919 % 5003}, item(at));
  std::uint32_t next = 0;
  for (const index_row& each : all) CHECK(places_of(&each) == std::vector{next++});
  CHECK(next == 5000);
  all.clear();
  CHECK(all.size() == 0);
  CHECK(all.find(actor_id{1}) == nullptr);
}

TEST_CASE("an actor's items are one or many") {
  index_row row{actor_id{1}, item(1)};
  CHECK(places_of(&row) == std::vector{1U});
  row.add(item(2));
  row.add(item(3));
  CHECK(places_of(&row) == std::vector{1U, 2U, 3U});
  row.set(std::vector{item(3), item(4)});
  CHECK(places_of(&row) == std::vector{3U, 4U});
  row.set(std::vector{item(5)});
  CHECK(places_of(&row) == std::vector{5U});
}

TEST_CASE("an actor's items stay where they are while their number hardly changes") {
  index_row row{actor_id{1}, item(1)};
  for (std::uint32_t at = 2; at <= 4; ++at) row.add(item(at));
  row.set(std::vector{item(2), item(3), item(4)});
  const auto* const place = row.all().data();
  for (std::uint32_t at = 5; at < 100; ++at) {
    row.add(item(at));
    row.set(std::vector{item(at - 2), item(at - 1), item(at)});
    CHECK(places_of(&row) == std::vector{at - 2, at - 1, at});
    CHECK(row.all().data() == place);
  }
}

TEST_CASE("an actor that had many items does not keep their room") {
  index_row row{actor_id{1}, item(0)};
  for (std::uint32_t at = 1; at < 1000; ++at) row.add(item(at));
  const auto* const place = row.all().data();
  row.set(std::vector{item(1), item(2)});
  CHECK(row.all().data() != place);
  CHECK(places_of(&row) == std::vector{1U, 2U});
}

TEST_CASE("an actor's items come in their order where that is wanted") {
  const auto is_in_order = [](index_row& of) {
    const auto all = of.in_order();
    return std::is_sorted(all.begin(), all.end());
  };
  const auto mail = [](std::uint64_t place) {
    index_item made = item(static_cast<std::uint32_t>(place));
    made.place = place;
    return made;
  };
  index_row row{actor_id{1}, mail(7)};
  for (const std::uint64_t place : {9U, 3U, 8U, 1U}) row.add(mail(place));
  CHECK(places_of(&row) == std::vector{7U, 9U, 3U, 8U, 1U});
  CHECK(is_in_order(row));
  CHECK(places_of(&row) == std::vector{1U, 3U, 7U, 8U, 9U});
  row.add_in_front(mail(0));
  row.add(mail(10));
  CHECK(is_in_order(row));
  row.add(mail(2));
  CHECK(is_in_order(row));
  row.set(std::vector{mail(5), mail(4)});
  CHECK(places_of(&row) == std::vector{5U, 4U});
  CHECK(is_in_order(row));
}

TEST_CASE("an actor's items are put in order, whatever runs they came in") {
  std::mt19937 chance{11};
  index_row row{actor_id{1}, item(0)};
  std::vector<index_item> expected{item(0)};
  std::uint32_t number = 0;
  for (int epoch = 1; epoch <= 300; ++epoch) {
    for (auto runs = chance() % 4; runs > 0; --runs) {
      std::uint64_t place = chance() % 100;
      for (auto left = chance() % 20; left > 0; --left, place += chance() % 3) {
        index_item made = item(++number);
        made.place = place;
        made.epoch = cairn::epoch{static_cast<std::uint64_t>(epoch)};
        if (chance() % 10 == 0) made.kind = cairn::detail::record_kind::actor;
        row.add(made);
        expected.push_back(made);
      }
    }
    std::sort(expected.begin(), expected.end());
    const auto all = row.in_order();
    REQUIRE(std::ranges::equal(all, expected, [](const index_item& a, const index_item& b) {
      return !(a < b) && !(b < a);
    }));
    if (epoch % 7 != 0) continue;
    std::erase_if(expected, [&](const index_item&) { return chance() % 2 == 0; });
    if (expected.empty()) expected.push_back(item(++number));
    row.set(expected);
  }
}
