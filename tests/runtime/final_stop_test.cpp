// A stop from outside is final also while the actor's children stop before it: a permanent one does
// not begin again, nor does one that its group takes along.
#include <stdexcept>

#include <cairn/supervisor.hpp>

#include "fixture.hpp"

namespace final_stops {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct nap {};
struct bear {};
struct fail {};
struct end {};

struct leaf {
  using protocol = cairn::protocol<nap>;
  int naps = 0;
  void serialize(auto& ar) { ar(naps); }
  cairn::task<> on(nap, cairn::context<leaf>& self) {
    co_await self.sleep(1h);
    ++naps;
  }
};

fixture::faults planned;

/// Has a child that takes an hour to stop.
struct node {
  using protocol = cairn::protocol<bear, fail, end>;
  int births = 0;
  void serialize(auto& ar) { ar(births); }
  void on(bear, cairn::context<node>& self) {
    ++births;
    self.with({.shutdown = 9h}).spawn<leaf>("leaf").tell<nap>();
  }
  void on_start(cairn::context<node>&) { planned.check(2); }
  void on(fail) { planned.check(1); }
  void on(end, cairn::context<node>& self) { self.stop("of its own"); }
};
using all = cairn::actors<leaf, node>;

using fixture::come_to_rest;

enum class by { path, itself, supervisor };

cairn::task<int> stop_one(cairn::root& root, bench* on, by whom, bool crashes) {
  const auto house = root.supervise("house");
  const auto one = house.with({.restart = cairn::permanent, .shutdown = 9h}).spawn<node>("one");
  if (!root.restored()) {
    one.tell<bear>();
    co_await come_to_rest(root);
    if (whom == by::path) root.stop_path("house/one");
    if (whom == by::supervisor) house.stop();
    co_await come_to_rest(root);
    CHECK(on->told.count(event_kind::stopped) == 0);
    co_await root.checkpoint();
    if (crashes) co_return 0;
  }
  co_await come_to_rest(root);
  on->clock.advance(1h);
  co_await come_to_rest(root);
  co_return 0;
}

TEST_CASE("a permanent actor with children that somebody else stops does not begin again") {
  const auto whom = GENERATE(by::path, by::supervisor);
  const bool crashes = GENERATE(false, true);
  bench on;
  const auto app = [&](cairn::root& root) { return stop_one(root, &on, whom, crashes); };
  fixture::crash<all>(on, app);
  if (crashes) fixture::crash<all>(on, app);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::restarted) == 0);
  CHECK(on.told.count(event_kind::stopped, "leaf") == 1);
  CHECK(on.told.count(event_kind::stopped, "one") == 1);
  CHECK(on.told.count(event_kind::stopped, "house") == (whom == by::supervisor ? 1 : 0));
}

cairn::task<int> stop_one_of_two(cairn::root& root, bench* on, by whom,
                                 cairn::sibling_restart how) {
  const auto house = root.supervise("house", {.strategy = cairn::one_for_all, .siblings = how});
  const auto one = house.spawn<node>("one");
  const auto other = house.spawn<node>("other");
  one.tell<bear>();
  co_await come_to_rest(root);
  if (whom == by::path) root.stop_path("house/one");
  if (whom == by::itself) one.tell<end>();
  co_await come_to_rest(root);
  planned.plan(1, 1);
  other.tell<fail>();
  co_await come_to_rest(root);
  CHECK(on->told.count(event_kind::restarted, "other") == 1);
  CHECK(on->told.count(event_kind::stopped) == 0);
  on->clock.advance(1h);
  co_await come_to_rest(root);
  co_return 0;
}

TEST_CASE("an actor whose children stop before it stops, though its group is restarted meanwhile") {
  const auto whom = GENERATE(by::path, by::itself);
  const auto how = GENERATE(cairn::sibling_restart::restored, cairn::sibling_restart::fresh);
  bench on;
  fixture::crash<all>(on, [&](cairn::root& root) { return stop_one_of_two(root, &on, whom, how); });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::stopped, "leaf") == 1);
  CHECK(on.told.count(event_kind::stopped, "one") == 1);
}

cairn::task<int> fail_to_start(cairn::root& root, bench* on) {
  const auto house = root.supervise("house", {.strategy = cairn::one_for_all,
                                              .intensity = {.restarts = 9, .within = 1h},
                                              .attempts = 0,
                                              .backoff = {.first = 1min, .jitter = 0},
                                              .siblings = cairn::sibling_restart::fresh});
  house.spawn<node>("other");
  const auto one = house.spawn<node>("one");
  if (!root.restored()) {
    one.tell<bear>();
    co_await come_to_rest(root);
    root.stop_path("house/one");
    co_await come_to_rest(root);
    co_await root.checkpoint();
    co_return 0;
  }
  co_await come_to_rest(root);
  CHECK(on->told.count(event_kind::failed, "one") == 1);
  on->clock.advance(1min);
  co_await come_to_rest(root);
  CHECK(on->told.count(event_kind::restarted, "one") == 1);
  on->clock.advance(1h);
  co_await come_to_rest(root);
  co_return 0;
}

TEST_CASE("an actor that stops and cannot start at first stops once its group is restarted") {
  bench on;
  const auto app = [&](cairn::root& root) { return fail_to_start(root, &on); };
  fixture::crash<all>(on, app);
  planned.plan(2, 2);
  fixture::crash<all>(on, app);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::failed, "other") == 1);
  CHECK(on.told.count(event_kind::stopped, "leaf") == 1);
  CHECK(on.told.count(event_kind::stopped, "one") == 1);
}

}  // namespace final_stops
