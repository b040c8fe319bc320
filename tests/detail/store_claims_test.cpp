// What segments claim of the manifest, and what they must not: only what its writer knows to be
// durable, or a crash would look like damage.
#include <cairn/detail/store_manifest.hpp>

#include <cairn/testing/faults.hpp>

#include "../catch.hpp"
#include "../small_store.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::testing::simulated_disk;

namespace {

file_store on(simulated_disk& disk) { return file_store{"s", {4096}, disk.mount()}; }

/// Opens without an error or a warning, and returns the latest snapshot's number.
std::uint64_t open_quietly(file_store& store) {
  const opening what{store};
  INFO(what.refused.second << (what.warnings.empty() ? "" : what.warnings[0]));
  REQUIRE(what.refused.first == errc::ok);
  REQUIRE(what.warnings.empty());
  return what.found.latest ? raw(*what.found.latest) : 0;
}

/// The claims of a segment, in order.
std::vector<cairn::detail::record_header> claims_in(cairn::detail::disk& disk,
                                                    const std::string& path) {
  const auto bytes = cairn::detail::read_whole(disk, path);
  cairn::detail::record_cursor cursor{bytes.view_from(cairn::detail::file_header_bytes), path};
  std::vector<cairn::detail::record_header> found;
  while (const auto record = cursor.next()) {
    if (record->header.kind == record_kind::claim) found.push_back(record->header);
  }
  return found;
}

/// One process is killed before operation `kill_at` of its second commit; the next one goes on
/// until the power fails before its operation `crash_at`. What it was told is committed, whoever
/// wrote it, outlives that. False: there was no such operation.
bool survives(std::uint64_t seed, std::uint64_t kill_at, std::uint64_t crash_at) {
  simulated_disk disk{seed};
  {
    auto first = on(disk);
    first.open();
    write(first, 1, {state(1, 1, "one")});
    std::uint64_t operations = 0;
    disk.on_operation = [&](std::string_view, const std::string&) {
      if (operations++ == kill_at) disk.kill();
    };
    write(first, 2, {state(2, 1, "two")});
    disk.on_operation = {};
  }
  bool crashed = false;
  std::uint64_t told = 0;
  {
    auto second = on(disk);
    disk.crash_after(crash_at);
    const auto found = open_quietly(second);
    if (!disk.crashed()) told = found;
    write(second, 3, {state(3, 1, "three")});
    second.keep(epoch{3}, "third");
    crashed = disk.crashed();
  }
  disk.crash();
  auto third = on(disk);
  const auto latest = open_quietly(third);
  CHECK(latest >= 1);
  CHECK(latest >= told);
  CHECK((crashed || latest == 3));
  write(third, 4, {state(4, 1, "four")});
  CHECK(read(third, 4) == std::vector{state(4, 1, "four")});
  return crashed;
}

}  // namespace

TEST_CASE("a store claims after each edit how far its manifest is durable") {
  simulated_disk disk{1};
  auto store = on(disk);
  store.open();
  write(store, 1, {state(1, 1, "one")});
  store.keep(epoch{1}, "kept");
  write(store, 2, {state(2, 1, "two")});
  store.remove("kept");
  const auto view = disk.mount();
  const auto size = view->open("s/manifest-000001")->size();
  const auto claims = claims_in(*view, "s/segment-000001");
  REQUIRE(claims.size() == 5);  // in front, as of the opening; then one behind each edit
  for (std::size_t i = 0; i < claims.size(); ++i) {
    CHECK(claims[i].place == 1);
    if (i > 0) CHECK(claims[i].floor > claims[i - 1].floor);
  }
  CHECK(claims.back().floor == size);
  CHECK(raw(claims.back().epoch) == 2);
}

TEST_CASE("an edit within an open epoch is claimed by the commit") {
  simulated_disk disk{1};
  auto store = on(disk);
  store.open();
  write(store, 1, {state(1, 1, "one")});
  store.begin(epoch{2});
  store.append(framed({state(2, 1, "two")}).view());
  store.keep(epoch{1}, "kept");
  store.append(framed({state(2, 2, "more")}).view());
  store.commit();
  CHECK(read(store, 2).size() == 2);
  const auto view = disk.mount();
  CHECK(claims_in(*view, "s/segment-000001").back().floor ==
        view->open("s/manifest-000001")->size());
  auto next = on(disk);
  disk.kill();
  next = on(disk);
  CHECK(open_quietly(next) == 2);
}

TEST_CASE("a claim that cannot be written costs the file and not the commit") {
  simulated_disk disk{1};
  auto store = on(disk);
  const opening what{store};
  write(store, 1, {state(1, 1, "one")});
  bool committed = false;
  disk.on_operation = [&](std::string_view name, const std::string& path) {
    committed |= name == "sync" && contains(path, "manifest");
    if (committed && name == "write" && contains(path, "segment")) {
      throw cairn::error{errc::no_space, path + ": planted"};
    }
  };
  write(store, 2, {state(2, 1, "two")});
  disk.on_operation = {};
  CHECK(what.warned("noting what the manifest holds: s/segment-000001: planted"));
  write(store, 3, {state(3, 1, "three")});
  CHECK(read(store, 3) == std::vector{state(3, 1, "three")});
  const auto view = disk.mount();
  CHECK(claims_in(*view, "s/segment-000002").size() == 2);  // in front of what follows, and behind
}

TEST_CASE("what a killed process left unsynced is not claimed to be durable") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    std::uint64_t kill_at = 0;
    for (; kill_at < 6; ++kill_at) {
      std::uint64_t crash_at = 0;
      for (bool crashed = true; crashed; ++crash_at) {
        INFO("seed " << seed << ", killed before " << kill_at << ", power fails before "
                     << crash_at);
        crashed = survives(seed, kill_at, crash_at);
      }
      CHECK(crash_at > 20);
    }
  }
}
