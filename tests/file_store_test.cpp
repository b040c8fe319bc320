#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cairn/detail/store_memory.hpp>
#include <cairn/file_store.hpp>
#include <random>

#include "catch.hpp"
#include "store_fixture.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::errc;
using cairn::file_store;

namespace {

/// A store with three epochs in several segments.
model small_store(const std::string& path) {
  model expected;
  file_store store{path, {.segment_bytes = 4096}};
  store.open();
  const std::vector<std::vector<entry>> epochs{
      {state(1, 1, "one"), state(1, 2, std::string(60, 'b')),
       make(record_kind::mail, 1, 1, 1, "m")},
      {state(2, 1, "one again"), make(record_kind::meta, 2, 0, 0, "meta")},
      {state(3, 3, "three"), make(record_kind::gone, 3, 2, 0, "")}};
  for (std::uint64_t n = 1; n <= epochs.size(); ++n) {
    write(store, n, epochs[n - 1]);
    expected.commit(n, epochs[n - 1]);
  }
  return expected;
}

/// Opens damaged files: it must be an error that names a file, or a snapshot as it was written;
/// an older one only with a warning, or silently where `torn_allowed`. Returns what happened.
std::string open_damaged(const std::string& path, const model& expected, bool torn_allowed) {
  const auto before = load(path);
  std::vector<std::string> warnings;
  file_store store{path};
  cairn::opened found;
  try {
    found = store.open({.warn = [&](const std::string& text) { warnings.push_back(text); }});
  } catch (const cairn::error& problem) {
    const std::string text = problem.what();
    const bool named = contains(text, "segment-0") || contains(text, "manifest");
    CHECK((named && contains(text, path)));
    CHECK(problem.code() == errc::damaged);
    CHECK(load(path) == before);
    return "error";
  }
  REQUIRE(found.latest);
  const auto n = raw(*found.latest);
  const auto last = expected.committed.back();
  if (n != last && !torn_allowed) CHECK(!warnings.empty());
  if (!warnings.empty()) CHECK(contains(warnings[0], path));
  for (const auto& info : found.snapshots) {
    CHECK(read(store, raw(info.number)) == expected.read(raw(info.number)));
  }
  CHECK(load(path) == before);
  return n == last ? "newest" : "older";
}

}  // namespace

TEST_CASE("what is committed is read again, in order, by the next process") {
  const directory where;
  {
    file_store store{where.store()};
    CHECK(!store.open().latest);
    write(store, 1,
          {make(record_kind::reply, 1, 5, 9, "reply"), make(record_kind::mail, 1, 5, 8, "second"),
           make(record_kind::mail, 1, 5, 7, "first"), make(record_kind::actor, 1, 5, 6, "state"),
           make(record_kind::name, 1, 0, 1, "name"), make(record_kind::meta, 1, 0, 0, "meta")});
  }
  file_store store{where.store()};
  REQUIRE(store.open().latest == epoch{1});
  std::vector<std::string> order;
  for (const auto& e : read_in_order(store, 1)) order.push_back(e.payload);
  CHECK(order == std::vector<std::string>{"meta", "name", "state", "first", "second", "reply"});
  CHECK(error_of([&] { store.begin(epoch{1}); }).first == errc::misuse);
  CHECK(error_of([&] { store.read(epoch{9}, [](const auto&) {}); }).first == errc::not_found);
}

TEST_CASE("files are 0600 in a directory that is 0700") {
  const directory where;
  small_store(where.store());
  struct stat found{};
  REQUIRE(::stat(where.store().c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
  for (const auto& [name, text] : load(where.store())) {
    REQUIRE(::stat((where.store() + "/" + name).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777) == 0600);
  }
}

TEST_CASE("no flipped byte is ever read as content") {
  const directory where;
  const auto path = where.store();
  const auto expected = small_store(path);
  const auto good = load(path);
  std::map<std::string, int> outcomes;
  for (const auto& [name, text] : good) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      INFO(name << ", byte " << at);
      auto bad = text;
      bad[at] = static_cast<char>(bad[at] ^ (at % 2 == 0 ? 0x01 : 0x80));
      save(path, {});
      auto all = good;
      all[name] = bad;
      save(path, all);
      ++outcomes[open_damaged(path, expected, false)];
    }
  }
  CHECK(outcomes["error"] > 100);
  CHECK(outcomes["older"] > 100);
  CHECK(outcomes["newest"] == 0);  // every byte is verified
}

