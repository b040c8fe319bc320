// A store of format 1, as a program of that time wrote it: every record of it reads the same, and
// the program goes on from it. Once the format is released, its files do not change any more. Until
// then this writes format-1 and format-1.txt, what is to be read from it, into another directory:
//
//     CAIRN_GOLDEN=/somewhere/new cairn_tests "the golden store is written anew"
#include <cairn/detail/record.hpp>

#include <algorithm>
#include <cairn/detail/store_log.hpp>
#include <cairn/journal.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "../golden/write.hpp"
#include "../store_fixture.hpp"

namespace golden {

using namespace store_fixture;  // NOLINT(*using-namespace*)
using cairn::errc;
using fixture::bench;

constexpr std::uint64_t latest = 19;  // snapshot
const std::string kept = CAIRN_SOURCE_DIR "/tests/golden/format-1";

/// A copy of the golden store.
struct copied : directory {
  copied() { std::filesystem::copy(kept, store()); }
};

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (at % 45 == 0) text += "\n  ";
    const auto value = static_cast<unsigned char>(bytes[at]);
    text += digits[value >> 4U];
    text += digits[value & 15U];
  }
  return text + "\n";
}

std::string text_of(const entry& e) {
  constexpr std::array<std::string_view, 8> kinds{"",     "meta",  "name", "actor",
                                                  "mail", "reply", "gone", "claim"};
  const auto& h = e.header;
  std::ostringstream text;
  text << kinds.at(static_cast<std::size_t>(h.kind)) << " place " << h.place << " actor "
       << raw(h.actor) << " floor " << h.floor << " type " << h.type << " schema " << h.schema
       << " epoch " << raw(h.epoch) << " position " << raw(h.position);
  return text.str();
}

/// All that a store says: its snapshots; each record in its segments, and where it stands; the
/// entries of its journal.
std::string text_of(const std::string& directory) {
  std::ostringstream text;
  std::map<entry, std::set<std::uint64_t>> standing;
  std::set<entry> seen;
  cairn::file_store store{directory};
  store.open();
  for (const auto& info : store.list()) {
    const auto n = raw(info.number);
    text << "snapshot " << n << " \"" << info.name << "\" wrote " << info.records << " records, "
         << info.bytes << " bytes" << (info.released ? ", released" : "") << "\n";
    for (const auto& e : read(store, n)) standing[e].insert(n);
  }
  for (const auto& [name, bytes] : load(directory)) {
    if (!contains(name, "segment-")) continue;
    text << name << "\n";
    // No epoch was given up in it, so extents and claims follow each other.
    const auto records = bytes_of(bytes).subspan(cairn::detail::file_header_bytes);
    cairn::detail::record_cursor cursor{records, name};
    while (const auto record = cursor.next()) {
      const entry e{record->header, store_fixture::text_of(record->payload)};
      text << text_of(e) << " in";
      for (const auto n : standing[e]) text << " " << n;
      text << hex(e.payload);
      seen.insert(e);
    }
  }
  for (const auto& [e, snapshots] : standing) CHECK(seen.contains(e));
  text << "journal " << journal_name << "\n";
  store.journal(journal_name)->read_from(1, [&](std::uint64_t number, bytes_view bytes) {
    text << "entry " << number << hex(store_fixture::text_of(bytes));
  });
  return text.str();
}

