// Types that change, are renamed and retired, and the stores of the programs before: those of a
// small program lie in tests/golden/, one for each of its versions. They are written into another
// directory by
//
//     CAIRN_GOLDEN=/somewhere/new cairn_tests "the golden stores of the shop are written anew"
#include <cairn/file_store.hpp>
#include <cairn/journal.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "../golden/shop_v3.hpp"
#include "../store_fixture.hpp"

namespace shop {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;

const std::string kept = CAIRN_SOURCE_DIR "/tests/golden/shop-";

cairn::options options_of(bench& on, const std::string& directory) {
  auto chosen = on.options();
  chosen.store = cairn::file_store{directory};
  return chosen;
}

template <class All>
void write(const std::string& directory, const cairn::application& life) {
  bench on;
  fixture::crash<All>(options_of(on, directory), life);
  std::filesystem::remove(directory + "/LOCK");
}

void write_all(const std::string& to) {
  write<v1::all>(to + "/shop-1", &life<v1::account, v1::shelf, v1::archive, v1::deposit, v1::note>);
  write<v2::all>(to + "/shop-2", &life<v2::account, v2::shelf, v2::archive, v2::payment, v2::note>);
  write<v3::all>(to + "/shop-3", &life<v3::customer, v3::shelf, void, v3::payment, void>);
}

TEST_CASE("the golden stores of the shop are written anew", "[.]") {
  const char* to = std::getenv("CAIRN_GOLDEN");
  if (to == nullptr) return;
  std::filesystem::create_directories(to);
  write_all(to);
}

/// A copy of the store that a version has left.
struct copied : store_fixture::directory {
  explicit copied(int version) { std::filesystem::copy(kept + std::to_string(version), store()); }
};

using said = std::map<std::string, std::string>;

/// What the actors say once all that was under way has come to its end.
template <class Account, class Shelf>
cairn::task<int> look(cairn::root& root, const fixture::hand_clock* clock, said* to) {
  const auto top = root.supervise("shop");
  (void)top.spawn<Shelf>("goods");
  const auto alice = top.spawn<Account>("alice");
  const auto bob = top.spawn<Account>("bob");
  const auto carol = top.spawn<Account>("carol");
  clock->advance(2h);
  co_await root.checkpoint();
  (*to)["alice"] = co_await alice.template ask<v1::show>();
  (*to)["bob"] = co_await bob.template ask<v1::show>();
  (*to)["carol"] = co_await carol.template ask<v1::show>();
  co_await root.checkpoint();
  co_return 0;
}

template <class All, class Account, class Shelf>
said open(bench& on, const std::string& directory) {
  said found;
  // The clock and the chance of the process before are gone.
  on.clock.advance(5h);
  fixture::finish<All>(options_of(on, directory), [&](cairn::root& root) {
    return look<Account, Shelf>(root, &on.clock, &found);
  });
  return found;
}

said open_newest(bench& on, const std::string& directory) {
  return open<v3::all, v3::customer, v3::shelf>(on, directory);
}

template <class All>
std::pair<errc, std::string> refusal(const std::string& directory) {
  bench on;
  return store_fixture::error_of([&] { cairn::system<All> refused{options_of(on, directory)}; });
}

/// Under which names the newest snapshot holds actors.
std::map<std::string, int> types_in(const std::string& directory) {
  std::map<std::uint64_t, int> found;
  cairn::file_store store{directory};
  const auto latest = store.open().latest;
  store.read(latest.value(), [&](const cairn::record_view& record) {
    if (record.header.kind == cairn::record_kind::actor) ++found[record.header.type];
  });
  std::map<std::string, int> named;
  for (const char* name : {"shop::account", "shop::customer", "shop::shelf", "shop::archive"}) {
    const auto at = found.find(cairn::detail::fnv1a(name));
    if (at != found.end()) named[name] = at->second;
  }
  return named;
}

TEST_CASE("the newest program takes over the store of the first: state, mail, timers, handlers") {
  const copied files{1};
  CHECK(types_in(files.store()) ==
        std::map<std::string, int>{{"shop::account", 3}, {"shop::archive", 1}, {"shop::shelf", 1}});
  bench on;
  auto found = open_newest(on, files.store());
  INFO(on.told.text());
  CHECK(found["alice"] == "105 euro of alice up to 1000, 5 from somebody");
  CHECK(found["bob"] ==
        "-228 euro of bob up to 1000, held in euro, 1 from somebody, 11 from somebody");
  CHECK(found["carol"] == "0 euro of carol interrupted up to 1000");
  CHECK(types_in(files.store()) ==
        std::map<std::string, int>{{"shop::customer", 3}, {"shop::shelf", 1}});
}

TEST_CASE("the newest program takes over the store of the second") {
  const copied files{2};
  bench on;
  auto found = open_newest(on, files.store());
  INFO(on.told.text());
  CHECK(found["alice"] == "105 euro of alice up to 1000, 100 from somebody, 5 from a reminder");
  CHECK(found["bob"] ==
        "-236 euro of bob up to 1000, held in euro, 1 from a hold, 11 from somebody");
  CHECK(found["carol"] == "0 euro of carol interrupted up to 1000");
}

TEST_CASE("every version reads its own store, and the second that of the first") {
  const copied third{3};
  bench on;
  CHECK(open_newest(on, third.store())["bob"] ==
        "-236 euro of bob up to 1000, held in euro, 1 from a hold, 11 from somebody");
  const copied second{2};
  bench other;
  auto found = open<v2::all, v2::account, v2::shelf>(other, second.store());
  CHECK(found["bob"] ==
        "-236 euro of bob (a good customer), held in euro, 1 from a hold, 11 from "
        "somebody");
  const copied first{1};
  bench one;
  CHECK(open<v1::all, v1::account, v1::shelf>(one, first.store())["carol"] == "0 of carol filed");
  const copied again{1};
  bench two;
  found = open<v2::all, v2::account, v2::shelf>(two, again.store());
  CHECK(found["carol"] == "0 euro of carol filed");
  // What the second has taken over the third takes over from it.
  bench three;
  CHECK(open_newest(three, again.store())["carol"] == "0 euro of carol filed up to 1000");
}

TEST_CASE("an older program refuses the store of a newer one by the type's name and versions") {
  const copied second{2};
  const auto before = store_fixture::load(second.store());
  const auto by_first = refusal<v1::all>(second.store());
  CHECK(by_first.first == errc::newer_schema);
  CHECK(store_fixture::contains(by_first.second,
                                "\"shop::account\": it was written in version 1, this program "
                                "reads up to version 0"));
  CHECK(store_fixture::load(second.store()) == before);
  const copied third{3};
  const auto by_second = refusal<v2::all>(third.store());
  CHECK(by_second.first == errc::unknown_type);
  CHECK(store_fixture::contains(by_second.second, "an actor of type \"shop::customer\""));
}

/// The same message in two versions.
struct old_coin {
  static constexpr std::string_view called = "shop::coin";
  int value = 0;
  void serialize(auto& ar, std::uint32_t /*version*/) { ar(value); }
};
struct new_coin : old_coin {};

struct pause {
  static constexpr std::string_view called = "shop::pause";
};
struct later {
  static constexpr std::string_view called = "shop::later";
};

template <class Coin>
struct till {
  static constexpr std::string_view called = "shop::till";
  using protocol = cairn::protocol<Coin, pause, later>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  cairn::task<void> on(Coin what, cairn::context<till>& self) {
    sum += what.value;
    co_await self.sleep(1h);
  }
  cairn::task<void> on(pause, cairn::context<till>& self) { co_await self.sleep(1h); }
  void on(later, cairn::context<till>& self) { self.template send_after<Coin>(1h); }
};

}  // namespace shop

