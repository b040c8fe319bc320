#include "cairn/detail/side_by_side.hpp"

#include <algorithm>
#include <cairn/file_store.hpp>
#include <mutex>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "../store_fixture.hpp"

using cairn::errc;
using cairn::detail::side_by_side;
using namespace store_fixture;  // NOLINT(*using-namespace*)

namespace {

/// Many small segments: some actors are in several of them, some have stopped.
void fill(const std::string& path) {
  cairn::file_store store{path, {.segment_bytes = 4096}};
  (void)store.open({.retain = 2});
  std::mt19937 chance{7};
  for (std::uint64_t n = 1; n <= 12; ++n) {
    std::vector<entry> all;
    for (std::uint64_t actor = 1; actor <= 100; ++actor) {
      if (chance() % 3 != 0) continue;
      const std::string text(chance() % 200, static_cast<char>('a' + n));
      chance() % 9 == 0 ? all.push_back(make(cairn::record_kind::gone, n, actor, 0, ""))
                        : all.push_back(state(n, actor, text));
    }
    write(store, n, all);
  }
}

/// What an opening with so many threads finds: an error's text, or what the latest snapshot holds,
/// in the order of reading, and what there is to be said.
struct outcome {
  std::string refused{};
  std::vector<std::string> warnings{};
  std::vector<entry> content{};

  friend bool operator==(const outcome&, const outcome&) = default;
};
outcome open_with(std::size_t threads, const std::string& path) {
  outcome seen;
  cairn::file_store store{path};
  cairn::store_options how;
  how.read_only = true;
  how.threads = threads;
  how.warn = [&](const std::string& text) { seen.warnings.push_back(text); };
  try {
    const auto found = store.open(how);
    seen.content = read_in_order(store, raw(*found.latest));
  } catch (const cairn::error& why) {
    seen.refused = why.what();
  }
  return seen;
}

}  // namespace

TEST_CASE("work side by side is done once, on no more threads than there may be") {
  for (const std::size_t threads : {0U, 1U, 2U, 9U}) {
    std::mutex guard;
    std::set<std::thread::id> on;
    std::vector<int> done(50);
    std::vector<std::size_t> then;
    const auto work = [&](std::size_t at) {
      ++done[at];
      const std::lock_guard lock{guard};
      on.insert(std::this_thread::get_id());
    };
    const auto here = std::this_thread::get_id();
    side_by_side(done.size(), threads, work, [&](std::size_t at) {
      CHECK(done[at] == 1);
      CHECK(std::this_thread::get_id() == here);
      then.push_back(at);
    });
    CHECK(done == std::vector<int>(50, 1));
    CHECK(then.size() == 50);
    CHECK(std::ranges::is_sorted(then));
    CHECK(on.size() <= std::max<std::size_t>(threads, 1));
  }
  const auto nothing = [](std::size_t) { FAIL("there is nothing to do"); };
  side_by_side(0, 4, nothing, nothing);
}

TEST_CASE("of what fails side by side the first is told") {
  for (int round = 0; round < 50; ++round) {
    std::string what;
    std::size_t put = 0;
    try {
      const auto work = [](std::size_t at) {
        if (at >= 5) throw std::runtime_error{std::to_string(at)};
      };
      side_by_side(20, 4, work, [&](std::size_t) { ++put; });
    } catch (const std::runtime_error& why) {
      what = why.what();
    }
    CHECK(what == "5");
    CHECK(put == 5);
  }
}

TEST_CASE("who puts together what is done side by side may fail") {
  for (int round = 0; round < 50; ++round) {
    const auto put = [](std::size_t at) {
      if (at == 3) throw std::runtime_error{"no room"};
    };
    CHECK_THROWS_AS(side_by_side(20, 4, [](std::size_t) {}, put), std::runtime_error);
  }
}

TEST_CASE("a store is found the same on any number of threads, damaged or not") {
  const directory place;
  fill(place.store());
  const files good = load(place.store());
  REQUIRE(good.size() > 5);
  const outcome whole = open_with(1, place.store());
  CHECK(whole.refused.empty());
  CHECK(!whole.content.empty());
  CHECK(open_with(4, place.store()) == whole);
  std::mt19937 chance{11};
  for (int round = 0; round < 60; ++round) {
    files bad = good;
    for (auto& [name, text] : bad) {
      if (name.starts_with("segment") && chance() % 3 == 0) text[chance() % text.size()] ^= 1;
    }
    save(place.store(), bad);
    CHECK(open_with(4, place.store()) == open_with(1, place.store()));
  }
}
