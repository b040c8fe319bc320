// The file of what the process has died of, where its head is torn or not its own: nobody is
// accused, the next process runs, and says that and why nothing is known.
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <cairn/detail/deaths.hpp>
#include <cairn/file_store.hpp>

#include "runtime/fixture.hpp"
#include "store_fixture.hpp"

namespace turns_damaged {

using cairn::event_kind;
using cairn::detail::deadly_turn;
using cairn::detail::turn_file;
using cairn::detail::turn_note;
using fixture::bench;

/// Damage, and what is said of it.
struct damage {
  std::string what{};
  std::string said{};
  std::string (*to)(std::string) = nullptr;
};
std::string flipped(std::string bytes, std::size_t at) {
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  return bytes;
}
const std::vector<damage> kinds{
    {"foreign", "it does not begin as such a file", [](std::string b) { return flipped(b, 0); }},
    {"epoch", "its head does not verify", [](std::string b) { return flipped(b, 8); }},
    {"count", "its head does not verify", [](std::string b) { return flipped(b, 16); }},
    {"large count", "its head does not verify", [](std::string b) { return flipped(b, 17); }},
    {"first death", "its head does not verify", [](std::string b) { return flipped(b, 24); }},
    {"torn", "its head does not verify",
     [](std::string b) { return b.replace(32, 4064, 4064, '\0'); }},
    {"short", "its size is 4096", [](std::string b) { return b.substr(0, 4096); }},
    {"long", "its size is 8193", [](std::string b) { return b + "x"; }},
};
std::string forgotten(const std::string& why) {
  return "TURNS: " + why + "; the deaths that it counted are forgotten";
}

/// Two deaths in one turn, and a note of a third in another one.
std::string accusing(std::uint64_t actor) {
  auto made = turn_file::make(cairn::epoch{1}, {deadly_turn{actor, 2, cairn::detail::in_start, 2}});
  const deadly_turn note{actor, 7, cairn::detail::in_serialize, 0};
  std::memcpy(made.data() + turn_file::notes_at, &note, 3 * sizeof(std::uint64_t));
  return store_fixture::text_of(made.view());
}

TEST_CASE("a file of deaths that does not verify counts none, and says why") {
  for (const auto& each : kinds) {
    INFO(each.what);
    const std::string bytes = each.to(accusing(3));
    const auto found = turn_file::read(store_fixture::bytes_of(bytes));
    CHECK(found.counted.empty());
    CHECK(found.begun == cairn::epoch{});
    CHECK(found.lost == forgotten(each.said));
  }
  const std::string whole = accusing(3);
  const auto found = turn_file::read(store_fixture::bytes_of(whole));
  CHECK(found.counted.size() == 2);
  CHECK(found.lost.empty());
  CHECK(turn_file::read({}).lost.empty());  // there was none
}

struct look {};
struct frail {
  using protocol = cairn::protocol<look>;
  int value = 0;
  void serialize(auto& ar) { ar(value); }
  void on_start(cairn::context<frail>&) {}
  int on(look) const { return 1; }
};

struct home {
  store_fixture::directory place{};
  bench on{};

  /// One process, which ends as in a crash. Returns whom the actor is held back for, or nothing.
  std::string live() {
    auto chosen = on.options();
    chosen.store = cairn::file_store{place.store()};
    std::string said;
    fixture::crash<cairn::actors<frail>>(std::move(chosen), [&](cairn::root& top) {
      return [](cairn::root& root, std::string* to, std::uint64_t* id) -> cairn::task<int> {
        const auto one = root.supervise("top").spawn<frail>("one");
        *id = raw(one.where().id);
        auto asked = one.ask<look>().as_result();
        const auto answer = co_await std::move(asked);
        if (!answer) *to = "held back";
        if (!root.restored()) co_await root.checkpoint();
        co_return 0;
      }(top, &said, &actor);
    });
    return said;
  }
  void write(const std::string& turns) {
    auto all = store_fixture::load(place.store());
    all.at("TURNS") = turns;
    store_fixture::save(place.store(), all);
  }
  [[nodiscard]] std::vector<std::string> warnings() const {
    std::vector<std::string> found;
    for (const auto& each : on.told.of(event_kind::store_warning)) found.push_back(each.what.text);
    return found;
  }
  std::uint64_t actor = 0;
};

TEST_CASE("the next process warns of deaths that are lost, and holds nobody back for them") {
  for (const auto& each : kinds) {
    INFO(each.what);
    home here;
    CHECK(here.live().empty());
    here.write(each.to(accusing(here.actor)));
    CHECK(here.live().empty());
    const auto told = std::vector{"noting what kills the process: " + forgotten(each.said)};
    CHECK(here.warnings() == told);
    CHECK(here.live().empty());
    CHECK(here.warnings() == told);  // the file was made anew
  }
}

TEST_CASE("a file of deaths that is whole is warned of by nobody, one that is empty is") {
  home here;
  CHECK(here.live().empty());
  here.write(accusing(here.actor));
  CHECK(here.live() == "held back");
  CHECK(here.warnings().empty());
  here.write("");
  CHECK(here.live().empty());
  CHECK(here.warnings() ==
        std::vector{here.place.store() + "/TURNS: the file is empty; what it held is forgotten"});
}

}  // namespace turns_damaged
