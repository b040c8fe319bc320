#include "cairn/detail/children.hpp"

#include <random>
#include <set>

#include "../catch.hpp"
#include "cairn/cairn.hpp"

using cairn::actor_id;
using cairn::detail::cell;
using cairn::detail::child_table;

namespace {

std::set<std::uint64_t> ids_of(const child_table& all) {
  std::set<std::uint64_t> ids;
  all.for_each([&](const std::string&, const auto& each) { ids.insert(raw(each.where.id)); });
  return ids;
}

}  // namespace

TEST_CASE("children without a name go in any order, and only those that are there") {
  cell somewhere;
  child_table all;
  std::set<std::uint64_t> expected;
  std::vector<std::uint64_t> known;
  std::mt19937 chance{7};
  std::uint64_t next = 0;
  const auto remove = [&](std::uint64_t id) {
    all.remove(actor_id{id}, "");
    expected.erase(id);
    CHECK(all.find(actor_id{id}, "") == nullptr);
  };
  for (int round = 0; round < 200; ++round) {
    for (int at = 0; at < 20; ++at) {
      known.push_back(++next);
      expected.insert(next);
      all.add({{&somewhere, actor_id{next}}}, "");
    }
    if (round % 10 == 0) {  // one that another system's snapshot has brought later than it was born
      const std::uint64_t late = 1'000'000 - next;
      known.push_back(late);
      expected.insert(late);
      all.add({{&somewhere, actor_id{late}}}, "");
    }
    switch (round % 4) {
      case 0:  // in the order of their birth, as most go
        for (int at = 0; at < 30; ++at) {
          if (!expected.empty()) remove(*expected.begin());
        }
        break;
      case 1:
        for (int at = 0; at < 5; ++at) {
          if (!expected.empty()) remove(*std::prev(expected.end()));
        }
        break;
      default:  // also such as have gone
        for (int at = 0; at < 10; ++at) remove(known[chance() % known.size()]);
        break;
    }
    REQUIRE(ids_of(all) == expected);
    REQUIRE(all.size() == expected.size());
    for (const std::uint64_t id : expected) REQUIRE(all.find(actor_id{id}, "") != nullptr);
  }
  all.clear();
  CHECK(all.size() == 0);
  all.add({{&somewhere, actor_id{1}}}, "");
  CHECK(all.find(actor_id{1}, "") != nullptr);
}

TEST_CASE("children are visited from the eldest on, however they came") {
  cell somewhere;
  child_table all;
  const auto order = [&] {
    std::vector<std::uint64_t> ids;
    all.eldest_first([&](const auto& each) { ids.push_back(raw(each.where.id)); });
    return ids;
  };
  CHECK(order().empty());
  all.add({{&somewhere, actor_id{2}}}, "");
  all.add({{&somewhere, actor_id{5}}}, "");
  all.add({{&somewhere, actor_id{7}}}, "");
  CHECK(order() == std::vector<std::uint64_t>{2, 5, 7});
  all.remove(actor_id{5}, "");
  CHECK(order() == std::vector<std::uint64_t>{2, 7});
  all.add({{&somewhere, actor_id{4}}}, "");
  CHECK(order() == std::vector<std::uint64_t>{2, 4, 7});
  all.add({{&somewhere, actor_id{6}}}, "six");
  all.add({{&somewhere, actor_id{1}}}, "one");
  CHECK(order() == std::vector<std::uint64_t>{1, 2, 4, 6, 7});
}
