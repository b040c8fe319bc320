#include <array>

#include "../catch.hpp"
#include "cairn/cairn.hpp"

using cairn::detail::cell;
using cairn::detail::ready_queue;

TEST_CASE("who has just been born goes first, the others have every fifth turn") {
  ready_queue ready;
  std::array<cell, 20> young;
  std::array<cell, 3> others;
  // Alone they do not use up anybody's patience.
  for (std::size_t at = 0; at < 6; ++at) ready.push_young(young[at]);
  for (std::size_t at = 0; at < 6; ++at) CHECK(ready.pop() == &young[at]);
  CHECK(ready.empty());
  for (cell& each : others) ready.push(each);
  for (cell& each : young) ready.push_young(each);
  CHECK(ready.size() == 23);
  std::size_t at = 0;
  for (cell& each : others) {
    std::size_t before = 0;
    cell* next = ready.pop();
    for (; next == &young[at]; next = ready.pop()) {
      ++at;
      ++before;
    }
    CHECK(next == &each);
    CHECK(before <= 4);
  }
  for (; at < young.size(); ++at) CHECK(ready.pop() == &young[at]);
  CHECK(ready.pop() == nullptr);
}

TEST_CASE("children of the latest turn go before those of the ones before it, the eldest first") {
  ready_queue ready;
  std::array<cell, 6> some;
  ready.push_young(some[0]);
  ready.push_young(some[1]);
  CHECK(ready.pop() == &some[0]);
  ready.push_young(some[2]);  // of the one that came first
  ready.push_young(some[3]);
  CHECK(ready.pop() == &some[2]);
  CHECK(ready.pop() == &some[3]);
  ready.push(some[4]);
  ready.push(some[4]);  // it is there already
  CHECK(ready.size() == 2);
  CHECK(ready.pop() == &some[1]);
  CHECK(ready.pop() == &some[4]);
  CHECK(ready.empty());
}

TEST_CASE("who was taken and not wanted stands where it stood, among its siblings") {
  ready_queue ready;
  std::array<cell, 6> young;
  std::array<cell, 3> others;
  for (cell& each : others) ready.push(each);
  for (cell& each : young) ready.push_young(each);
  std::array<ready_queue::taken, 6> taken;  // one of the young stays
  for (auto& each : taken) each = ready.take_one();
  CHECK(taken[4].one == &others[0]);  // every fifth
  for (std::size_t left = taken.size(); left > 0; --left) ready.put_back(taken[left - 1]);
  CHECK(ready.size() == 9);
  std::size_t next_young = 0;
  std::size_t next_other = 0;
  for (int turns = 0; turns < 9; ++turns) {
    const cell* next = ready.pop();
    if (next_young < young.size() && next == &young[next_young]) {
      ++next_young;
    } else {
      REQUIRE(next_other < others.size());
      CHECK(next == &others[next_other++]);
    }
  }
  CHECK(ready.empty());
}
