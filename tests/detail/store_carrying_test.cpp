// What it costs to carry records along: nothing that dies by itself is, and many at once are.
#include <cairn/file_store.hpp>
#include <map>
#include <random>

#include "../catch.hpp"
#include "../store_fixture.hpp"
#include "fickle_disk.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)

namespace {

constexpr std::uint64_t segment_bytes = 4096;

/// Epochs in which all of the `changing` actors have a record, behind one with records that nothing
/// replaces; what the disk was given for them, beside what they take.
void change_all(std::uint64_t lasting, std::uint64_t changing) {
  INFO(lasting << " lasting, " << changing << " changing");
  const auto disk = std::make_shared<fickle_disk>();
  constexpr std::uint64_t room = 6 * segment_bytes;
  cairn::file_store store{"s", {.segment_bytes = room}, disk};
  store.open({.retain = 3});
  constexpr std::uint64_t epochs = 60;
  std::uint64_t bytes = 0;
  const auto commit = [&](std::uint64_t n, std::uint64_t first, std::uint64_t count) {
    store.begin(epoch{n});
    for (std::uint64_t each = first; each < first + count; ++each) {
      const auto record = framed({state(n, each, std::string(100, 's'))});
      store.append(record.view());
      bytes += record.size();
    }
    store.commit();
  };
  commit(1, 1, lasting);
  const auto before = bytes;
  for (std::uint64_t n = 2; n < epochs + 2; ++n) commit(n, lasting + 1, changing);
  // Besides its records a segment has its head, and each epoch says what its manifest holds.
  constexpr std::uint64_t besides = 256;
  CHECK(disk->segment_bytes < bytes + epochs * 4 * besides);
  CHECK(store.stats().disk_bytes < before + 6 * (bytes - before) / epochs + 2 * room);
}

}  // namespace

TEST_CASE("what the next epochs replace in any case is not carried along") {
  change_all(0, 50);  // a segment takes two epochs and a half
}

TEST_CASE("what lives is not carried along because of what goes by itself") {
  change_all(131, 300);  // a segment, and several for each epoch
}

TEST_CASE("what is carried along is written many records at once") {
  const auto disk = std::make_shared<fickle_disk>();
  cairn::file_store store{"s", {.segment_bytes = 100 * segment_bytes}, disk};
  store.open({.retain = 1});
  constexpr std::uint64_t actors = 2000;
  std::uint64_t n = 0;
  std::vector<std::string> last(actors, std::string(600, 's'));
  std::mt19937 chance{7};
  const auto commit = [&](unsigned one_in) {
    std::vector<entry> entries;
    ++n;
    for (std::uint64_t each = 0; each < actors; ++each) {
      if (chance() % one_in != 0) continue;
      last[each] = std::string(600, static_cast<char>('a' + n % 26));
      entries.push_back(state(n, each + 1, last[each]));
    }
    store.begin(epoch{n});
    store.append(framed(entries).view());
    store.commit();
    return framed(entries).size();
  };
  commit(1);
  std::uint64_t most = 0;
  std::uint64_t carried = 0;
  for (int round = 0; round < 40; ++round) {
    const auto writes = disk->segment_writes;
    const auto bytes = disk->segment_bytes;
    const auto own = commit(3);
    most = std::max(most, disk->segment_writes - writes);
    carried += disk->segment_bytes - bytes > own + own / 2 ? 1 : 0;
  }
  CHECK(carried > 0);  // or the test shows nothing
  CHECK(most < 20);
  std::map<std::uint64_t, std::string> found;
  store.read(epoch{n}, [&](const cairn::record_view& record) {
    found[raw(record.header.actor)] = text_of(record.payload);
  });
  REQUIRE(found.size() == actors);
  for (std::uint64_t each = 0; each < actors; ++each) CHECK(found[each + 1] == last[each]);
}
