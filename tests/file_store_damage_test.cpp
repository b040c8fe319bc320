// Damaged files of a file_store: every byte, every length, lost files, and what the operator may
// do.
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "small_store.hpp"

using namespace store_fixture;  // NOLINT(*using-namespace*)

namespace {

std::string numbered(const std::string& kind, int number) {
  return kind + "-00000" + std::to_string(number);
}
const std::string segment = numbered("segment", 1);
const std::string manifest = numbered("manifest", 1);

/// Where the frames of a manifest end.
std::vector<std::size_t> frame_ends(const std::string& text) {
  std::vector<std::size_t> ends;
  const auto found = cairn::detail::scan_frames(bytes_of(text), cairn::detail::file_header_bytes);
  std::size_t at = cairn::detail::file_header_bytes;
  for (const auto& each : found.frames) {
    at += cairn::detail::frame_overhead + each.payload.size();
    ends.push_back(at);
  }
  return ends;
}

/// Where what counts of a segment ends: behind it stands a claim alone.
std::size_t extents_end(const std::string& text) {
  auto end = text.size();
  while (is_idle(text, end - 1)) --end;
  return end;
}

files without_manifests(files all) {
  std::erase_if(all, [](const auto& each) { return contains(each.first, "/manifest-"); });
  return all;
}

/// Opens damaged files: it must be an error that names a file and changes nothing, or a snapshot as
/// it was written. "older" and "spared", the newest while another one is damaged, come with a
/// warning that names a file, and change nothing; "newest" comes without one, and where no claim
/// says any more that its manifest was durable, it is written anew.
std::string open_damaged(const std::string& where, const std::string& path, const model& expected) {
  const auto before = tree(where);
  file_store store{path};
  const opening what{store};
  auto after = tree(where);
  if (!before.contains(path + "/LOCK")) after.erase(path + "/LOCK");
  const bool anew = what.refused.first == errc::ok && what.warnings.empty();
  if (anew)
    CHECK(without_manifests(after) == without_manifests(before));
  else
    CHECK(after == before);
  if (what.refused.first != errc::ok) {
    const auto& text = what.refused.second;
    INFO(text);
    CHECK(what.refused.first == errc::damaged);
    CHECK((contains(text, "segment-0") || contains(text, "manifest")));
    CHECK(contains(text, path));
    return "error";
  }
  REQUIRE(what.found.latest);
  const auto n = raw(*what.found.latest);
  const auto last = expected.committed.back();
  CHECK((what.warnings.empty() || contains(what.warnings[0], path)));
  CHECK((n == last || !what.warnings.empty()));
  for (const auto& info : what.found.snapshots) {
    const auto number = raw(info.number);
    std::vector<entry> content;
    const auto refused = error_of([&] { content = read(store, number); });
    if (refused.first == errc::ok) {
      CHECK(content == expected.read(number));
      continue;
    }
    CHECK((refused.first == errc::damaged && contains(refused.second, path)));
    CHECK((number < n && what.warned("snapshot " + std::to_string(number) + " is damaged")));
  }
  if (n != last) return "older";
  return what.warnings.empty() ? "newest" : "spared";
}
std::string open_damaged(const directory& where, const files& all, const model& expected) {
  save(where.store(), all);
  std::ofstream{where.store() + "/LOCK"} << "process 1 since ever\n";
  return open_damaged(where.path(), where.store(), expected);
}

std::string flipped(std::string text, std::size_t at) {
  text[at] = static_cast<char>(text[at] ^ (at % 2 == 0 ? 0x01 : 0x80));
  return text;
}

}  // namespace

TEST_CASE("no flipped byte is ever read as content") {
  for (const bool releases : {false, true}) {
    const directory where;
    const auto expected = small_store(where.store(), releases);
    const auto good = load(where.store());
    REQUIRE(good.size() == 2);
    std::map<std::string, int> outcomes;
    for (const auto& [name, text] : good) {
      for (std::size_t at = 0; at < text.size(); ++at) {
        INFO(name << ", byte " << at);
        auto all = good;
        all[name] = flipped(text, at);
        const auto outcome = open_damaged(where, all, expected);
        ++outcomes[outcome];
        const bool counts = name != segment || !is_idle(text, at);
        CHECK((outcome == "newest") != counts);  // what counts is verified, and nothing else does
      }
    }
    CHECK(outcomes["error"] > 100);
    CHECK((outcomes["older"] > 100) != releases);  // not past what was released
    CHECK((outcomes["older"] == 0) == releases);
    CHECK(outcomes["spared"] > 5);
  }
}

