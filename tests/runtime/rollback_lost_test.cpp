// Actors that a rollback took and that the root task spawns again: their refs, their mail and their
// watches. What comes from outside is told by threads of their own.
#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "by_hand.hpp"

namespace coming_again {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct leave {};
struct look {};
struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};

struct guest {
  using protocol = cairn::protocol<leave>;
  using persistence = cairn::ephemeral;
  void on(leave, cairn::context<guest>& self) { self.stop("left"); }
};
struct other_guest {
  using protocol = cairn::protocol<leave>;
  using persistence = cairn::ephemeral;
  void on(leave) {}
};

struct watch {
  cairn::ref<guest> whom{};
  void serialize(auto& ar) { ar(whom); }
};
struct unwatch {};
struct watch_and_unwatch {};
struct host {
  using protocol = cairn::protocol<watch, unwatch, watch_and_unwatch, look, cairn::stopped>;
  cairn::ref<guest> of{};
  std::string heard{};
  void serialize(auto& ar) { ar(of, heard); }
  void on(watch what, cairn::context<host>& self) {
    of = what.whom;
    self.watch(of);
  }
  void on(unwatch, cairn::context<host>& self) { self.unwatch(of); }
  void on(watch_and_unwatch, cairn::context<host>& self) {
    self.watch(of);
    self.unwatch(of);
  }
  void on(cairn::stopped what) { heard += what.reason + ";"; }
  std::string on(look) const { return heard; }
};

struct counter {
  using protocol = cairn::protocol<add, look>;
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  void on(add what) { seen.push_back(what.value); }
  std::vector<int> on(look) const { return seen; }
};

using all = cairn::actors<guest, other_guest, host, counter>;

/// Who waits for what the actors have sent each other until now, on the only worker.
cairn::task<void> settle(cairn::root& root) {
  for (int at = 0; at < 20; ++at) co_await root.sleep(0ns);
}
void tell_from_outside(const cairn::ref<counter>& whom, int value) {
  std::thread{[&] { whom.tell<add>(value); }}.join();
}

struct scene {
  cairn::root* root = nullptr;
  cairn::supervisor top{};
  cairn::ref<host> by{};
  cairn::ref<guest> who{};
};
using second_act = cairn::task<void> (*)(scene of, std::string* heard);

/// A host watches a guest, that is committed, and the system goes back to it; then the second act.
std::string heard_in(bench& on, second_act then) {
  std::string heard = "nothing was asked";
  int runs = 0;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    scene here{&root, root.supervise("top"), {}, {}};
    here.by = here.top.spawn<host>("host");
    if (++runs == 1) {
      auto guest_of = here.top.spawn<guest>("guest");
      here.by.tell<watch>(guest_of);
      co_await settle(root);
      co_await root.checkpoint();
      co_await root.rollback();
    }
    co_await settle(root);
    co_await then(here, &heard);
    co_return 0;
  });
  CHECK(runs == 2);
  return heard;
}

cairn::task<void> spawn_and_leave(scene of, std::string* heard) {
  auto again = of.top.spawn<guest>("guest");
  co_await settle(*of.root);
  co_await of.root->checkpoint();
  *heard = co_await of.by.ask<look>();
  CHECK(heard->empty());  // it lives
  again.tell<leave>();
  co_await settle(*of.root);
  *heard = co_await of.by.ask<look>();
}
cairn::task<void> do_not_spawn(scene of, std::string* heard) {
  *heard = co_await of.by.ask<look>();
  CHECK(heard->empty());  // the root task may still spawn it
  for (int times = 0; times < 2; ++times) {
    co_await of.root->checkpoint();
    co_await settle(*of.root);
  }
  *heard = co_await of.by.ask<look>();
}
cairn::task<void> spawn_another_type(scene of, std::string* heard) {
  (void)of.top.spawn<other_guest>("guest");
  co_await settle(*of.root);
  *heard = co_await of.by.ask<look>();
}
cairn::task<void> unwatch_and_spawn(scene of, std::string* heard) {
  of.by.tell<unwatch>();
  co_await settle(*of.root);
  co_await spawn_and_leave(of, heard);
}
cairn::task<void> change_mind_and_spawn(scene of, std::string* heard) {
  of.by.tell<watch_and_unwatch>();
  co_await settle(*of.root);
  co_await spawn_and_leave(of, heard);
}
cairn::task<void> watch_again_and_spawn(scene of, std::string* heard) {
  const auto before = cairn::detail::held<host>(*of.by.where().where).state.of;
  of.by.tell<watch>(before);
  co_await settle(*of.root);
  co_await spawn_and_leave(of, heard);
}

TEST_CASE("who watches an ephemeral actor that is spawned again after a rollback keeps its watch") {
  bench on;
  SECTION("and hears of its end, once") { CHECK(heard_in(on, &spawn_and_leave) == "left;"); }
  SECTION("and hears that it is lost, once, where it is not spawned before the next commit") {
    CHECK(heard_in(on, &do_not_spawn) == "lost in a rollback;");
  }
  SECTION("and hears that it is lost where another one has its name") {
    CHECK(heard_in(on, &spawn_another_type) == "lost in a rollback;");
  }
  SECTION("unless it has ended it meanwhile") { CHECK(heard_in(on, &unwatch_and_spawn).empty()); }
  SECTION("or watched and ended it in one turn") {
    CHECK(heard_in(on, &change_mind_and_spawn).empty());
  }
  SECTION("also where it has watched it once more meanwhile") {
    CHECK(heard_in(on, &watch_again_and_spawn) == "left;");
  }
}