CEREAL_CLASS_VERSION(shop::new_coin, 4)

namespace shop {

/// Leaves a coin of the newer version behind: in a mailbox, in a timer, or in the log of a handler.
cairn::task<int> leave(cairn::root& root, std::string where) {
  const auto one = root.supervise("shop").spawn<till<new_coin>>(where);
  if (where == "mail") one.tell<pause>();
  if (where == "timer") {
    one.tell<later>();
  } else {
    one.tell<new_coin>();
  }
  co_await root.checkpoint();
  co_return 0;
}

TEST_CASE("a message of a newer version is refused by name, wherever it waits") {
  for (const std::string where : {"mail", "timer", "log"}) {
    INFO(where);
    bench on;
    fixture::crash<cairn::actors<till<new_coin>>>(
        on, [&](cairn::root& root) { return leave(root, where); });
    const auto refused = store_fixture::error_of(
        [&] { cairn::system<cairn::actors<till<old_coin>>> older{on.options()}; });
    CHECK(refused.first == errc::newer_schema);
    CHECK(store_fixture::contains(refused.second,
                                  "old_coin: it was written in version 4, this program reads up to "
                                  "version 0"));
    fixture::crash<cairn::actors<till<new_coin>>>(
        on, [&](cairn::root& root) { return leave(root, where + " too"); });
  }
}

cairn::task<int> take_posts(cairn::root& root, said* to) {
  const auto alice = root.supervise("shop").spawn<v2::account>("alice");
  const cairn::journal<v2::account> posts{root, "posts", alice};
  do {
    (*to)["alice"] = co_await alice.ask<v1::show>();
  } while (!store_fixture::contains((*to)["alice"], "23 from"));
  co_return 0;
}

TEST_CASE("posts of an older program are read by their version and former name") {
  const copied files{1};
  {
    cairn::file_store store{files.store()};
    store.open();
    const auto log = store.journal("posts");
    cairn::detail::buffer bytes;
    bytes.put_text("shop::deposit");
    bytes.put(cairn::detail::schema_of<v1::deposit>());
    cairn::encode(v1::deposit{23}, bytes);
    log->append(bytes.view());
    log->sync();
  }
  bench on;
  said found;
  fixture::crash<v2::all>(options_of(on, files.store()),
                          [&](cairn::root& root) { return take_posts(root, &found); });
  CHECK(found["alice"] == "123 euro of alice, 23 from somebody");
}

TEST_CASE("an actor of a retired type is stopped, and who waits for its answer is interrupted") {
  const copied files{1};
  bench on;
  auto found = open_newest(on, files.store());
  INFO(on.told.text());
  const auto stopped = on.told.of(event_kind::stopped, "files");
  REQUIRE(stopped.size() == 1);
  CHECK(stopped[0].what.text == "its type \"shop::archive\" is retired");
  const auto letters = on.told.of(event_kind::dead_letter, "files");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.message == "shop::note");
  CHECK(letters[0].letter.code == errc::stopped);
  CHECK(letters[0].letter.payload.size() == 1 + 8 + 11);  // "to be filed"
  CHECK(found["carol"] == "0 euro of carol interrupted up to 1000");
}

