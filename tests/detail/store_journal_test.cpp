// Damaged files of a journal: every byte, every length, lost files.
#include <cairn/detail/store_journal.hpp>

#include <filesystem>
#include <fstream>
#include <functional>

#include <cairn/testing/faults.hpp>

#include "../catch.hpp"
#include "../small_store.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)

namespace {

using list = std::vector<std::string>;
using cairn::detail::file_header_bytes;
using cairn::detail::frame_overhead;

/// Three lives of a journal, a file each; what is said together is synced together. At the end of
/// each stand several, so that it says itself that they are durable.
const std::vector<std::vector<list>> lives{{{"one"}, {"two"}, {"three", "four"}},
                                           {{"five"}, {"six", "seven"}},
                                           {{"eight"}, {"nine", "ten", "eleven"}}};
const list everything{"one",   "two",   "three", "four", "five",  "six",
                      "seven", "eight", "nine",  "ten",  "eleven"};

std::string file(int number) { return "journal-small-00000" + std::to_string(number); }

void write_lives(const std::string& path) {
  for (const auto& life : lives) {
    file_store store{path};
    store.open();
    const auto log = store.journal("small");
    for (const auto& batch : life) {
      for (const auto& text : batch) log->append(bytes_of(text));
      log->sync();
    }
  }
}

struct look {
  list found{};
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::pair<errc, std::string> refused{};
};

/// Reads the journal, and sees to it that nothing is changed by that.
look at(const std::string& path) {
  look what;
  file_store store{path};
  store.open({.read_only = true});
  const auto before = tree(path);
  what.refused = error_of([&] {
    const auto log = store.journal("small");
    log->read_from(1, [&](std::uint64_t number, bytes_view bytes) {
      if (what.first == 0) what.first = number;
      what.found.push_back(text_of(bytes));
    });
    what.last = log->last();
  });
  CHECK(tree(path) == before);
  return what;
}

/// Where the last entry of a life ends in its file.
std::size_t entries_end(int life) {
  std::size_t end = file_header_bytes;
  for (const auto& batch : lives[static_cast<std::size_t>(life - 1)]) {
    for (const auto& entry : batch) end += frame_overhead + entry.size();
  }
  return end;
}

/// The damage is told by the name of one of the journal's files.
void is_named(const look& what, const std::string& path) {
  INFO(what.refused.second);
  CHECK(what.refused.first == errc::damaged);
  CHECK(contains(what.refused.second, path + "/journal-small-00000"));
}

}  // namespace

TEST_CASE("a journal is read as it was written, and seals are no entries") {
  const directory where;
  write_lives(where.store());
  const auto what = at(where.store());
  CHECK(what.found == everything);
  CHECK((what.first == 1 && what.last == everything.size()));
}

TEST_CASE("no flipped byte of a journal is read, or taken for an entry that never was") {
  const directory where;
  const auto path = where.store();
  write_lives(path);
  const auto good = load(path);
  for (int number = 1; number <= 3; ++number) {
    const auto& text = good.at(file(number));
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (const int mask : {0x01, 0x80}) {
        INFO(file(number) << ", byte " << i);
        auto all = good;
        all[file(number)][i] = static_cast<char>(text[i] ^ mask);
        save(path, all);
        is_named(at(path), path);
      }
    }
  }
}

TEST_CASE("where a journal's last file is cut, what is whole before the cut counts") {
  const directory where;
  const auto path = where.store();
  write_lives(path);
  const auto good = load(path);
  for (int number = 1; number <= 3; ++number) {
    const auto& text = good.at(file(number));
    for (std::size_t length = 0; length < text.size(); ++length) {
      INFO(file(number) << ", " << length << " bytes left");
      auto all = good;
      all[file(number)] = text.substr(0, length);
      save(path, all);
      const auto what = at(path);
      if (length < (number < 3 ? entries_end(number) : file_header_bytes)) {
        is_named(what, path);
        continue;
      }
      if (number < 3) {  // others follow, and the seal at its end is not missed
        CHECK(what.found == everything);
        continue;
      }
      list left{everything.begin(), everything.begin() + 7};
      std::size_t end = file_header_bytes;
      for (const auto& batch : lives[2]) {
        for (const auto& entry : batch) {
          end += frame_overhead + entry.size();
          if (end <= length) left.push_back(entry);
        }
      }
      CHECK(what.refused.first == errc::ok);
      CHECK(what.found == left);
      CHECK(what.last == left.size());
      {
        file_store store{path};  // and it goes on behind that
        store.open();
        const auto log = store.journal("small");
        CHECK(log->append(bytes_of("again")) == left.size() + 1);
        log->sync();
      }
      left.push_back("again");
      CHECK(at(path).found == left);
    }
  }
}

TEST_CASE("a lost file of a journal is missed where others follow, and else told by the numbers") {
  const directory where;
  const auto path = where.store();
  write_lives(path);
  const auto good = load(path);
  const auto without = [&](std::vector<int> numbers) {
    auto all = good;
    for (const auto number : numbers) all.erase(file(number));
    save(path, all);
    return at(path);
  };
  const auto middle = without({2});
  is_named(middle, path);
  CHECK(contains(middle.refused.second, "begins with entry 8, those before it end with 4"));
  const auto front = without({1, 2});  // as if they were forgotten
  CHECK((front.refused.first == errc::ok && front.first == 8 && front.last == 11));
  const auto back = without({3});
  CHECK((back.refused.first == errc::ok && back.first == 1 && back.last == 7));
  const auto none = without({1, 2, 3});
  CHECK((none.refused.first == errc::ok && none.first == 0 && none.last == 0));
}

