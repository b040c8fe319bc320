#include "cairn/detail/cell_table.hpp"

#include <set>
#include <thread>
#include <vector>

#include "../catch.hpp"
#include "cairn/cairn.hpp"

using cairn::detail::cell;
using cairn::detail::cell_table;

TEST_CASE("cells stand where they were made, however many follow") {
  constexpr std::uint32_t enough = 30'000;  // in slabs of their own, and in two of the large blocks
  cell_table all;
  std::set<cell*> seen;
  std::vector<cell*> by_index{nullptr};
  for (std::uint32_t index = 1; index < enough; ++index) {
    cell& made = all.fresh();
    REQUIRE(made.slot_index == index);
    REQUIRE(made.type == nullptr);
    by_index.push_back(&made);
    seen.insert(&made);
  }
  CHECK(seen.size() == enough - 1);
  CHECK(all.used() == enough);
  for (std::uint32_t index = 1; index < enough; ++index) REQUIRE(all.at(index) == by_index[index]);
  all.reserve(2 * enough);
  CHECK(all.at(2 * enough - 1)->slot_index == 2 * enough - 1);
  CHECK(all.at(enough - 1) == by_index[enough - 1]);
  CHECK(all.at(cell_table::max_cells) == nullptr);
}

TEST_CASE("rooms of cells may be pointed to before the cells are made") {
  cell_table all;
  all.reserve(2);
  cell* const root = all.at(1);
  const std::uint32_t enough = 3 * cell_table::slab_cells + 5;
  {
    const cell_table::making later{all};
    all.reserve_rooms(enough);
    CHECK(all.used() == enough);
    CHECK(all.at(1) == root);
    cell* const last = all.at(enough - 1);
    all.make(enough - 1);
    all.make(enough - 1);
    CHECK(all.at(enough - 1) == last);
    CHECK(last->slot_index == enough - 1);
  }
  for (std::uint32_t index = 1; index < enough; ++index) {
    REQUIRE(all.at(index)->slot_index == index);
  }
  CHECK(all.fresh().slot_index == enough);
}

TEST_CASE("several threads make the cells that they fill, each of them once") {
  constexpr std::uint32_t slabs = 200;
  constexpr std::uint32_t threads = 4;
  cell_table all;
  all.reserve(2);
  const cell_table::making later{all};
  all.reserve_rooms(slabs * cell_table::slab_cells);
  const auto fill = [&all](std::uint32_t which) {
    for (std::uint32_t slab = 0; slab < slabs; ++slab) {
      const std::uint32_t index = slab * cell_table::slab_cells + 2 + which;
      all.make(index);
      all.at(index)->next_number = index;  // its own; one that is made again would forget it
    }
  };
  {
    std::vector<std::jthread> running;
    for (std::uint32_t which = 0; which < threads; ++which) running.emplace_back(fill, which);
  }
  for (std::uint32_t slab = 0; slab < slabs; ++slab) {
    for (std::uint32_t which = 0; which < threads; ++which) {
      const cell& one = *all.at(slab * cell_table::slab_cells + 2 + which);
      REQUIRE(one.next_number == one.slot_index);
      REQUIRE(one.slot_index == slab * cell_table::slab_cells + 2 + which);
    }
  }
}

TEST_CASE("a cell takes no more than five lines of the cache") { CHECK(sizeof(cell) <= 5 * 64); }
