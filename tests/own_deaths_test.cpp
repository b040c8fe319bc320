// Deaths in turns of cairn's own actors: what the process has died of was something else, so
// nothing of theirs is given up.
#include <string>
#include <utility>
#include <vector>

#include <cairn/detail/deaths.hpp>
#include <cairn/detail/letter_keeper.hpp>
#include <cairn/detail/supervisor_actor.hpp>
#include <cairn/file_store.hpp>

#include "runtime/fixture.hpp"
#include "store_fixture.hpp"

namespace own_deaths {

using cairn::event_kind;
using cairn::detail::deadly_turn;
using fixture::bench;

struct look {
  void serialize(auto&) {}
};
struct fall {
  bool hard = false;
  void serialize(auto& ar) { ar(hard); }
};
struct frail {
  using protocol = cairn::protocol<look, fall>;
  int value = 0;
  void serialize(auto& ar) { ar(value); }
  int on(look) const { return 1; }
  int on(fall) const { throw std::runtime_error{"it falls"}; }
};

struct seen {
  std::vector<std::uint64_t> own{};  ///< ids: the keeper of letters, the supervisor
  std::uint64_t frail = 0;
  std::size_t letters = 0;
  bool answered = false;   ///< the frail one's look
  bool restarted = false;  ///< it fell, and was there again
};

cairn::task<int> app(cairn::root& root, seen* to) {
  auto top = root.supervise("top", {.intensity = {.restarts = 100}});
  const auto one = top.spawn<frail>("one");
  to->frail = raw(one.where().id);
  auto looking = one.ask<look>().as_result();
  const auto looked = co_await std::move(looking);
  to->answered = static_cast<bool>(looked);
  auto falling = one.ask<fall>(true).as_result();
  (void)co_await std::move(falling);
  auto again = one.ask<look>().as_result();
  const auto there = co_await std::move(again);
  to->restarted = static_cast<bool>(there);
  const auto kept = co_await root.dead_letters();
  to->letters = kept.letters.size();
  auto& all = static_cast<cairn::detail::world&>(*one.where().where->owner);
  to->own = {raw(all.letters.keeper().id), raw(top.id())};
  if (!root.restored()) co_await root.checkpoint();
  co_return 0;
}

struct home {
  store_fixture::directory place{};
  bench on{};

  /// One process, which ends as in a crash.
  seen live() {
    auto chosen = on.options();
    chosen.store = cairn::file_store{place.store()};
    seen found;
    fixture::crash<cairn::actors<frail>>(std::move(chosen),
                                         [&](cairn::root& top) { return app(top, &found); });
    return found;
  }
  /// Two deaths at each of the next positions.
  void accuse(std::uint64_t actor, const std::vector<std::uint64_t>& messages) {
    std::vector<deadly_turn> all;
    for (std::uint64_t at = 1; at <= 20; ++at) {
      for (const auto message : messages) all.push_back({actor, at, message, 2});
    }
    auto files = store_fixture::load(place.store());
    const auto made = cairn::detail::turn_file::make(cairn::epoch{1}, std::move(all));
    files.at("TURNS") = store_fixture::text_of(made.view());
    store_fixture::save(place.store(), files);
  }
};

using cairn::type_hash;

TEST_CASE("a program's actor gives up what two processes have died of") {  // so the file counts
  home here;
  here.accuse(here.live().frail, {type_hash<look>});
  CHECK_FALSE(here.live().answered);
  CHECK_FALSE(here.on.told.of(event_kind::given_up).empty());
}

TEST_CASE("the keeper of dead letters gives nothing up for a death that another has caused") {
  home here;
  const auto first = here.live();
  REQUIRE(first.letters == 1);
  here.accuse(first.own[0], {type_hash<cairn::detail::list_letters>,
                             type_hash<cairn::detail::keep_letter>, cairn::detail::in_serialize});
  const auto then = here.live();
  CHECK(then.letters == 2);
}

TEST_CASE("nor is a supervisor held back") {
  home here;
  const auto first = here.live();
  REQUIRE(first.restarted);
  here.accuse(first.own[1], {type_hash<cairn::detail::child_failed>, cairn::detail::in_serialize});
  const auto then = here.live();
  CHECK(then.answered);
  CHECK(then.restarted);
  CHECK(here.on.told.of(event_kind::suspended).empty());
}

}  // namespace own_deaths