TEST_CASE("a frame that looks torn is damaged where a later one says that it was durable") {
  using cairn::detail::frame;
  buffer file;
  const auto append = [&](const std::string& text, std::uint64_t durable) {
    const auto begin = file.size();
    cairn::detail::append_frame(file, frame{1, 1, bytes_of(text), durable});
    return begin;
  };
  const auto first = append("first", 0);
  const auto second = append("second", 0);
  const auto third = append("third", 0);
  const auto end_of = [&](std::size_t flip) {
    auto bad = file;
    bad.data()[flip] ^= std::byte{1};
    return cairn::detail::scan_frames(bad.view(), 0).end;
  };
  using cairn::detail::log_end;
  for (const std::size_t part : {std::size_t{3}, cairn::detail::frame_header_bytes + 2}) {
    CHECK(end_of(first + part) == log_end::torn);
    CHECK(end_of(second + part) == log_end::torn);
    CHECK(end_of(third + part) == log_end::damaged);  // nothing of it is lost, it is changed
  }
  append("fourth", third);  // the first two were synced
  for (const std::size_t part : {std::size_t{3}, cairn::detail::frame_header_bytes + 2}) {
    CHECK(end_of(first + part) == log_end::damaged);
    CHECK(end_of(second + part) == log_end::damaged);
    CHECK(end_of(third + part) == log_end::torn);
  }
}

TEST_CASE("a payload that looks like a frame proves nothing") {
  using cairn::detail::frame;
  buffer inner;
  cairn::detail::append_frame(inner, frame{1, 9, bytes_of("inner"), 1'000'000});
  buffer file;
  cairn::detail::append_frame(file, frame{1, 1, inner.view(), 0});
  const auto second = file.size();
  cairn::detail::append_frame(file, frame{1, 2, inner.view(), 0});
  cairn::detail::append_frame(file, frame{1, 3, bytes_of("last"), 0});
  for (const auto flip : {second - 1, second + 40}) {
    auto bad = file;
    bad.data()[flip] ^= std::byte{1};
    CHECK(cairn::detail::scan_frames(bad.view(), 0).end == cairn::detail::log_end::torn);
  }
}

namespace {

using cairn::testing::simulated_disk;

file_store on(simulated_disk& disk) { return file_store{"s", {4096}, disk.mount()}; }

list all_of(cairn::journal_log& log) {
  list found;
  log.read_from(1, [&](std::uint64_t, bytes_view bytes) { found.push_back(text_of(bytes)); });
  return found;
}

}  // namespace

TEST_CASE("what a killed process left unsynced in a journal is durable once it has been read") {
  const list three{"one", "two", "three"};
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const bool after_failure : {false, true}) {
      INFO("seed " << seed << (after_failure ? ", its sync had failed" : ""));
      simulated_disk disk{seed};
      {
        auto store = on(disk);
        store.open();
        const auto log = store.journal("small");
        log->append(bytes_of("one"));
        log->sync();
        for (const auto* text : {"two", "three"}) log->append(bytes_of(text));
        if (after_failure) {
          disk.fail_after(0, errc::io);
          CHECK(error_of([&] { log->sync(); }).first == errc::io);
        }
        disk.kill();
      }
      {
        auto store = on(disk);
        store.open();
        const auto log = store.journal("small");
        REQUIRE(all_of(*log) == three);
        CHECK(log->last() == 3);
        disk.crash();
      }
      auto store = on(disk);
      store.open();
      const auto log = store.journal("small");
      CHECK(all_of(*log) == three);
      log->append(bytes_of("four"));
      log->sync();
      CHECK(all_of(*log) == list{"one", "two", "three", "four"});
    }
  }
}

TEST_CASE("a journal whose end cannot be made durable is not opened") {
  simulated_disk disk{1};
  {
    auto store = on(disk);
    store.open();
    const auto log = store.journal("small");
    log->append(bytes_of("one"));
    disk.kill();
  }
  auto store = on(disk);
  store.open();
  bool failing = true;
  disk.on_operation = [&](std::string_view name, const std::string& path) {
    if (failing && name == "sync" && contains(path, "journal")) {
      throw cairn::error{errc::io, path + ": planted"};
    }
  };
  CHECK(error_of([&] { (void)store.journal("small"); }).first == errc::io);
  failing = false;
  const auto log = store.journal("small");
  disk.crash();
  auto next = on(disk);
  next.open();
  CHECK(all_of(*next.journal("small")) == list{"one"});
}

TEST_CASE("a power failure while a journal forgets files leaves no gap") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::uint64_t crash_at = 0;
    for (bool crashed = true; crashed; ++crash_at) {
      INFO("seed " << seed << ", power fails before " << crash_at);
      simulated_disk disk{seed};
      {
        auto store = on(disk);
        store.open();
        const auto log = store.journal("small");
        for (int at = 0; at < 12; ++at) {
          log->append(bytes_of(std::string(2000, 'x')));
          log->sync();
        }
        disk.crash_after(crash_at);
        log->trim_before(12);
        crashed = disk.crashed();
        disk.crash();
      }
      auto store = on(disk);
      store.open();
      std::uint64_t last = 0;
      store.journal("small")->read_from(1, [&](std::uint64_t number, bytes_view) {
        CHECK((last == 0 || number == last + 1));
        last = number;
      });
      CHECK(last == 12);
    }
    CHECK(crash_at > 4);
  }
}
