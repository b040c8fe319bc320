// What one actor may take from the others: of its worker's time, and of memory for what its handler
// is handed. One worker, so that the order of what happens is the same in every run.
#include <algorithm>
#include <array>
#include <cstdint>

#include "fixture.hpp"

namespace fairness {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

/// What happened, a letter each: '[' and ']' around an epoch, 'c' a cut, 'm' a mail recorded, 't'
/// turns of a ticker however many in a row, others by their names.
std::string journal;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct parcel {
  std::array<std::uint64_t, 128> words{};
  void save(auto& ar) const {
    journal += 'm';
    ar(words);
  }
  void load(auto& ar) { ar(words); }
};
struct hoard {
  int pieces = 0;
  void serialize(auto& ar) { ar(pieces); }
};
struct fetch {};
struct nap {};
struct spin {};
struct show {};

struct scribe {
  using protocol = cairn::protocol<add, parcel, nap>;
  std::string name{};
  void save(auto& ar) const {
    journal += 'c';
    ar(name);
  }
  void load(auto& ar) { ar(name); }
  void on(add) { journal += name; }
  void on(parcel) {}
  cairn::task<void> on(nap, cairn::context<scribe>& self) { co_await self.sleep(1000h); }
};

/// Never lets its worker rest.
struct ticker {
  using protocol = cairn::protocol<spin>;
  std::uint64_t turns = 0;
  void serialize(auto& ar) { ar(turns); }
  void on(spin, cairn::context<ticker>& self) {
    ++turns;
    if (journal.empty() || journal.back() != 't') journal += 't';
    self.ref().tell<spin>();
  }
};

struct store_room {
  using protocol = cairn::protocol<fetch>;
  int given = 0;
  void serialize(auto& ar) { ar(given); }
  std::array<std::uint64_t, 128> on(fetch) {
    ++given;
    return {};
  }
};

struct hoarder {
  using protocol = cairn::protocol<hoard, add, show>;
  cairn::ref<store_room> from{};
  int got = 0;
  std::string diary{};
  void serialize(auto& ar) { ar(from, got, diary); }
  cairn::task<int> on(hoard what) {
    diary += "hoard;";
    for (int at = 0; at < what.pieces; ++at) {
      (void)co_await from.ask<fetch>();
      ++got;
    }
    diary += "done;";
    co_return got;
  }
  void on(add what) { diary += std::to_string(what.value) + ";"; }
  std::string on(show) const { return diary + std::to_string(got); }
};

using all = cairn::actors<scribe, ticker, store_room, hoarder>;

/// The longest run of this letter.
[[nodiscard]] std::size_t longest(const std::string& text, char letter) {
  std::size_t most = 0;
  std::size_t now = 0;
  for (const char each : text) {
    now = each == letter ? now + 1 : 0;
    most = std::max(most, now);
  }
  return most;
}

/// What happened within the only epoch of a program.
template <class App>
[[nodiscard]] std::string epoch_of(App app) {
  bench on;
  journal.clear();
  auto chosen = on.options();
  chosen.on_event = [](const cairn::event& what) {
    if (what.kind == event_kind::epoch_begun) journal += '[';
    if (what.kind == event_kind::committed) journal += ']';
  };
  fixture::crash<all>(std::move(chosen), [&](cairn::root& root) { return app(root); });
  const auto from = journal.find('[');
  const auto until = journal.find(']');
  REQUIRE(from != std::string::npos);
  REQUIRE(until != std::string::npos);
  return journal.substr(from, until - from);
}

constexpr int many = 1000;

cairn::task<int> cut_many(cairn::root& root) {
  auto top = root.supervise("top");
  for (int at = 0; at < many; ++at) top.spawn<scribe>("").tell<add>(1);
  for (int at = 0; at < 50; ++at) co_await root.sleep(0ns);  // a step each
  top.spawn<ticker>("ticker").tell<spin>();
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> record_many(cairn::root& root) {
  auto top = root.supervise("top");
  auto busy = top.spawn<scribe>("busy");
  busy.tell<nap>();
  for (int at = 0; at < many; ++at) busy.tell<parcel>();
  for (int at = 0; at < 50; ++at) co_await root.sleep(0ns);  // a step each
  top.spawn<ticker>("ticker").tell<spin>();
  co_await root.checkpoint();
  co_return 0;
}

TEST_CASE("a sweep runs in slices, and others have their turns between them") {
  SECTION("over many actors, 64 a slice") {
    const std::string what = epoch_of(cut_many);
    CHECK(std::count(what.begin(), what.end(), 'c') == many);
    CHECK(longest(what, 'c') <= 64);
  }
  SECTION("within one full mailbox, 256 KiB a slice") {
    const std::string what = epoch_of(record_many);
    CHECK(std::count(what.begin(), what.end(), 'm') == many);
    CHECK(longest(what, 'm') <= 256);
  }
}

cairn::task<int> flood(cairn::root& root) {
  auto top = root.supervise("top");
  auto first = top.spawn<scribe>("first", "a");
  auto second = top.spawn<scribe>("second", "b");
  auto third = top.spawn<scribe>("third", "d");
  for (int at = 0; at < many; ++at) first.tell<add>(1);
  for (int at = 0; at < many; ++at) second.tell<add>(1);
  third.tell<add>(1);
  while (std::count(journal.begin(), journal.end(), 'b') < many) co_await root.sleep(0ns);
  co_return 0;
}

TEST_CASE("a full mailbox keeps nobody else from his turn: an activation has 64 at most") {
  bench on;
  journal.clear();
  fixture::crash<all>(on, flood);
  std::erase(journal, 'c');  // the bases of the first messages
  CHECK(longest(journal, 'a') <= 64);
  CHECK(longest(journal, 'b') <= 64);
  CHECK(journal.find('d') <= 2 * 64);
  CHECK(std::count(journal.begin(), journal.end(), 'a') == many);
}

struct findings {
  std::vector<errc> codes{};
  std::string text{};
  std::vector<std::string> diaries{};
};

cairn::task<int> hoard_too_much(cairn::root& root, findings* to) {
  auto top = root.supervise("top");
  auto from = top.spawn<store_room>("from");
  auto it = top.spawn<hoarder>("it", hoarder{.from = from});
  for (int at = 0; at < 10; ++at) {  // together more than one may have
    auto ended = co_await it.ask<hoard>(20).as_result();
    to->codes.push_back(ended.code());
  }
  auto too_much = it.ask<hoard>(1000);
  it.tell<add>(1);
  auto ended = co_await std::move(too_much).as_result();
  to->codes.push_back(ended.code());
  if (!ended) to->text = ended.why().text;
  it.tell<add>(2);
  to->diaries.push_back(co_await it.ask<show>());
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> hoard_again(cairn::root& root, findings* to) {
  auto it = root.supervise("top").spawn<hoarder>("it");
  to->diaries.push_back(co_await it.ask<show>());
  auto ended = co_await it.ask<hoard>(20).as_result();
  to->codes.push_back(ended.code());
  co_return 0;
}

TEST_CASE("a handler that is handed more than its record may hold is given up, its actor goes on") {
  bench on;
  findings found;
  auto chosen = on.options();
  chosen.max_history = 64 * 1024;
  fixture::crash<all>(std::move(chosen),
                      [&](cairn::root& root) { return hoard_too_much(root, &found); });
  INFO(on.told.text());
  REQUIRE(found.codes.size() == 11);
  for (std::size_t at = 0; at < 10; ++at) CHECK(found.codes[at] == errc::ok);
  CHECK(found.codes[10] == errc::failed);
  CHECK(found.text.find("more than 65536 bytes") != std::string::npos);
  const auto failed = on.told.of(event_kind::failed);
  REQUIRE(failed.size() == 1);  // it is not tried again
  CHECK(failed[0].what.name == "it");
  CHECK(failed[0].what.code == errc::history_exceeded);
  CHECK(on.told.count(event_kind::given_up, "it") == 1);
  CHECK(on.told.count(event_kind::suspended) == 0);
  const auto letters = on.told.of(event_kind::dead_letter);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.message == "fairness::hoard");
  hoard lost;
  cairn::decode(lost, letters[0].letter.payload);
  CHECK(lost.pieces == 1000);
  // Its turns that had ended stand: less than 64 pieces of a KiB each.
  REQUIRE(found.diaries.size() == 1);
  std::string before;
  for (int at = 0; at < 10; ++at) before += "hoard;done;";
  before += "hoard;1;2;";
  REQUIRE(found.diaries[0].rfind(before, 0) == 0);
  const int got = std::stoi(found.diaries[0].substr(before.size())) - 200;
  CHECK(got > 32);
  CHECK(got < 64);
  fixture::crash<all>(on, [&](cairn::root& root) { return hoard_again(root, &found); });
  REQUIRE(found.diaries.size() == 2);
  CHECK(found.diaries[1] == found.diaries[0]);
  CHECK(found.codes.back() == errc::ok);
}

}  // namespace fairness
