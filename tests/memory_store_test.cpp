#include <cairn/file_store.hpp>
#include <cairn/memory_store.hpp>
#include <random>
#include <set>

#include "catch.hpp"
#include "store_fixture.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::errc;

namespace {

/// Random epochs of actors that live, get mail and replies, and die.
class history {
 public:
  explicit history(unsigned seed) : random_{seed} {
    for (std::uint64_t actor = 1; actor <= 12; ++actor) floors_[actor] = 0;
  }
  std::vector<entry> epoch_of(std::uint64_t n) {
    std::vector<entry> entries;
    if (below(3) == 0) entries.push_back(make(record_kind::meta, n, 0, 0, text()));
    if (below(6) == 0) entries.push_back(make(record_kind::name, n, 0, below(4), text()));
    std::vector<std::uint64_t> dead;
    for (auto& [actor, floor] : floors_) {
      if (below(4) == 0) continue;
      if (below(20) == 0) {
        entries.push_back(make(record_kind::gone, n, actor, 0, ""));
        dead.push_back(actor);
        continue;
      }
      if (below(2) == 0) {
        floor += below(4);
        entries.push_back(make(record_kind::actor, n, actor, floor, text()));
      }
      std::set<std::uint64_t> places;
      for (auto i = below(4); i > 0; --i) places.insert(floor + 1 + below(6));
      for (const auto place : places) {
        entries.push_back(make(record_kind::mail, n, actor, place, text()));
        if (below(3) == 0) entries.push_back(make(record_kind::reply, n, actor, place, text()));
      }
    }
    for (const auto actor : dead) {
      floors_.erase(actor);
      floors_[++born_] = 0;
    }
    return entries;
  }
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

 private:
  std::string text() { return std::string(below(300), static_cast<char>('a' + below(26))); }

  std::mt19937 random_;
  std::map<std::uint64_t, std::uint64_t> floors_;
  std::uint64_t born_ = 100;
};

template <class Store>
void same(Store& store, const model& expected) {
  std::vector<std::uint64_t> listed;
  for (const auto& info : store.list()) {
    if (listed.empty() || listed.back() != raw(info.number)) listed.push_back(raw(info.number));
  }
  REQUIRE(listed == expected.snapshots());
  for (const auto n : listed) REQUIRE(read(store, n) == expected.read(n));
}

/// Runs one history; `reopen` ends a store as a crash does and makes the next.
template <class Reopen>
void follow(unsigned seed, std::size_t epochs, Reopen reopen) {
  history random{seed};
  model expected;
  auto store = reopen();
  store.open({});
  for (std::uint64_t n = 1; n <= epochs; ++n) {
    INFO("seed " << seed << ", epoch " << n);
    const auto entries = random.epoch_of(n);
    store.begin(epoch{n});
    store.append(framed(entries).view());
    const auto fate = random.below(10);
    if (fate == 0) {
      store.abort();
      continue;
    }
    if (fate == 1) {
      store = cairn::any_store{};  // in the middle of an epoch
      store = reopen();
      store.open({});
      same(store, expected);
      continue;
    }
    store.commit();
    expected.commit(n, entries);
    if (fate == 2 && expected.names.size() < 3) {
      store.keep(epoch{n}, "at " + std::to_string(n));
      expected.names["at " + std::to_string(n)] = n;
    }
    if (fate == 3 && !expected.names.empty()) {
      store.remove(expected.names.begin()->first);
      expected.names.erase(expected.names.begin());
    }
    if (n % 5 == 0) same(store, expected);
  }
  store = cairn::any_store{};
  store = reopen();
  store.open({});
  same(store, expected);
}

}  // namespace

TEST_CASE("a memory_store follows the rules of liveness over random histories") {
  for (unsigned seed = 1; seed <= 12; ++seed) {
    const cairn::memory_store content;
    follow(seed, 80, [&] { return cairn::any_store{content}; });
  }
}

TEST_CASE("a file_store follows the rules of liveness over random histories") {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    const directory where;
    follow(seed, 80, [&] {
      return cairn::any_store{cairn::file_store{where.store(), {.segment_bytes = 4096}}};
    });
  }
}

TEST_CASE("copies of a memory_store refer to the same content, one is open at a time") {
  cairn::memory_store first;
  first.open();
  write(first, 1, {state(1, 7, "seven")});
  first.begin(epoch{2});
  first.append(framed({state(2, 7, "lost")}).view());

  auto second = first;
  CHECK(error_of([&] { second.open(); }).first == errc::locked);
  first.close();
  const auto found = second.open();
  REQUIRE(found.latest == epoch{1});
  CHECK(read(second, 1) == std::vector{state(1, 7, "seven")});
  CHECK(error_of([&] { first.begin(epoch{3}); }).first == errc::misuse);
}

TEST_CASE("readers share a memory_store, a writer does not") {
  const cairn::memory_store content;
  auto one = content;
  auto two = content;
  auto three = content;
  one.open();
  write(one, 1, {state(1, 1, "x")});
  one.close();
  one.open({.read_only = true});
  two.open({.read_only = true});
  CHECK(error_of([&] { three.open(); }).first == errc::locked);
  CHECK(read(two, 1) == read(one, 1));
  CHECK(error_of([&] { two.begin(epoch{2}); }).first == errc::misuse);
}
