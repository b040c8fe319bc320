// What a power failure leaves of a simulated disk. Its errors are in faults_errors_test.cpp,
// file_store upon it in faults_store_test.cpp.
#include <array>
#include <cairn/detail/disk.hpp>
#include <cairn/testing/faults.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "store_fixture.hpp"

using namespace std::chrono_literals;
using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::errc;
using cairn::detail::disk;
using cairn::detail::read_whole;
using cairn::testing::disk_faults;
using cairn::testing::simulated_disk;

namespace {

std::string content(disk& of, const std::string& path) {
  return text_of(read_whole(of, path).view());
}

/// A file in directory "d" that is durable, with its name.
void durable_file(disk& on, const std::string& path, const std::string& text) {
  on.make_directory("d");
  const auto file = on.create(path);
  file->write(0, bytes_of(text));
  file->sync();
  on.sync_directory("d");
}

/// What is in "d" after a power failure: each file's content by its name.
files left_by(simulated_disk& disk) {
  disk.crash();
  const auto view = disk.mount();
  files all;
  for (const auto& name : view->list("d")) all[name] = content(*view, "d/" + name);
  return all;
}

/// How often each outcome is left over many seeds by what `work` does after "d/a" holds `before`.
template <class Work>
std::map<files, int> outcomes(const std::string& before, Work work, disk_faults faults = {}) {
  std::map<files, int> found;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    simulated_disk disk{seed, faults};
    const auto view = disk.mount();
    durable_file(*view, "d/a", before);
    work(disk, *view);
    ++found[left_by(disk)];
  }
  return found;
}

}  // namespace

TEST_CASE("what is synced with its directory survives every power failure") {
  const std::string text(5000, 'x');
  for (const auto& [left, times] : outcomes(text, [](auto&, auto&) {})) {
    CHECK(left == files{{"a", text}});
  }
}

TEST_CASE("an unsynced write is lost, kept, torn at sectors, or only its length is kept") {
  const std::string before(512, 'a');
  std::set<std::string> found;
  const auto all = outcomes(before, [](simulated_disk& disk, auto& view) {
    const auto file = view.create("d/b");
    file->sync();
    view.sync_directory("d");
    file->write(0, bytes_of(std::string(1000, 'b')));
    CHECK(disk.operations() > 0);
  });
  const std::string b(512, 'b');
  const std::string zeros(512, '\0');
  for (const auto& [left, times] : all) {
    CHECK(left.at("a") == before);
    found.insert(left.at("b"));
  }
  CHECK(found == std::set<std::string>{"", b, b + b.substr(24), zeros + b.substr(24),
                                       std::string(1000, '\0')});
}

TEST_CASE("between syncs a later write may be kept and an earlier one lost, unless they share") {
  std::map<std::string, int> apart;
  std::map<std::string, int> shared;
  const std::string zeros(1024, '\0');
  const auto write = [](std::uint64_t second) {
    return [second](auto&, auto& view) {
      const auto file = view.create("d/b");
      file->write(0, bytes_of(std::string(1024, '\0')));
      file->sync();
      view.sync_directory("d");
      file->write(0, bytes_of("1"));
      file->write(second, bytes_of("2"));
    };
  };
  for (const auto& [left, times] : outcomes("", write(512))) {
    const auto& text = left.at("b");
    ++apart[std::string{text[0] == '1' ? "1" : ""} + (text[512] == '2' ? "2" : "")];
  }
  for (const auto& [left, times] : outcomes("", write(1))) {
    const auto& text = left.at("b");
    ++shared[std::string{text[0] == '1' ? "1" : ""} + (text[1] == '2' ? "2" : "")];
  }
  CHECK(apart.size() == 4);
  CHECK((shared.size() == 3 && shared.count("2") == 0));  // a sector is written as it is in memory
}

TEST_CASE("names are lost where their directory was not synced, each on its own") {
  const auto work = [](auto&, auto& view) {
    const auto file = view.create("d/b.tmp");
    file->write(0, bytes_of("new"));
    file->sync();
    view.rename("d/b.tmp", "d/b");
    view.remove("d/a");
  };
  std::map<files, int> expected;
  for (const auto& [left, times] : outcomes("old", work)) expected[left] = 1;
  const files both{{"a", "old"}, {"b", "new"}};
  const files temporary{{"a", "old"}, {"b.tmp", "new"}};
  CHECK(expected == std::map<files, int>{{{}, 1},
                                         {{{"a", "old"}}, 1},
                                         {{{"b", "new"}}, 1},
                                         {{{"b.tmp", "new"}}, 1},
                                         {both, 1},
                                         {temporary, 1}});
  expected.clear();
  for (const auto& [left, times] : outcomes("old", work, {.reorder_entries = false})) {
    expected[left] = 1;
  }
  CHECK(expected ==
        std::map<files, int>{{{{"a", "old"}}, 1}, {temporary, 1}, {both, 1}, {{{"b", "new"}}, 1}});
}