TEST_CASE("no length to which a file is cut is read as something else") {
  const directory where;
  const auto path = where.store();
  const auto expected = small_store(path);
  const auto good = load(path);
  for (const auto& [name, text] : good) {
    for (std::size_t length = 0; length < text.size(); ++length) {
      INFO(name << ", " << length << " bytes left");
      auto all = good;
      all[name] = text.substr(0, length);
      save(path, all);
      // A manifest that is cut is what a crash in the middle of an append leaves.
      const bool manifest = contains(name, "manifest");
      const bool empty_state = manifest && length >= 32 + 32 + 24 + 8;
      if (empty_state) {
        std::vector<std::string> warnings;
        file_store store{path};
        const auto found = store.open({});
        for (const auto& info : found.snapshots) {
          CHECK(read(store, raw(info.number)) == expected.read(raw(info.number)));
        }
        continue;
      }
      CHECK(open_damaged(path, expected, manifest) != "newest");
    }
  }
}

TEST_CASE("a missing segment is an error, and so is a missing manifest") {
  const directory where;
  const auto path = where.store();
  const auto expected = small_store(path);
  const auto good = load(path);
  for (const auto& [name, text] : good) {
    auto all = good;
    all.erase(name);
    save(path, all);
    INFO(name);
    CHECK(open_damaged(path, expected, false) == "error");
  }
}

TEST_CASE("zeros at the end of the manifest are a torn append") {
  const directory where;
  const auto path = where.store();
  const auto expected = small_store(path);
  auto all = load(path);
  for (auto& [name, text] : all) {
    if (contains(name, "manifest")) text += std::string(100, '\0');
  }
  save(path, all);
  CHECK(open_damaged(path, expected, false) == "newest");
}

TEST_CASE("going back past released outputs needs the operator's word") {
  const directory where;
  const auto path = where.store();
  const auto expected = small_store(path);
  {
    file_store store{path};
    store.open();
    store.released(epoch{3});
    CHECK(store.list().back().released);
  }
  auto all = load(path);
  auto& segment = all["segment-000001"];
  segment[segment.size() - 20] = static_cast<char>(segment[segment.size() - 20] ^ 4);
  save(path, all);
  CHECK(open_damaged(path, expected, false) == "error");

  std::string warning;
  file_store store{path};
  const auto found =
      store.open({.accept_older = true, .warn = [&](const std::string& text) { warning = text; }});
  REQUIRE(found.latest == epoch{2});
  CHECK(contains(warning, "segment-000001"));
  CHECK(read(store, 2) == expected.read(2));
  write(store, 4, {state(4, 9, "on")});  // and the store goes on
  CHECK(read(store, 4).size() == read(store, 2).size() + 1);
}

