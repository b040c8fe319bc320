// The writer tells how an epoch has ended before its store does what has time.
#include <cairn/detail/snapshot_writer.hpp>
#include <cairn/memory_store.hpp>

#include <new>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "store_fixture.hpp"

namespace writing {

using cairn::epoch;
using cairn::detail::snapshot_writer;
using cairn::detail::writer_outcome;

/// Notes what it is asked to do; memory is short for it as often as the test says.
struct noting_store : cairn::memory_store {
  noting_store(std::vector<std::string>* into, int* times) : notes{into}, short_of_memory{times} {}
  void commit(bool releases) {
    cairn::memory_store::commit(releases);
    notes->push_back("commit");
  }
  void settle() {
    notes->push_back("settle");
    if ((*short_of_memory)-- > 0) throw std::bad_alloc{};
    cairn::memory_store::settle();
  }
  std::vector<std::string>* notes;
  int* short_of_memory;
};

struct desk {
  std::vector<std::string> notes{};
  int short_of_memory = 0;
  cairn::any_store store{noting_store{&notes, &short_of_memory}};
  snapshot_writer writer{store, 1 << 20, [this] { notes.push_back("told"); }, [] {}, [] {}};

  desk() { (void)store.open({}); }
  /// An epoch with one actor in it.
  writer_outcome write(std::uint64_t number) {
    const epoch now{number};
    auto bytes = store_fixture::framed({store_fixture::state(number, 7, "as it is")});
    writer.begin(now);
    writer.append(bytes);
    writer.commit({}, false);
    while (writer.step()) {
    }
    return writer.outcome().value();
  }
  [[nodiscard]] std::size_t records(std::uint64_t number) {
    std::size_t count = 0;
    store.read(epoch{number}, [&](const cairn::record_view&) { ++count; });
    return count;
  }
};

TEST_CASE("an epoch is told of before its store settles") {
  desk of;
  CHECK(of.write(1).committed);
  CHECK(of.notes == std::vector<std::string>{"commit", "told", "settle"});
  CHECK(of.records(1) == 1);
  CHECK(of.store.stats().index_entries == 1);
}

TEST_CASE("a store that could not settle does so with the next verb") {
  desk of;
  of.short_of_memory = 1;
  CHECK(of.write(1).committed);
  CHECK(of.records(1) == 1);
  of.short_of_memory = 1;
  CHECK(of.write(2).committed);
  CHECK(of.write(3).committed);
  for (std::uint64_t number = 1; number <= 3; ++number) CHECK(of.records(number) == 1);
  CHECK(of.store.stats().index_entries == 3);
}

TEST_CASE("what aborts nothing leaves an epoch that has not settled as it is") {
  desk of;
  of.short_of_memory = 1;
  CHECK(of.write(1).committed);
  of.store.abort();
  CHECK(of.records(1) == 1);
}

TEST_CASE("room that records have had is given out again") {
  desk of;
  const std::string large(20'000, 'x');
  auto bytes = store_fixture::framed({store_fixture::state(1, 7, large)});
  const auto* where = bytes.data();
  of.writer.begin(epoch{1});
  of.writer.append(bytes);
  CHECK(bytes.room() == 0);  // nothing has been written
  while (of.writer.step()) {
  }
  of.writer.append(bytes);  // nothing
  CHECK(bytes.data() == where);
  CHECK(bytes.empty());
}

}  // namespace writing