std::string whole(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

TEST_CASE("the golden store is written anew", "[.]") {
  const char* to = std::getenv("CAIRN_GOLDEN");
  if (to == nullptr) return;
  const std::string made = std::string{to} + "/format-1";
  std::filesystem::create_directories(to);
  write_store(made);
  std::filesystem::remove(made + "/LOCK");
  std::string text = text_of(made);
  std::filesystem::remove(made + "/LOCK");
  for (const std::string kind : {"meta", "name", "actor", "mail", "reply", "gone", "claim"}) {
    CHECK(contains(text, "\n" + kind + " place "));
  }
  std::ofstream{made + ".txt", std::ios::binary} << text;
}

TEST_CASE("a store of format 1 reads as it was written, record by record") {
  const copied files;
  const auto before = load(files.store());
  CHECK(text_of(files.store()) == whole(kept + ".txt"));
  CHECK(load(files.store()) == before);
}

/// What the actors say of themselves, by their names.
using said = std::map<std::string, std::string>;

cairn::task<void> listen(office o, said* to) {
  (*to)["alice"] = co_await o.alice.ask<show>();
  (*to)["bob"] = co_await o.bob.ask<show>();
  (*to)["sum"] = co_await o.sum.ask<show>();
  (*to)["eye"] = co_await o.eye.ask<show>();
  const auto pages = co_await o.paper.ask<show>().as_result();
  (*to)["paper"] = pages ? std::to_string(*pages) : std::string{to_string(pages.code())};
  for (std::size_t at = 0; at < 2; ++at) {
    const auto heard = co_await o.callers[at].ask<show>();
    const auto rung = co_await o.bells[at].ask<show>();
    (*to)["calls " + std::to_string(at)] = std::to_string(heard) + " " + std::to_string(rung);
  }
}

const std::string alice_was =
    ", open=1, since=1987, Main Street 12, 1, 256, 65535, more, at -0.125, twice slow and steady, "
    "with an heir";

/// Where the golden store leaves the program, and then what was under way comes to its end.
cairn::task<int> go_on(cairn::root& root, const fixture::hand_clock* clock, said* first,
                       said* last) {
  const auto o = enter(root);
  co_await listen(o, first);
  const cairn::journal<account> orders{root, journal_name, o.bob};
  clock->advance(2h);
  co_await root.checkpoint();  // every worker looks at the time
  const auto desk = co_await o.desk.ask<show>();
  const auto opened = co_await o.safe.ask<show>();
  root.resume(o.paper);
  o.desk.stop("retired");
  o.safe.stop("emptied");
  const auto ended = [&] {
    return contains((*last)["calls 0"] + (*last)["calls 1"], "820 40820 40") &&
           contains((*last)["bob"], "22 a post") && contains((*last)["alice"], "5 reminder") &&
           contains((*last)["eye"], ", retired") && contains((*last)["eye"], ", emptied") &&
           (*last)["paper"] == "12";
  };
  do {  // or the test runs out of time
    co_await listen(o, last);
  } while (!ended());
  (*last)["desk"] = desk;
  (*last)["safe"] = std::to_string(opened);
  co_return 0;
}

cairn::task<int> only_listen(cairn::root& root, said* to) {
  co_await listen(enter(root), to);
  co_return 0;
}

TEST_CASE("a program goes on from a store of format 1: state, mail, handlers and timers") {
  for (const unsigned workers : {1U, 3U}) {
    const copied files;
    bench on;
    on.workers = workers;
    said first;
    said last;
    const int read_before = pages_read.load(std::memory_order_relaxed);  // nothing runs yet
    // What handlers were handed then comes from the store, not from this clock and this chance.
    on.clock.advance(5h);
    auto chosen = options_of(on, files.store());
    chosen.seed = 8;
    const auto how = fixture::finish<all>(std::move(chosen), [&](cairn::root& root) {
      return go_on(root, &on.clock, &first, &last);
    });
    INFO(on.told.text());
    CHECK(how.restored.from == epoch{latest});
    CHECK(how.restored.actors == 14);
    CHECK(how.restored.messages == 7);
    CHECK(how.restored.suspended_handlers == 4);
    CHECK(how.restored.timers == 5);
    CHECK(first["alice"] == "101 of Alice, 100 Bob, 1 a friend" + alice_was);
    CHECK(first["bob"].starts_with("-85 of Bob, a line of a long statement, a line"));
    CHECK(first["sum"] == "28");
    CHECK(first["eye"] == "born as eye, moved away");
    CHECK(first["paper"] == "failed");  // it is suspended
    CHECK(last["alice"] == "106 of Alice, 100 Bob, 1 a friend, 5 reminder" + alice_was);
    CHECK(last["bob"] == "-52" + first["bob"].substr(3) + ", 11 a post, 22 a post");
    CHECK(last["eye"].size() == (first["eye"] + ", retired, emptied").size());
    CHECK(last["safe"] == "1");
    CHECK(last["desk"] == "at 1099, chance 15; 101 of Alice, 100 Bob, 1 a friend" + alice_was +
                              "; stopped; page 3; key 9; first memo; second memo; "
                              "15 of helper, 7 clerk, 8 clerk");
    CHECK(pages_read.load(std::memory_order_relaxed) == read_before);  // nothing runs any more
    said again;
    fixture::crash<all>(options_of(on, files.store()),
                        [&](cairn::root& root) { return only_listen(root, &again); });
    last.erase("desk");
    last.erase("safe");
    CHECK(again == last);
  }
}

/// What a start over this store is refused with; the store is as it was.
std::pair<errc, std::string> refusal(const std::string& directory) {
  const auto before = load(directory);
  bench on;
  auto refused = error_of([&] { const cairn::system<all> never{options_of(on, directory)}; });
  CHECK(load(directory) == before);
  return refused;
}

/// Commits a snapshot in which one record is changed: the newest of a kind that `is_it` chooses.
template <class IsIt, class Change>
void commit_changed(const std::string& directory, IsIt is_it, Change change) {
  cairn::file_store store{directory};
  store.open();
  auto all_records = read(store, latest);
  const auto found = std::find_if(all_records.begin(), all_records.end(), is_it);
  REQUIRE(found != all_records.end());
  std::vector<entry> entries{*found};
  change(entries);
  for (auto& e : entries) e.header.epoch = epoch{latest + 1};
  write(store, latest + 1, entries);
}
auto is_actor(std::string_view type) {
  return [hash = cairn::detail::fnv1a(type)](const entry& e) {
    return e.header.kind == record_kind::actor && e.header.type == hash;
  };
}

TEST_CASE("an actor or a snapshot of a newer cairn stops the start, the store unchanged") {
  const auto newer = [](std::vector<entry>& one) { one[0].payload[0] = 2; };
  const copied actor;
  commit_changed(actor.store(), is_actor("golden::tally"), newer);
  const auto for_actor = refusal(actor.store());
  CHECK(for_actor.first == errc::newer_schema);
  CHECK(contains(for_actor.second, "\"golden::tally\" was written by a newer version of cairn"));

  const copied meta;
  commit_changed(
      meta.store(), [](const entry& e) { return e.header.kind == record_kind::meta; }, newer);
  const auto for_meta = refusal(meta.store());
  CHECK(for_meta.first == errc::newer_schema);
  CHECK(contains(for_meta.second, "was written by a newer version of cairn"));
}

TEST_CASE("an unknown actor type and a newer class stop the start by name, the store unchanged") {
  const copied type;
  commit_changed(type.store(), is_actor("golden::tally"), [](std::vector<entry>& all_changed) {
    const std::string name = "golden::parrot";
    all_changed[0].header.type = cairn::detail::fnv1a(name);
    all_changed.push_back(make(record_kind::name, latest + 1, 0, cairn::detail::fnv1a(name), name));
  });
  const auto for_type = refusal(type.store());
  CHECK(for_type.first == errc::unknown_type);
  CHECK(contains(for_type.second, "an actor of type \"golden::parrot\""));

  const copied house_of;
  const auto has_house = [](const entry& e) {
    return e.header.kind == record_kind::actor && contains(e.payload, "Main Street");
  };
  commit_changed(house_of.store(), has_house, [](std::vector<entry>& one) {
    auto& text = one[0].payload;
    auto& version = text.at(text.find("Main Street") - 12);  // before a length of 8 bytes
    REQUIRE(version == 2);
    version = 3;
  });
  const auto for_house = refusal(house_of.store());
  CHECK(for_house.first == errc::newer_schema);
  CHECK(contains(for_house.second, "actor alice (golden::account): "));
}

/// Says in a file's header that it is of format 2.
void make_newer(const std::string& path) {
  auto bytes = whole(path);
  buffer head;
  head.append(bytes.data(), 24);
  head.put_at(8, std::uint32_t{2});
  head.put(cairn::detail::checksum(head.view()));
  bytes.replace(0, 32, store_fixture::text_of(head.view()));
  std::ofstream{path, std::ios::binary} << bytes;
}

TEST_CASE("a segment, a manifest or a journal of a newer format is named, the store unchanged") {
  for (const auto& [name, bytes] : load(kept)) {
    INFO(name);
    const copied files;
    make_newer(files.store() + "/" + name);
    const auto before = load(files.store());
    std::pair<errc, std::string> refused;
    if (contains(name, "journal-")) {
      cairn::file_store store{files.store()};
      store.open();
      refused = error_of([&] { (void)store.journal(journal_name); });
    } else {
      refused = refusal(files.store());
    }
    CHECK(refused.first == errc::newer_schema);
    CHECK(contains(refused.second, files.store() + "/" + name + ": written in format 2"));
    CHECK(load(files.store()) == before);
  }
}

}  // namespace golden
