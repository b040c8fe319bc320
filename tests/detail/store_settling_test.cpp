// What a commit leaves to the next verb.
#include <cairn/file_store.hpp>
#include <memory>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "fickle_disk.hpp"

namespace store_settling_tests {

using cairn::epoch;
using store_fixture::read;
using store_fixture::state;
using store_fixture::write;

constexpr const char* folder = "s";

TEST_CASE("the index follows a commit with the next verb, or with settle") {
  const auto disk = std::make_shared<store_fixture::fickle_disk>();
  cairn::file_store store{folder, {}, disk};
  (void)store.open();
  write(store, 1, {state(1, 7, "old"), state(1, 8, "stays")});
  write(store, 2, {state(2, 7, "new")});
  CHECK(store.list().size() == 2);
  SECTION("read") {
    const auto found = read(store, 2);
    REQUIRE(found.size() == 2);
    CHECK(found[0].payload == "new");
  }
  SECTION("stats") { CHECK(store.stats().index_entries == 3); }
  SECTION("settle, once and again") {
    store.settle();
    store.settle();
    CHECK(store.stats().index_entries == 3);
  }
  SECTION("abort, which is too late") {
    store.abort();
    CHECK(read(store, 2).size() == 2);
  }
  SECTION("a savepoint, and its end") {
    store.keep(epoch{2}, "kept");
    for (std::uint64_t n = 3; n <= 6; ++n) write(store, n, {state(n, 7, "later")});
    CHECK(read(store, 2).size() == 2);
    store.remove("kept");
    CHECK(store.stats().index_entries == 5);
  }
}

TEST_CASE("a savepoint that fails after a commit costs nothing") {
  const auto disk = std::make_shared<store_fixture::fickle_disk>();
  {
    cairn::file_store store{folder, {}, disk};
    (void)store.open();
    write(store, 1, {state(1, 7, "all")});
    disk->fail_manifest_sync = true;
    CHECK(store_fixture::error_of([&] { store.keep(epoch{1}, "kept"); }).first == cairn::errc::io);
    CHECK(read(store, 1).size() == 1);
    CHECK(store.stats().index_entries == 1);
  }
  cairn::file_store store{folder, {}, disk};
  CHECK(store.open().latest == epoch{1});
  CHECK(read(store, 1).size() == 1);
}

}  // namespace store_settling_tests
