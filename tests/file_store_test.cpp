#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cairn/detail/store_memory.hpp>
#include <cairn/file_store.hpp>
#include <random>

#include "catch.hpp"
#include "small_store.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::errc;
using cairn::file_store;

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

TEST_CASE("what is given up at the ends of files is counted, and given back") {
  const auto disk = std::make_shared<cairn::detail::memory_disk>();
  constexpr std::uint64_t segment = 64 * 1024;
  const auto counted = [&](const file_store& store) {
    std::uint64_t bytes = 0;
    std::size_t files = 0;
    for (const auto& name : disk->list("s")) {
      if (!contains(name, "segment-")) continue;
      bytes += disk->open("s/" + name)->size();
      ++files;
    }
    CHECK(store.stats().disk_bytes == bytes);
    CHECK(store.stats().segments == files);
    return bytes;
  };
  auto store = std::make_unique<file_store>("s", cairn::file_store_options{segment}, disk);
  store->open();
  std::uint64_t n = 0;
  for (std::uint64_t actor = 1; actor <= 7; ++actor) {
    ++n;
    write(*store, n, {state(n, actor, std::string(1000, 'k'))});
    store->begin(epoch{++n});
    store->append(framed({state(n, actor, std::string(60'000, 'g'))}).view());
    store->abort();  // each leaves its file behind
    (void)counted(*store);
  }
  CHECK(counted(*store) > 3 * 61'000);
  store = std::make_unique<file_store>("s", cairn::file_store_options{segment}, disk);
  store->open();
  CHECK(counted(*store) > 3 * 61'000);  // and the next process counts them too
  for (int i = 0; i < 40; ++i) {
    ++n;
    write(*store, n, {state(n, 8, std::string(500, 'p'))});
  }
  CHECK(counted(*store) <= 2 * store->stats().live_bytes + segment / 2 + 2000);
  CHECK(read(*store, n).size() == 8);
}