TEST_CASE("a message of a retired type becomes a dead letter, and what comes after it is handled") {
  const copied files{1};
  bench on;
  (void)open_newest(on, files.store());
  const auto letters = on.told.of(event_kind::dead_letter, "bob");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.message == "shop::note");
  CHECK(letters[0].letter.code == errc::unknown_type);
  CHECK(letters[0].letter.text == "its type \"shop::note\" is retired");
  bench again;  // once is enough
  (void)open_newest(again, files.store());
  CHECK(again.told.count(event_kind::dead_letter) == 0);
  CHECK(again.told.count(event_kind::stopped) == 0);
}

TEST_CASE("a retired type that is not declared is refused by name") {
  const copied files{2};
  const auto actor = refusal<cairn::actors<v3::customer, v3::shelf>>(files.store());
  CHECK(actor.first == errc::unknown_type);
  CHECK(store_fixture::contains(actor.second, "\"shop::archive\""));
  using without_note = cairn::actors<v3::customer, v3::shelf, cairn::retired<"shop::archive">>;
  const auto message = refusal<without_note>(files.store());
  CHECK(message.first == errc::unknown_type);
  CHECK(store_fixture::contains(message.second, "the stored message \"shop::note\""));
}

TEST_CASE("a retired name that a message has is refused at start") {
  bench on;
  using both = cairn::actors<v2::account, v2::shelf, v2::archive, cairn::retired<"shop::deposit">>;
  const auto refused = store_fixture::error_of([&] { cairn::system<both> odd{on.options()}; });
  CHECK(refused.first == errc::misuse);
  CHECK(store_fixture::contains(refused.second, "\"shop::deposit\""));
}

}  // namespace shop