TEST_CASE("a rename that takes another's place is done or not done") {
  const auto found = outcomes("old", [](auto&, auto& view) {
    durable_file(view, "d/b", "new");
    view.rename("d/b", "d/a");
  });
  CHECK(found.size() == 2);
  CHECK(found.contains({{"a", "old"}, {"b", "new"}}));
  CHECK(found.contains({{"a", "new"}}));
}

TEST_CASE("what a failed sync was for may be lost although a later sync succeeds") {
  std::set<std::string> found;
  const auto all = outcomes("", [](simulated_disk& disk, auto& view) {
    const auto file = view.create("d/b");
    view.sync_directory("d");
    file->write(0, bytes_of("1"));
    disk.fail_after(0, errc::io);
    const auto refused = error_of([&] { file->sync(); });
    CHECK(refused.first == errc::io);
    CHECK(contains(refused.second, "d/b: cannot sync: "));
    file->write(512, bytes_of("2"));
    file->sync();
    CHECK(content(view, "d/b").substr(0, 1) == "1");  // it is still in memory
  });
  for (const auto& [left, times] : all) found.insert(left.at("b"));
  const std::string zeros(511, '\0');
  CHECK(found == std::set<std::string>{"1" + zeros + "2", std::string(1, '\0') + zeros + "2"});

  std::set<std::size_t> names;
  const auto entries = outcomes("", [](simulated_disk& disk, auto& view) {
    view.create("d/b");
    disk.fail_after(0, errc::io);
    CHECK(error_of([&] { view.sync_directory("d"); }).first == errc::io);
    view.sync_directory("d");
  });
  for (const auto& [left, times] : entries) names.insert(left.size());
  CHECK(names == std::set<std::size_t>{1, 2});
}

TEST_CASE("names that another one's failed sync may have lost are not taken for durable") {
  (void)outcomes("", [](simulated_disk& disk, auto& view) {
    const cairn::detail::new_names mine;
    view.create("d/b");
    disk.fail_after(0, errc::io);
    const cairn::detail::new_names other;
    CHECK(error_of([&] { other.make_durable(view, "d"); }).first == errc::io);
    const auto refused = error_of([&] { mine.make_durable(view, "d"); });
    CHECK(refused.first == errc::io);
    CHECK(contains(refused.second, "d: cannot be synced: "));
    cairn::detail::new_names{}.make_durable(view, "d");  // of what was made since
  });
}

TEST_CASE("a process that is killed leaves everything it has written, and can run to its end") {
  for (const bool power : {false, true}) {
    simulated_disk disk{1};
    const auto dead = disk.mount();
    durable_file(*dead, "d/a", "old");
    const auto file = dead->create("d/b");
    file->write(0, bytes_of("kept"));
    const auto held = dead->lock("d/LOCK", false, 0ms);
    power ? disk.crash() : disk.kill();
    disk.set_faults({.read_error = 1, .write_error = 1, .no_space = 1, .sync_error = 1});
    disk.on_operation = [](std::string_view, const std::string&) { FAIL("a dead view is seen"); };
    const auto before = disk.operations();
    file->write(4, bytes_of(" on"));  // none of this throws
    file->sync();
    dead->remove("d/a");
    dead->create("d/c")->sync();
    dead->sync_directory("d");
    CHECK(content(*dead, "d/b") == "kept on");
    CHECK(disk.operations() == before);
    disk.on_operation = {};
    disk.set_faults({});
    const auto view = disk.mount();
    const auto next = view->lock("d/LOCK", false, 0ms);
    CHECK(content(*view, "d/a") == "old");
    if (!power) CHECK(content(*view, "d/b") == "kept");
    CHECK(error_of([&] { view->open("d/c"); }).first == errc::not_found);
    const auto refused = error_of([&] { disk.mount()->lock("d/LOCK", false, 0ms); });
    CHECK(refused.first == errc::locked);
    CHECK(contains(refused.second, "d/LOCK: the store is in use by process 2 of"));
  }
}

TEST_CASE("what a killed process did not sync is lost with the power") {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    simulated_disk disk{seed};
    durable_file(*disk.mount(), "d/a", "old");
    const auto file = disk.mount()->create("d/b");
    file->write(0, bytes_of("new"));
    disk.kill();
    const auto left = left_by(disk);
    found.insert(left.contains("b") ? left.at("b") : "none");
  }
  CHECK(found == std::set<std::string>{"none", "", "new", std::string(3, '\0')});
}

