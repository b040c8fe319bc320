// Who begins afresh spawns its children anew, while those of before have yet to end: for a while
// two have one name, also in a snapshot.
#include <string>
#include <vector>

#include <cairn/supervisor.hpp>

#include "fixture.hpp"

namespace namesakes {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct nap {};
struct end {};
struct look {};
struct work {};
struct bear {};

/// What it holds says which of the two it is.
struct part {
  using protocol = cairn::protocol<nap, work, bear>;
  int number = 0;
  int worked = 0;
  void serialize(auto& ar) { ar(number, worked); }
  cairn::task<> on(nap, cairn::context<part>& self) { co_await self.sleep(1h); }
  int on(work) { return 100 * number + ++worked; }
  void on(bear, cairn::context<part>& self) {
    self.with({.shutdown = 9h}).spawn<part>("below").tell<nap>();
  }
};

/// How often it has begun is all that it cannot forget.
int lives = 0;

struct whole {
  using protocol = cairn::protocol<nap, end, look, bear>;
  cairn::ref<part> mine{};
  void serialize(auto& ar) { ar(mine); }
  void on_birth(cairn::context<whole>& self) {
    if (!self.replaying()) ++lives;
    mine = self.spawn<part>("part", lives);
  }
  void on(nap) { mine.tell<nap>(); }
  void on(bear) { mine.tell<bear>(); }
  void on(end, cairn::context<whole>& self) { self.stop("of its own"); }
  cairn::ref<part> on(look) const { return mine; }
};
using all = cairn::actors<whole, part>;

using fixture::come_to_rest;
cairn::ref<whole> enter(cairn::root& root) {
  const auto door = root.supervise("top", {.intensity = {.restarts = 9, .within = 1h}});
  return door.with({.restart = cairn::permanent}).spawn<whole>("it");
}

/// Each life but the last has a part that sleeps for an hour before it can stop.
cairn::task<int> begin_again(cairn::root& root, int times) {
  const auto it = enter(root);
  for (int at = 0; at < times; ++at) {
    it.tell<nap>();
    co_await come_to_rest(root);
    it.tell<end>();
    co_await come_to_rest(root);
  }
  co_await root.checkpoint();
  co_return 0;
}
cairn::task<int> go_on(cairn::root& root, bench* on, int times) {
  const auto it = enter(root);
  co_await come_to_rest(root);
  on->clock.advance(1h);
  co_await come_to_rest(root);
  CHECK(on->told.count(event_kind::stopped, "part") == static_cast<std::size_t>(times));
  // The one that lives is its parent's, by its name too.
  const auto mine = co_await it.ask<look>();
  auto asked = mine.ask<work>().as_result();
  root.stop_path("top/it/part");
  co_await come_to_rest(root);
  CHECK(on->told.count(event_kind::stopped, "part") == static_cast<std::size_t>(times) + 1);
  const auto worked = co_await std::move(asked);
  CHECK(worked.value_or(-1) == 100 * (times + 1) + 1);
  co_return 0;
}

TEST_CASE("children of before a fresh start end over a crash, and those of after it live") {
  const int times = GENERATE(1, 2);
  lives = 0;
  bench on;
  fixture::crash<all>(on, [&](cairn::root& root) { return begin_again(root, times); });
  REQUIRE(on.told.count(event_kind::stopped, "part") == 0);
  REQUIRE(lives == times + 1);
  fixture::crash<all>(on, [&](cairn::root& root) { return go_on(root, &on, times); });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::dead_letter) == 0);
}

/// Suspended before its birth, for having stopped itself once too often. The part of before sleeps,
/// or waits for a child of its own that does.
cairn::task<int> wait_for_birth(cairn::root& root, bench* on, bool has_child) {
  const auto door = root.supervise("top", {.intensity = {.restarts = 0}});
  const auto it = door.with({.restart = cairn::permanent}).spawn<whole>("it");
  if (!root.restored()) {
    has_child ? it.tell<bear>() : it.tell<nap>();
    co_await come_to_rest(root);
    it.tell<end>();
    co_await come_to_rest(root);
    co_await root.checkpoint();
    co_return 0;
  }
  co_await come_to_rest(root);
  door.resume();
  co_await come_to_rest(root);
  CHECK(lives == 2);
  CHECK(on->told.count(event_kind::failed) == 0);
  const auto mine = co_await it.ask<look>();
  const auto worked = co_await mine.ask<work>();
  CHECK(worked == 201);
  on->clock.advance(1h);
  co_await come_to_rest(root);
  CHECK(on->told.count(event_kind::stopped, "part") == 1);
  co_return 0;
}

TEST_CASE("who is born anew in another process finds the names of before free") {
  lives = 0;
  bench on;
  const bool has_child = GENERATE(false, true);
  const auto app = [&](cairn::root& root) { return wait_for_birth(root, &on, has_child); };
  fixture::crash<all>(on, app);
  REQUIRE(on.told.count(event_kind::suspended, "it") == 1);
  fixture::crash<all>(on, app);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::dead_letter) == 0);
}

}  // namespace namesakes