TEST_CASE("a store in use by another process names that process") {
  const directory where;
  small_store(where.store());
  std::array<int, 2> ready{};
  std::array<int, 2> done{};
  REQUIRE((::pipe(ready.data()) == 0 && ::pipe(done.data()) == 0));
  const auto child = ::fork();
  if (child == 0) {
    file_store store{where.store()};
    store.open();
    char byte = 'x';
    (void)!::write(ready[1], &byte, 1);
    (void)!::read(done[0], &byte, 1);
    ::_exit(0);  // the lock goes with the process
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  file_store store{where.store()};
  const auto refused = error_of([&] { store.open({.lock_wait = std::chrono::milliseconds{5}}); });
  CHECK(refused.first == errc::locked);
  CHECK(contains(refused.second, "LOCK: the store is in use by process " + std::to_string(child)));
  REQUIRE(::write(done[1], &byte, 1) == 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(store.open().latest == epoch{3});
  for (const int end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
}

TEST_CASE("a newer format is named with both numbers") {
  const directory where;
  const auto path = where.store();
  small_store(path);
  auto all = load(path);
  for (auto& [name, text] : all) {
    if (!contains(name, "manifest")) continue;
    buffer head;
    head.append(text.data(), 24);
    head.put_at(8, std::uint32_t{2});
    head.put(cairn::detail::checksum(head.view()));
    text.replace(0, 32, text_of(head.view()));
  }
  save(path, all);
  file_store store{path};
  const auto refused = error_of([&] { store.open(); });
  CHECK(refused.first == errc::newer_schema);
  CHECK(contains(refused.second, "manifest-00000"));
  CHECK(contains(refused.second, "format 2, this cairn reads up to 1"));
  CHECK(load(path) == all);
}

TEST_CASE("what is not a store is left alone") {
  const directory where;
  const files strange{{"letter.txt", "dear all"}};
  save(where.store(), strange);
  file_store in_use{where.store()};
  CHECK(error_of([&] { in_use.open(); }).first == errc::misuse);
  CHECK(load(where.store()) == strange);
  CHECK(!std::filesystem::exists(where.store() + "/LOCK"));

  std::ofstream{where.path() + "/file"} << "x";
  file_store on_file{where.path() + "/file"};
  const auto refused = error_of([&] { on_file.open(); });
  CHECK(refused.first == errc::io);
  CHECK(contains(refused.second, where.path() + "/file"));

  file_store nowhere{where.path() + "/none"};
  CHECK(error_of([&] { nowhere.open({.read_only = true}); }).first == errc::not_found);
  CHECK(!std::filesystem::exists(where.path() + "/none"));
}

TEST_CASE("a file that may not be read is an error, not absence") {
  if (::geteuid() == 0) return;  // may read everything
  const directory where;
  small_store(where.store());
  ::chmod((where.store() + "/segment-000001").c_str(), 0);
  file_store store{where.store()};
  const auto refused = error_of([&] { store.open(); });
  CHECK(refused.first == errc::io);
  CHECK(contains(refused.second, "segment-000001"));
}

TEST_CASE("a read-only store changes nothing") {
  const directory where;
  const auto expected = small_store(where.store());
  const auto before = load(where.store());
  file_store store{where.store()};
  REQUIRE(store.open({.read_only = true}).latest == epoch{3});
  CHECK(read(store, 3) == expected.read(3));
  CHECK(error_of([&] { store.keep(epoch{3}, "x"); }).first == errc::misuse);
  CHECK(load(where.store()) == before);
}

TEST_CASE("the latest snapshots are retained, and the named ones") {
  const directory where;
  file_store store{where.store()};
  store.open({.retain = 2});
  const auto numbers = [&] {
    std::vector<std::pair<std::uint64_t, std::string>> found;
    for (const auto& info : store.list()) found.emplace_back(raw(info.number), info.name);
    return found;
  };
  using expected = std::vector<std::pair<std::uint64_t, std::string>>;
  write(store, 1, {state(1, 1, "a")});
  store.keep(epoch{1}, "before");
  CHECK(error_of([&] { store.keep(epoch{1}, "before"); }).first == errc::name_taken);
  CHECK(error_of([&] { store.keep(epoch{8}, "none"); }).first == errc::not_found);
  for (std::uint64_t n = 2; n <= 6; ++n) write(store, n, {state(n, 1, std::to_string(n))});
  CHECK(numbers() == expected{{1, "before"}, {5, ""}, {6, ""}});

  store = file_store{where.store()};
  store.open({.retain = 2});
  CHECK(read(store, 1) == std::vector{state(1, 1, "a")});
  CHECK(read(store, 5) == std::vector{state(5, 1, "5")});
  store.remove("before");
  CHECK(numbers() == expected{{5, ""}, {6, ""}});
  CHECK(error_of([&] { store.remove("before"); }).first == errc::not_found);
  CHECK(store.stats().live_bytes < 3 * 80);
}

TEST_CASE("space is given back while a little changes in each of 500 epochs") {
  const directory where;
  const auto disk = std::make_shared<cairn::detail::memory_disk>();
  constexpr std::uint64_t segment = 64 * 1024;
  file_store store{"s", {.segment_bytes = segment}, disk};
  store.open();
  std::mt19937 random{42};
  std::map<std::uint64_t, std::string> content;
  std::vector<entry> entries;
  for (std::uint64_t actor = 1; actor <= 1000; ++actor) {
    content[actor] = std::string(500, 'x');
    entries.push_back(state(1, actor, content[actor]));
  }
  write(store, 1, entries);
  std::uint64_t most = 0;
  for (std::uint64_t n = 2; n <= 501; ++n) {
    entries.clear();
    for (int i = 0; i < 10; ++i) {
      const auto actor = 1 + random() % 1000;
      content[actor] = std::to_string(n) + std::string(500, 'y');
      std::erase_if(entries, [&](const entry& e) { return raw(e.header.actor) == actor; });
      entries.push_back(state(n, actor, content[actor]));
    }
    // A short life: tombstones must not pile up.
    entries.push_back(n % 2 == 0 ? state(n, 10'000 + n, "short")
                                 : make(record_kind::gone, n, 10'000 + n - 1, 0, ""));
    write(store, n, entries);
    const auto sizes = store.stats();
    most = std::max(most, sizes.disk_bytes);
    REQUIRE(sizes.disk_bytes <= 2 * sizes.live_bytes + 6 * segment);
    std::uint64_t on_disk = 0;
    for (const auto& name : disk->list("s")) {
      if (contains(name, "segment-")) on_disk += disk->open("s/" + name)->size();
    }
    REQUIRE(on_disk == sizes.disk_bytes);
  }
  CHECK(store.stats().index_entries < 1000 * 4);
  CHECK(most < 500 * 11 * 570 / 2);  // far from all that was written
  store = file_store{"s", {.segment_bytes = segment}, disk};
  REQUIRE(store.open().latest == epoch{501});
  std::map<std::uint64_t, std::string> found;
  for (const auto& e : read(store, 501)) found[raw(e.header.actor)] = e.payload;
  CHECK(found == content);
}
