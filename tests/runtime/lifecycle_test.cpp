// Actors come and go: who is told of a stop, whom a path stops, what becomes of names and old refs.
#include <algorithm>

#include "fixture.hpp"

namespace living {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

std::vector<std::string> seen;

void note(errc code) { seen.push_back(std::string{to_string(code)}); }

struct plant;
struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct watch {
  cairn::ref<plant> whom{};
  void serialize(auto& ar) { ar(whom); }
};
struct unwatch {
  cairn::ref<plant> whom{};
  void serialize(auto& ar) { ar(whom); }
};
struct keep {
  cairn::ref<plant> whom{};
  void serialize(auto& ar) { ar(whom); }
};
struct grow {
  std::string path{};
  void serialize(auto& ar) { ar(path); }
};
struct prune {
  std::string path{};
  void serialize(auto& ar) { ar(path); }
};
struct poke_kept {};
struct show {};

struct plant {
  using protocol =
      cairn::protocol<add, watch, unwatch, keep, grow, prune, poke_kept, show, cairn::stopped>;
  std::string diary{};
  cairn::ref<plant> kept{};
  void serialize(auto& ar) { ar(diary, kept); }

  void on(add what) { diary += std::to_string(what.value) + ";"; }
  void on(watch what, cairn::context<plant>& self) { self.watch(what.whom); }
  void on(unwatch what, cairn::context<plant>& self) { self.unwatch(what.whom); }
  void on(keep what) { kept = what.whom; }
  /// "a/b/c": a child a, below it b, below that c.
  void on(grow what, cairn::context<plant>& self) {
    const auto split = what.path.find('/');
    auto child = self.spawn<plant>(what.path.substr(0, split));
    if (split != std::string::npos) child.tell<grow>(what.path.substr(split + 1));
  }
  void on(prune what, cairn::context<plant>& self) { self.stop_child(what.path); }
  void on(poke_kept, cairn::context<plant>& self) {
    kept.tell<add>(1);
    self.watch(kept);
  }
  void on(cairn::stopped what) {
    diary += (what.id == kept.id() ? "kept " : "other ") + what.reason + ";";
  }
  std::string on(show) const { return diary; }
};

using plants = cairn::actors<plant>;

cairn::ref<plant> planted(cairn::root& root) { return root.supervise("top").spawn<plant>("it"); }

/// Who waits for what the actors have sent each other until now.
cairn::task<void> settle(cairn::root& root) {
  for (int at = 0; at < 20; ++at) co_await root.sleep(0ns);  // a step of the only worker each
}

struct bed {
  cairn::ref<plant> faithful{};
  cairn::ref<plant> fickle{};
  cairn::ref<plant> it{};
};
bed bed_of(cairn::root& root) {
  auto top = root.supervise("top");
  return {top.spawn<plant>("faithful"), top.spawn<plant>("fickle"), top.spawn<plant>("it")};
}

cairn::task<int> watched_once(cairn::root& root, bool crashes) {
  auto in = bed_of(root);
  if (!root.restored()) {
    for (const auto& each : {in.faithful, in.fickle}) {
      each.tell<keep>(in.it);
      each.tell<watch>(in.it);
    }
    in.fickle.tell<unwatch>(in.it);
    in.faithful.tell<unwatch>(in.fickle);  // it has not watched that one
    co_await root.checkpoint();
    if (crashes) co_return 0;
  }
  in.it.stop("enough");
  in.fickle.stop("too");
  co_await settle(root);
  seen.push_back(co_await in.faithful.ask<show>());
  auto last = co_await in.fickle.ask<show>().as_result();
  note(last.code());
  co_return 0;
}

TEST_CASE("who has unwatched is not told, the others are, once, also over a crash") {
  bench on;
  seen.clear();
  const bool crashes = GENERATE(false, true);
  const auto app = [&](cairn::root& root) { return watched_once(root, crashes); };
  fixture::crash<plants>(on, app);
  if (crashes) fixture::crash<plants>(on, app);
  CHECK(seen == std::vector<std::string>{"kept enough;", "stopped"});
  CHECK(on.told.count(event_kind::dead_letter) == 1);  // the question to who is stopped
}

cairn::task<int> unwatch_late(cairn::root& root) {
  auto in = bed_of(root);
  for (const auto& each : {in.faithful, in.fickle}) {
    each.tell<keep>(in.it);
    each.tell<watch>(in.it);
  }
  co_await settle(root);
  in.fickle.tell<unwatch>(in.it);
  in.fickle.tell<watch>(in.it);
  co_await settle(root);
  in.it.stop("enough");
  co_await settle(root);
  in.fickle.tell<unwatch>(in.it);  // too late, and harmless
  co_await root.checkpoint();
  in.fickle.tell<unwatch>(in.it);
  co_await settle(root);
  for (const auto& each : {in.faithful, in.fickle}) seen.push_back(co_await each.ask<show>());
  co_return 0;
}

TEST_CASE("who unwatches and watches again is told once") {
  bench on;
  seen.clear();
  fixture::crash<plants>(on, unwatch_late);
  CHECK(seen == std::vector<std::string>{"kept enough;", "kept enough;"});
}

/// `late` watches, in turn, a tombstone, an empty cell, and a cell with another actor in it.
cairn::task<int> watch_the_dead(cairn::root& root) {
  auto top = root.supervise("top");
  auto late = top.spawn<plant>("late");
  auto it = top.spawn<plant>("it");
  late.tell<keep>(it);
  it.stop("enough");
  co_await settle(root);
  late.tell<watch>(it);
  co_await settle(root);
  seen.push_back(co_await late.ask<show>());
  co_await root.checkpoint();  // the tombstone goes
  late.tell<watch>(it);
  co_await settle(root);
  seen.push_back(co_await late.ask<show>());
  auto heir = top.spawn<plant>("heir");
  seen.push_back(heir.where().where == it.where().where ? "same cell" : "another cell");
  late.tell<watch>(it);
  co_await settle(root);
  heir.stop("nobody watches it");
  co_await root.checkpoint();
  seen.push_back(co_await late.ask<show>());
  (void)top.spawn<plant>("other heir");
  co_await root.checkpoint();
  co_return 0;
}
cairn::task<int> watch_the_dead_again(cairn::root& root) {
  auto late = root.supervise("top").spawn<plant>("late");
  late.tell<poke_kept>();
  co_await settle(root);
  seen.push_back(co_await late.ask<show>());
  co_return 0;
}

TEST_CASE("a watch of an actor that is stopped already tells so once, and why if that is known") {
  bench on;
  seen.clear();
  fixture::crash<plants>(on, watch_the_dead);
  const std::string once = "kept enough;";
  CHECK(seen == std::vector<std::string>{once, once + once, "same cell", once + once + once});
  seen.clear();
  fixture::crash<plants>(on, watch_the_dead_again);
  CHECK(seen == std::vector<std::string>{once + once + once +
                                         "kept not there any more; why is not known;"});
  CHECK(on.told.count(event_kind::dead_letter) == 1);  // what it was told before
}

cairn::task<int> reuse_name(cairn::root& root) {
  auto top = root.supervise("top");
  auto keeper = top.spawn<plant>("keeper");
  auto first = top.spawn<plant>("it");
  keeper.tell<keep>(first);
  first.stop();
  first.tell<add>(1);  // after its stop
  auto answer = co_await first.ask<show>().as_result();
  note(answer.code());
  auto second = top.spawn<plant>("it");  // beside the tombstone
  first.tell<add>(2);
  second.tell<add>(3);
  second.stop();
  co_await root.checkpoint();
  auto third = top.spawn<plant>("it");  // in a cell that was one of the others'
  seen.push_back(third.where().where == second.where().where ? "same cell" : "another cell");
  seen.push_back(first.id() < second.id() && second.id() < third.id() ? "new ids" : "old ids");
  first.tell<add>(4);
  second.tell<add>(5);
  third.tell<add>(6);
  answer = co_await second.ask<show>().as_result();
  note(answer.code());
  seen.push_back(co_await third.ask<show>());
  co_await root.checkpoint();
  co_return 0;
}
cairn::task<int> reuse_name_again(cairn::root& root) {
  auto top = root.supervise("top");
  auto keeper = top.spawn<plant>("keeper");
  auto third = top.spawn<plant>("it");
  keeper.tell<poke_kept>();
  co_await settle(root);
  seen.push_back(co_await keeper.ask<show>());
  seen.push_back(co_await third.ask<show>());
  co_return 0;
}

TEST_CASE("a name that is used again names a new actor, and old refs lead to dead letters") {
  bench on;
  seen.clear();
  fixture::crash<plants>(on, reuse_name);
  CHECK(seen == std::vector<std::string>{"stopped", "same cell", "new ids", "stopped", "6;"});
  const auto lost = [&] {
    std::vector<int> values;
    for (const auto& each : on.told.of(event_kind::dead_letter)) {
      CHECK(each.letter.code == errc::stopped);
      if (each.letter.message != "living::add") continue;
      add one;
      cairn::decode(one, each.letter.payload);
      values.push_back(one.value);
    }
    std::sort(values.begin(), values.end());  // several actors' have no order
    return values;
  };
  CHECK(lost() == std::vector<int>{1, 2, 4, 5});
  seen.clear();
  fixture::crash<plants>(on, reuse_name_again);
  CHECK(seen == std::vector<std::string>{"kept not there any more; why is not known;", "6;"});
  CHECK(lost() == std::vector<int>{1, 1, 2, 4, 5});
}

cairn::task<int> prune_them(cairn::root& root) {
  auto it = planted(root);
  it.tell<grow>("desk/drawer/box");
  it.tell<grow>("shelf/book");
  co_await settle(root);
  it.tell<prune>("desk/drawer");
  co_await settle(root);
  it.tell<grow>("desk");          // lives: name_taken, so this handler fails
  it.tell<prune>("desk/drawer");  // gone
  it.tell<prune>("wall/picture");
  it.tell<prune>("desk/");
  it.tell<prune>("");
  co_await settle(root);
  root.stop_path("top/it/shelf");
  root.stop_path("top/nobody");
  co_await settle(root);
  it.tell<grow>("shelf");  // the name is free
  co_await root.checkpoint();
  root.stop_path("top");
  co_await root.checkpoint();
  co_return 0;
}

TEST_CASE("a path stops whom it leads to and those below, one to nowhere harms nobody") {
  bench on;
  fixture::crash<plants>(on, prune_them);
  INFO(on.told.text());
  std::vector<std::string> stops;
  for (const auto& each : on.told.of(event_kind::stopped)) {
    stops.push_back(each.what.name + ": " + each.what.text);
  }
  CHECK(stops == std::vector<std::string>{"box: its parent stopped", "drawer: stopped by path",
                                          "book: its parent stopped", "shelf: stopped by path",
                                          "shelf: its parent stopped", "desk: its parent stopped",
                                          "it: its parent stopped", "top: stopped by path"});
  std::vector<std::string> lost;
  for (const auto& each : on.told.of(event_kind::dead_letter)) {
    if (each.letter.message == "living::grow") continue;
    CHECK(each.letter.code == errc::not_found);
    lost.push_back(each.letter.name + ": " + each.letter.text);
  }
  CHECK(lost == std::vector<std::string>{"it: it has no child \"wall\"", "it: it has no child \"\"",
                                         "desk: desk has no child \"drawer\"",
                                         "desk: desk has no child \"\"",
                                         "top: top has no child \"nobody\""});
  CHECK(on.told.count(event_kind::failed, "it") == 2);
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("who watches twice is told once") {
  bench on;
  seen.clear();
  fixture::crash<plants>(on, [](cairn::root& root) -> cairn::task<int> {
    auto in = bed_of(root);
    in.faithful.tell<keep>(in.it);
    in.faithful.tell<watch>(in.it);
    in.faithful.tell<watch>(in.it);
    co_await root.checkpoint();
    in.it.stop("enough");
    co_await settle(root);
    seen.push_back(co_await in.faithful.ask<show>());
    co_return 0;
  });
  CHECK(seen == std::vector<std::string>{"kept enough;"});
}

struct rest {};
struct leave {};
struct sleeper {
  using protocol = cairn::protocol<rest>;
  int slept = 0;
  void serialize(auto& ar) { ar(slept); }
  cairn::task<> on(rest, cairn::context<sleeper>& self) {
    co_await self.sleep(1h);
    ++slept;
  }
};
struct host {
  using protocol = cairn::protocol<leave>;
  int guests = 0;
  void serialize(auto& ar) { ar(guests); }
  void on_birth(cairn::context<host>& self) { self.spawn<sleeper>("guest").tell<rest>(); }
  /// In the middle of a handler: its children do not come first.
  cairn::task<> on(leave, cairn::context<host>& self) {
    self.stop("gone");
    co_await self.sleep(1h);
  }
};

TEST_CASE("a child whose parent had stopped, and told it so, ends after a crash too") {
  using hosts = cairn::actors<host, sleeper>;
  bench on;
  fixture::crash<hosts>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top").spawn<host>("it");
    co_await settle(root);
    it.tell<leave>();
    co_await settle(root);
    co_await root.checkpoint();  // the guest sleeps, and the word to stop waits
    co_return 0;
  });
  CHECK(on.told.count(event_kind::stopped, "it") == 1);
  CHECK(on.told.count(event_kind::stopped, "guest") == 0);
  fixture::crash<hosts>(on, [&](cairn::root& root) -> cairn::task<int> {
    root.supervise("top");
    co_await settle(root);
    on.clock.advance(2h);
    co_await settle(root);
    co_await root.checkpoint();
    co_return 0;
  });
  CHECK(on.told.count(event_kind::stopped, "guest") == 1);
  const auto third = fixture::crash<hosts>(on, [](cairn::root& root) -> cairn::task<int> {
    root.supervise("top");
    co_return 0;
  });
  CHECK(third.restored.actors == 1);  // the supervisor
}

}  // namespace living