TEST_CASE("no length to which a file is cut is read as something else") {
  const directory where;
  const auto expected = small_store(where.store());
  const auto good = load(where.store());
  for (const auto& [name, text] : good) {
    for (std::size_t length = 0; length < text.size(); ++length) {
      INFO(name << ", " << length << " bytes left");
      auto all = good;
      all[name] = text.substr(0, length);
      const auto outcome = open_damaged(where, all, expected);
      if (name == manifest) {
        CHECK(outcome == "error");  // also where it looks as after a crash
      } else {
        CHECK((outcome == "newest") == (length >= extents_end(text)));
      }
    }
  }
}

TEST_CASE("a missing segment is an error, and so is a missing manifest") {
  const directory where;
  const auto expected = small_store(where.store());
  const auto good = load(where.store());
  for (const auto& [name, text] : good) {
    auto all = good;
    all.erase(name);
    INFO(name);
    CHECK(open_damaged(where, all, expected) == "error");
  }
}

TEST_CASE("a manifest that is cut at a frame's end has lost what segments say it had") {
  const directory where;
  const auto path = where.store();
  const cairn::store_options how{.retain = 9};
  model expected = small_store(path);
  expected.retain = 9;
  {
    file_store store{path};
    store.open(how);
    store.keep(epoch{2}, "two");
    store.keep(epoch{3}, "three");
    for (const std::uint64_t n : {4U, 5U}) {
      write(store, n, {state(n, n, "more")});
      expected.commit(n, {state(n, n, "more")});
    }
    store.remove("two");
    store.keep(epoch{5}, "five");
  }
  const auto good = load(path);
  REQUIRE(good.count(numbered("manifest", 2)) == 1);
  const auto& text = good.at(numbered("manifest", 2));
  const auto ends = frame_ends(text);
  REQUIRE(ends.size() == 6);  // a state with "two", and five edits
  REQUIRE(ends.back() == text.size());
  const std::vector<std::uint64_t> latest{3, 3, 4, 5, 5};
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    INFO("cut behind frame " << i);
    auto all = good;
    all[numbered("manifest", 2)] = text.substr(0, ends[i]);
    CHECK(open_damaged(where, all, expected) == "error");

    file_store store{path};
    const auto read_only = opening{store, {.read_only = true}}.refused;
    const auto said = path + "/manifest-000002, offset " + std::to_string(ends[i]) +
                      ": the manifest ends here, but segment-000002 says that " +
                      std::to_string(text.size()) + " bytes of it were durable, with snapshot 5";
    CHECK(read_only == std::pair{errc::damaged, said});

    auto word = how;
    word.accept_older = true;
    const opening back{store, word};
    REQUIRE(back.found.latest == epoch{latest[i]});
    REQUIRE(back.warnings.size() == 1);
    CHECK(back.warnings[0] ==
          said + "; going on with what is there, up to snapshot " + std::to_string(latest[i]));
    CHECK(read(store, latest[i]) == expected.read(latest[i]));

    // The store goes on from there, and what was lost is no longer asked for.
    write(store, 7, {state(7, 9, "on")});
    const auto content = read(store, 7);
    store = file_store{path};
    const opening again{store, how};
    CHECK(again.warnings.empty());
    CHECK(again.found.latest == epoch{7});
    CHECK(read(store, 7) == content);
  }
}

TEST_CASE("a manifest that is lost while an older one is there is missed") {
  const directory where;
  const auto path = where.store();
  auto expected = small_store(path);
  const auto old = load(path);
  {
    file_store store{path};
    store.open();
    write(store, 4, {state(4, 4, "four")});
    expected.commit(4, {state(4, 4, "four")});
  }
  auto all = load(path);
  REQUIRE(all.count(numbered("manifest", 2)) == 1);
  all.erase(numbered("manifest", 2));
  all[manifest] = old.at(manifest);
  CHECK(open_damaged(where, all, expected) == "error");

  file_store store{path};
  CHECK(
      contains(opening{store}.refused.second,
               path + "/manifest-000002: the manifest is missing, but segment-000002 says that "));
  const opening back{store, {.accept_older = true}};
  CHECK(back.found.latest == epoch{3});
  CHECK(back.warned("manifest-000002: the manifest is missing"));
  CHECK(read(store, 3) == expected.read(3));
  write(store, 5, {state(5, 5, "on")});
  store = file_store{path};
  const opening again{store};  // what is said of number 2 is not taken as said of another
  CHECK(again.warnings.empty());
  CHECK(again.found.latest == epoch{5});
  CHECK(load(path).count(numbered("manifest", 3)) == 1);
}

TEST_CASE("zeros at the end of the manifest are a torn append") {
  const directory where;
  const auto expected = small_store(where.store());
  auto all = load(where.store());
  all[manifest] += std::string(100, '\0');
  CHECK(open_damaged(where, all, expected) == "newest");
}