TEST_CASE("a watch that a rollback has kept is kept over a crash") {
  bench on;
  heard_in(on, [](scene of, std::string*) -> cairn::task<void> {
    (void)of.top.spawn<guest>("guest");
    (void)co_await of.by.ask<look>();  // its record is written anew
    co_await of.root->checkpoint();
  });
  std::string heard;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto by = root.supervise("top").spawn<host>("host");
    co_await settle(root);
    heard = co_await by.ask<look>();
    co_return 0;
  });
  CHECK(heard == "lost in a restart of the process;");
}

TEST_CASE("an actor that is spawned again after two rollbacks is who it was") {
  bench on;
  std::vector<cairn::ref<counter>> late;
  int runs = 0;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    if (++runs == 1) co_await root.checkpoint();
    if (runs != 2) late.push_back(top.spawn<counter>("late"));
    if (runs == 2) tell_from_outside(late.front(), 1);
    co_await settle(root);
    if (runs < 3) co_await root.rollback();
    const auto seen = co_await late.front().ask<look>();
    CHECK(seen == std::vector<int>{1});
    co_return 0;
  });
  CHECK(runs == 3);
  REQUIRE(late.size() == 2);
  CHECK(late.front() == late.back());
}

TEST_CASE("mail for an actor that is spawned again outlives commits and one more rollback") {
  bench on;
  cairn::ref<counter> late{};
  std::vector<int> seen;
  int runs = 0;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    if (++runs == 1) co_await root.checkpoint();
    if (runs == 2) {
      tell_from_outside(late, 1);
      co_await root.checkpoint();
    }
    late = top.spawn<counter>("late");
    co_await settle(root);
    if (runs < 3) co_await root.rollback();
    seen = co_await late.ask<look>();
    co_return 0;
  });
  CHECK(runs == 3);
  CHECK(seen == std::vector<int>{1});
}

TEST_CASE("mail for an actor that is not spawned again becomes dead letters, some of it at once") {
  bench on;
  constexpr std::size_t bound = 4;
  int runs = 0;
  std::size_t at_once = 0;
  cairn::ref<counter> late{};
  auto chosen = on.options();
  chosen.max_retained = bound;
  fixture::finish<all>(std::move(chosen), [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    if (++runs == 1) {
      co_await root.checkpoint();
      late = top.spawn<counter>("late");
      co_await settle(root);
      co_await root.rollback();
    }
    for (int at = 0; at < 6; ++at) tell_from_outside(late, at);
    co_await settle(root);
    at_once = on.told.count(event_kind::dead_letter);
    co_return 0;
  });
  CHECK(at_once == 2);
  CHECK(on.told.count(event_kind::dead_letter) == 6);
}

TEST_CASE("what found nobody does not come again before what waits") {
  bench on;
  int runs = 0;
  std::vector<int> seen;
  cairn::ref<counter> late{};
  auto chosen = on.options();
  chosen.max_retained = 1;
  fixture::finish<all>(std::move(chosen), [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    if (++runs == 1) {
      co_await root.checkpoint();
      late = top.spawn<counter>("late");
      co_await settle(root);
      co_await root.rollback();
    }
    if (runs == 2) {
      for (int at = 1; at <= 2; ++at) tell_from_outside(late, at);
      co_await settle(root);
      co_await root.rollback();
    }
    (void)top.spawn<counter>("late");
    co_await settle(root);
    seen = co_await late.ask<look>();
    co_return 0;
  });
  CHECK(runs == 3);
  CHECK(on.told.count(event_kind::dead_letter) == 1);
  CHECK(seen == std::vector<int>{1});
}

TEST_CASE("what finds nobody is not had by who comes meanwhile") {
  bench on;
  on.workers = 2;
  played::by_hand hand;
  auto chosen = on.options();
  chosen.max_retained = 1;
  chosen.schedulers = [&](cairn::seats of) {
    return std::make_unique<played::by_hand::seat>(hand, of);
  };
  int runs = 0;
  bool comes = false;
  std::vector<cairn::ref<counter>> late;
  cairn::system<all> running{std::move(chosen)};
  running.start([&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    if (++runs == 1) co_await root.checkpoint();
    while (runs == 2 && !comes) co_await root.sleep(0ns);
    for (const char* name : {"one", "two"}) late.push_back(top.spawn<counter>(name));
    co_await root.until_stopped();
    co_return 0;
  });
  hand.until_quiet();
  running.rollback();
  hand.until_quiet();
  REQUIRE(runs == 2);
  // What comes for it from outside comes by the worker at which it is not at home.
  const auto whom = late[late[0].where().where->slot_index % 2 == 1 ? 0 : 1];
  whom.tell<add>(1);
  whom.tell<add>(2);
  hand.step(1, 5);
  CHECK(on.told.count(event_kind::dead_letter) == 1);
  comes = true;
  hand.until_quiet();
  CHECK(cairn::detail::held<counter>(*whom.where().where).state.seen == std::vector<int>{1});
  CHECK(on.told.count(event_kind::dead_letter) == 1);
}

TEST_CASE("a cell that waits for who is spawned again is at home where it is spawned") {
  bench on;
  on.workers = 2;
  std::vector<cairn::ref<counter>> late;
  int runs = 0;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    if (++runs == 1) {
      co_await root.checkpoint();
      for (const char* name : {"one", "two"}) late.push_back(top.spawn<counter>(name));
      co_await root.sleep(0ns);  // the turn has ended
      co_await root.rollback();
    }
    auto& first = *cairn::detail::current_worker;
    CHECK(first.index == 0);
    for (const auto& each : late) {  // one of two neighbours would be another worker's
      CHECK(each.where().where->home.load(std::memory_order_acquire) == &first);
    }
    co_return 0;
  });
  CHECK(runs == 2);
}

}  // namespace coming_again