TEST_CASE("every operation can be the one before which the power fails") {
  const auto run = [](simulated_disk& disk, std::vector<std::string>* trace) {
    if (trace) {
      disk.on_operation = [trace](std::string_view name, const std::string& path) {
        trace->push_back(std::string{name} + " " + path);
      };
    }
    const auto view = disk.mount();
    durable_file(*view, "d/a", "text");
    view->rename("d/a", "d/b");
    (void)content(*view, "d/b");
    (void)view->list("d");
    view->remove("d/b");
  };
  std::vector<std::string> all;
  {
    simulated_disk disk{0};
    run(disk, &all);
    CHECK(disk.operations() == all.size());
  }
  CHECK(all == std::vector<std::string>{"make_directory d", "sync_directory .", "create d/a",
                                        "write d/a", "sync d/a", "sync_directory d", "rename d/a",
                                        "open d/b", "size d/b", "read d/b", "list d",
                                        "remove d/b"});
  for (std::size_t n = 0; n <= all.size(); ++n) {
    simulated_disk disk{0};
    disk.crash_after(n);
    run(disk, nullptr);
    INFO(n);
    CHECK(disk.crashed() == (n < all.size()));
    CHECK(disk.operations() == n);
    disk.crash();
    CHECK(disk.crashed());
    const auto view = disk.mount();
    CHECK_FALSE(disk.crashed());
    if (n >= 2) CHECK(view->list("d").size() <= (n >= 3 ? 1U : 0U));
    if (n == 6) CHECK(content(*view, "d/a") == "text");
  }
}

TEST_CASE("the same seed leaves the same, on every platform") {
  const auto left = [](std::uint64_t seed) {
    simulated_disk disk{seed, {.write_error = 0.1, .flip_at_rest = 0.1}};
    const auto view = disk.mount();
    view->make_directory("d");
    for (int i = 0; i < 10; ++i) {
      (void)error_of([&] {
        const auto file = view->create("d/" + std::to_string(i));
        for (unsigned j = 0; j < 4; ++j) file->write(j * 700U, bytes_of(std::string(700, 'x')));
        if (i % 3 == 0) file->sync();
      });
    }
    std::string text;
    for (const auto& [name, bytes] : left_by(disk)) text += name + bytes;
    return text;
  };
  CHECK(left(1) == left(1));
  CHECK(left(1) != left(2));
  CHECK(cairn::detail::checksum(bytes_of(left(42))) == 11780435794014724212U);
}

TEST_CASE("processes on threads share the disk while the power fails again and again") {
  simulated_disk disk{9, {.sync_error = 0.1}};
  durable_file(*disk.mount(), "d/LOCK", "");
  std::vector<std::thread> threads;
  for (int each = 0; each < 3; ++each) {
    threads.emplace_back([&disk, each] {
      for (int i = 0; i < 200; ++i) {
        (void)error_of([&] {
          const auto view = disk.mount();
          const auto held = view->lock("d/LOCK", true, 0ms);
          const auto file = view->create("d/" + std::to_string(each * 1000 + i));
          file->write(0, bytes_of("text"));
          file->sync();
          view->sync_directory("d");
        });
      }
    });
  }
  for (int i = 0; i < 50; ++i) i % 2 == 0 ? disk.crash() : disk.kill();
  for (auto& each : threads) each.join();
  for (const auto& [name, text] : left_by(disk)) CHECK((text == "text" || text.size() <= 4));
}

TEST_CASE("what is stored in a map survives the process, and a power failure or not") {
  constexpr std::size_t bytes = 16 * 512;
  std::size_t kept = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    simulated_disk on{seed};
    on.map_files();
    const auto first = on.mount();
    REQUIRE(first->maps());
    durable_file(*first, "d/f", std::string(bytes, '-'));
    const auto file = first->open("d/f");
    CHECK(file->map(bytes + 1) == nullptr);
    std::byte* map = file->map(bytes);
    REQUIRE(map != nullptr);
    for (std::size_t at = 0; at < bytes; ++at) map[at] = std::byte{'+'};
    on.kill();
    map[0] = std::byte{'?'};  // by a process that is dead
    CHECK(content(*on.mount(), "d/f") == std::string(bytes, '+'));
    on.crash();
    const auto left = content(*on.mount(), "d/f");
    for (std::size_t at = 0; at < bytes; at += 512) {
      const std::string sector = left.substr(at, 512);
      CHECK((sector == std::string(512, '+') || sector == std::string(512, '-')));
      kept += sector[0] == '+' ? 1 : 0;
    }
  }
  CHECK(kept > 100);
  CHECK(kept < 220);
}

TEST_CASE("files of a simulated disk cannot be mapped unless a test wants it") {
  simulated_disk on{1};
  CHECK_FALSE(on.mount()->maps());
}