TEST_CASE("going back past released outputs needs the operator's word") {
  const directory where;
  const auto path = where.store();
  const auto expected = small_store(path, true);
  auto all = load(path);
  auto& text = all[segment];
  text = flipped(text, extents_end(text) - 90);
  CHECK(open_damaged(where, all, expected) == "error");

  file_store store{path};
  const opening back{store, {.accept_older = true}};
  REQUIRE(back.found.latest == epoch{2});
  CHECK(back.warned(segment));
  CHECK(back.warned("snapshot 3 is damaged, going back to 2"));
  CHECK(read(store, 2) == expected.read(2));
  write(store, 4, {state(4, 9, "on")});  // and the store goes on
  CHECK(read(store, 4).size() == read(store, 2).size() + 1);
}

TEST_CASE("damage that the newest snapshot does not need costs those that do") {
  const directory where;
  const auto path = where.store();
  {
    file_store store{path, {.segment_bytes = 4096}};
    store.open({.retain = 1});
    write(store, 1, {state(1, 1, "first state"), state(1, 2, "stays")});
    store.keep(epoch{1}, "before");
    write(store, 2, {state(2, 1, "second state")});
    write(store, 3, {state(3, 1, "third state")});
  }
  const auto good = load(path);
  const auto& text = good.at(segment);
  const auto damage = [&](const std::string& payload, std::size_t back) {
    auto all = good;
    all[segment] = flipped(text, text.find(payload) - back);
    save(path, all);
  };
  const std::vector<entry> newest{state(1, 2, "stays"), state(3, 1, "third state")};

  damage("first state", 0);  // the savepoint's alone
  {
    file_store store{path, {.segment_bytes = 4096}};
    const opening spared{store};
    REQUIRE(spared.found.latest == epoch{3});
    REQUIRE(spared.warnings.size() == 1);
    CHECK(contains(spared.warnings[0], path + "/" + segment + ", offset "));
    CHECK(
        contains(spared.warnings[0],
                 "; savepoint 'before', snapshot 1 is damaged and cannot be read, snapshot 3 can"));
    auto content = read(store, 3);
    CHECK(content.size() == 2);
    CHECK(std::is_permutation(content.begin(), content.end(), newest.begin()));
    CHECK(error_of([&] { read(store, 1); }).first == errc::damaged);
    // It goes on, and without the savepoint nothing is left of the damage.
    for (std::uint64_t n = 4; n < 9; ++n) write(store, n, {state(n, 1, std::string(3000, 'x'))});
    store.remove("before");
    for (std::uint64_t n = 9; n < 30; ++n) write(store, n, {state(n, 1, std::string(3000, 'x'))});
    CHECK(read(store, 29).size() == 2);
  }
  file_store after{path, {.segment_bytes = 4096}};
  const opening clean{after};
  CHECK(clean.found.latest == epoch{29});

  damage("second state", 0);  // nobody's
  file_store unneeded{path};
  const opening told{unneeded};
  CHECK(told.found.latest == epoch{3});
  REQUIRE(told.warnings.size() == 1);
  CHECK(contains(told.warnings[0], "no snapshot needs it"));

  damage("stays", 0);  // everybody's
  file_store needed{path};
  CHECK(opening{needed}.refused.first == errc::damaged);

  damage("first state", 40);  // a header: whose record it was is not known
  file_store unknown{path};
  const auto refused = opening{unknown}.refused;
  CHECK(refused.first == errc::damaged);
  CHECK(contains(refused.second, "a record's header does not match its checksum"));
}

TEST_CASE("a damaged LOCK keeps nobody out and nobody in") {
  const directory where;
  const auto path = where.store();
  const auto lock = path + "/LOCK";
  small_store(path);
  for (const std::string& text :
       {std::string{}, std::string{"\x1b[2J\0proc", 10}, std::string(100'000, 'x'),
        std::string{"process 7\x07 since\n"}}) {
    std::ofstream{lock, std::ios::binary} << text;
    {
      file_store reader{path};
      REQUIRE(reader.open({.read_only = true}).latest == epoch{3});
      file_store writer{path};  // what stands there is said of the reader, and need not be true
      CHECK(error_of([&] { writer.open(); }) ==
            std::pair{errc::locked,
                      lock + ": the store is in use by a process that it does not name"});
      std::ifstream in{lock, std::ios::binary};
      CHECK(std::string{std::istreambuf_iterator<char>{in}, {}} == text);
    }
    file_store writer{path};
    REQUIRE(writer.open().latest == epoch{3});
    file_store other{path};
    CHECK(
        contains(error_of([&] { other.open(); }).second,
                 "LOCK: the store is in use by process " + std::to_string(::getpid()) + " since"));
  }
  std::filesystem::remove(lock);
  std::filesystem::create_directory(lock);
  file_store store{path};
  const auto refused = error_of([&] { store.open(); });
  CHECK(refused.first == errc::io);
  CHECK(contains(refused.second, lock));
}
