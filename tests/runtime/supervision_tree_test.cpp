// Supervisors under supervisors: who decides, how late a restart comes, how a subtree ends.
#include <cairn/supervisor.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <cairn/testing/simulation.hpp>

#include "supervising.hpp"

TEST_CASE("what a supervisor cannot bear it hands to the one above") {
  using namespace tending;
  bench on;
  const auto then = GENERATE(cairn::restart, cairn::resume, cairn::stop, cairn::suspend);
  planned.plan(-2, 1);
  std::string seen;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::decision what, std::string* to) -> cairn::task<int> {
      const auto above = cairn::supervisor_options{}.on<std::runtime_error>(what);
      const auto below = cairn::supervisor_options{}.on<std::exception>(cairn::escalate);
      auto house = root.supervise("house", above);
      auto other = house.spawn<member>("other", "other");
      three of = spawn_three(house.supervise("room", below));
      done.clear();
      of.b.tell<work>(-2);
      auto b = co_await of.b.ask<look>().as_result();
      auto c = co_await of.c.ask<look>().as_result();
      (void)co_await other.ask<look>();
      *to = (b ? std::to_string(*b) : std::string{to_string(b.code())}) + " " +
            (c ? std::to_string(*c) : std::string{to_string(c.code())});
      co_return 0;
    }(top, then, &seen);
  });
  INFO(on.told.text());
  const std::map<cairn::decision, std::string> expected{{cairn::restart, "-2 0"},
                                                        {cairn::resume, "0 0"},
                                                        {cairn::stop, "stopped stopped"},
                                                        {cairn::suspend, "failed failed"}};
  CHECK(seen == expected.at(then));
  CHECK(on.told.count(event_kind::restarted, "other") == 0);
  CHECK(on.told.count(event_kind::restarted, "a") == (then == cairn::restart ? 1 : 0));
  CHECK(on.told.count(event_kind::stopped, "room") == (then == cairn::stop ? 1 : 0));
}

TEST_CASE("where nobody is above the subtree is suspended") {
  using namespace tending;
  planned.plan(-2, 1);
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto rules = cairn::supervisor_options{}.on<std::exception>(cairn::escalate);
    three of = spawn_three(root.supervise("top", rules));
    of.b.tell<work>(-2);
    auto b = co_await of.b.ask<look>().as_result();
    CHECK(b.code() == errc::failed);
    auto c = co_await of.c.ask<look>().as_result();
    CHECK(c.code() == errc::failed);
    of.door.resume();
    while (!b) b = co_await of.b.ask<look>().as_result();
    CHECK(*b == -2);  // it waited in front, and now it does not throw
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 3);
}

TEST_CASE("exceeding may stop the group, or be the matter of the one above") {
  using namespace tending;
  bench on;
  const auto then = GENERATE(cairn::stop, cairn::escalate);
  planned.plan(-2, 3);
  done.clear();
  std::string seen;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::decision what, std::string* to) -> cairn::task<int> {
      auto house = root.supervise("house", {.siblings = cairn::sibling_restart::fresh});
      const cairn::supervisor_options rules{.strategy = cairn::rest_for_one,
                                            .intensity = {.restarts = 1, .within = 1h},
                                            .exceeded = what};
      three of = spawn_three(house.supervise("room", rules));
      of.a.tell<work>(1);
      of.b.tell<work>(-2);
      of.b.tell<work>(2);
      of.b.tell<work>(-2);
      auto b = co_await of.b.ask<look>().as_result();
      auto a = co_await of.a.ask<look>().as_result();
      while (a && !b) a = co_await of.a.ask<look>().as_result();  // it stops after the other one
      *to = (a ? std::to_string(*a) : std::string{to_string(a.code())}) + " " +
            (b ? std::to_string(*b) : std::string{to_string(b.code())});
      co_return 0;
    }(top, then, &seen);
  });
  INFO(on.told.text());
  // Begun afresh, the failing one goes on with the message that had failed.
  CHECK(seen == (then == cairn::stop ? "stopped stopped" : "0 -2"));
  // With what they were spawned with.
  const auto lines = done.lines();
  CHECK(std::count(lines.begin(), lines.end(), "start a") == (then == cairn::stop ? 1 : 2));
  CHECK(std::count(lines.begin(), lines.end(), "start ") == 0);
}

TEST_CASE("a restart waits for its backoff, which doubles, and which a crash does not end") {
  using namespace tending;
  planned.plan(-2, 1);
  bench on;
  const cairn::supervisor_options rules{.intensity = {.restarts = 9, .within = 1h},
                                        .backoff = {.first = 1s, .most = 3s, .jitter = 0}};
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::supervisor_options how, bench* with) -> cairn::task<int> {
      three of = spawn_three(root.supervise("top", how));
      of.b.tell<work>(2);
      of.b.tell<work>(-2);
      (void)co_await of.a.ask<look>();
      co_await root.checkpoint();
      CHECK(with->told.count(event_kind::failed, "b") == 1);
      CHECK(with->told.count(event_kind::restarted, "b") == 0);
      with->clock.advance(999ms);
      co_await root.checkpoint();
      co_return 0;
    }(top, rules, &on);
  });
  CHECK(on.told.count(event_kind::restarted, "b") == 0);
  fixture::finish<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::supervisor_options how, bench* with) -> cairn::task<int> {
      three of = spawn_three(root.supervise("top", how));
      auto b = of.b.ask<look>();
      (void)co_await of.a.ask<look>();
      CHECK(with->told.count(event_kind::restarted, "b") == 0);
      with->clock.advance(1s);
      (void)co_await of.a.ask<look>();  // a step, which sees it
      const int sum = co_await std::move(b);
      CHECK(sum == 0);
      co_return 0;
    }(top, rules, &on);
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::restarted, "b") == 1);
}

TEST_CASE("delays double up to a bound, and no two are the same") {
  using cairn::detail::delay_of;
  using namespace std::chrono_literals;
  const cairn::restart_backoff plain{.first = 100ms, .most = 1s, .jitter = 0};
  CHECK(delay_of(plain, 1, 0) == 100ms);
  CHECK(delay_of(plain, 2, 0) == 200ms);
  CHECK(delay_of(plain, 4, 0) == 800ms);
  CHECK(delay_of(plain, 5, 0) == 1s);
  CHECK(delay_of(plain, 4'000'000'000U, 0) == 1s);
  CHECK(delay_of({}, 3, 0) == 0s);
  const cairn::restart_backoff jittered{.first = 100ms, .most = 1s, .jitter = 0.5};
  CHECK(delay_of(jittered, 1, 0) == 100ms);
  CHECK(delay_of(jittered, 1, ~std::uint64_t{0}) > 149ms);
  CHECK(delay_of(jittered, 1, ~std::uint64_t{0}) <= 150ms);
}

TEST_CASE("durations as long as they come do not overflow, and no jitter is more than the delay") {
  using cairn::detail::delay_of;
  using namespace std::chrono_literals;
  constexpr auto ever = std::chrono::nanoseconds::max();
  const cairn::supervisor_options rules{.backoff = {.first = 1h, .most = ever, .jitter = 1}};
  CHECK(rules.quiet() > 1h);
  std::chrono::nanoseconds before{};
  for (const std::uint32_t n : {1U, 20U, 60U, 90U, 4'000'000'000U}) {
    const auto delay = delay_of(rules.backoff, n, ~std::uint64_t{0});
    CHECK(delay >= before);
    before = delay;
  }
  CHECK(delay_of({.first = ever, .most = 1s, .jitter = 1}, 1, ~std::uint64_t{0}) > 24h);
  CHECK(delay_of({.first = 1s, .most = 1s, .jitter = 1e300}, 1, ~std::uint64_t{0}) == 1s);
  CHECK(delay_of({.first = 1s, .most = 1s, .jitter = -7}, 1, ~std::uint64_t{0}) == 1s);
}

TEST_CASE("a supervisor stops its children in reverse, each in the time that it has") {
  using namespace tending;
  planned.clear();
  bench on;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, bench* with) -> cairn::task<int> {
      auto door = root.supervise("top");
      auto a = door.spawn<member>("a", "a");
      auto b = door.with({.shutdown = 2s}).spawn<member>("b", "b");
      auto c = door.with({.shutdown = 0s}).spawn<member>("c", "c");
      auto d = door.supervise("inner").spawn<member>("d", "d");
      b.tell<nap>(1);
      c.tell<nap>(2);
      (void)co_await d.ask<look>();
      door.stop();
      auto gone = co_await d.ask<look>().as_result();
      while (gone) gone = co_await d.ask<look>().as_result();
      CHECK(gone.code() == errc::stopped);
      (void)co_await a.ask<look>();
      co_await root.checkpoint();
      CHECK(with->told.count(event_kind::stopped) == 3);
      with->clock.advance(2s);
      auto last = co_await a.ask<look>().as_result();
      while (last) last = co_await a.ask<look>().as_result();
      co_await root.checkpoint();
      co_return 0;
    }(top, &on);
  });
  INFO(on.told.text());
  std::vector<std::string> names;
  for (const auto& each : on.told.of(event_kind::stopped)) names.push_back(each.what.name);
  CHECK(names == std::vector<std::string>{"d", "inner", "c", "b", "a", "top"});
  CHECK(on.told.of(event_kind::stopped, "b").front().what.text ==
        "its parent stopped; it had not stopped in time");
  // Who is stopped at once has not been too slow.
  CHECK(on.told.of(event_kind::stopped, "c").front().what.text == "its parent stopped");
}

namespace tending {

/// Who stopped, in which order, where a room has a child that takes half a minute.
inline std::string stopped_in_order(bench& on, std::optional<cairn::child_options> of_room) {
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, bench* with,
              std::optional<cairn::child_options> declared) -> cairn::task<int> {
      auto house = root.supervise("house");
      auto room = (declared ? house.with(*declared) : house).supervise("room");
      auto slow = room.with({.shutdown = 30s}).spawn<member>("slow", "slow");
      slow.tell<nap>(1);
      auto other = room.spawn<member>("other", "other");
      (void)co_await other.ask<look>();
      house.stop();
      auto gone = co_await other.ask<look>().as_result();
      while (gone) gone = co_await other.ask<look>().as_result();
      co_await root.checkpoint();
      with->clock.advance(10s);  // longer than an ordinary child has for which nothing is said
      co_await root.checkpoint();
      with->clock.advance(20s);
      while (with->told.count(event_kind::stopped, "house") == 0) co_await root.checkpoint();
      co_await root.checkpoint();
      CHECK(with->told.count(event_kind::stopped, "slow") == 1);
      co_return 0;
    }(top, &on, of_room);
  });
  std::string names;
  for (const auto& each : on.told.of(event_kind::stopped)) names += each.what.name + " ";
  return names;
}

}  // namespace tending

TEST_CASE("a supervisor below takes as long as it takes to stop, or as long as it was given") {
  using namespace tending;
  planned.clear();
  bench on;
  SECTION("nothing is said: all that is below it takes") {
    CHECK(stopped_in_order(on, std::nullopt) == "other slow room house ");
  }
  SECTION("time enough") {
    CHECK(stopped_in_order(on, cairn::child_options{.shutdown = 1min}) == "other slow room house ");
  }
  SECTION("too little: it is stopped, and what is left below with it") {
    CHECK(stopped_in_order(on, cairn::child_options{.shutdown = 5s}) == "other room slow house ");
    REQUIRE(on.told.count(event_kind::stopped, "slow") == 1);
    CHECK(on.told.of(event_kind::stopped, "slow").front().what.text == "its parent was stopped");
  }
  INFO(on.told.text());
}

TEST_CASE("what is left below a supervisor that had not stopped in time is stopped at all depths") {
  using namespace tending;
  planned.clear();
  bench on;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, bench* with) -> cairn::task<int> {
      auto house = root.supervise("house");
      auto room = house.with({.shutdown = 5s}).supervise("room");
      auto closet = room.supervise("closet");
      auto slow = closet.with({.shutdown = 30s}).spawn<member>("slow", "slow");
      slow.tell<nap>(1);
      (void)co_await closet.spawn<member>("other", "other").ask<look>();
      house.stop();
      for (int at = 0; at < 9; ++at) co_await root.checkpoint();
      CHECK(with->told.count(event_kind::stopped) == 1);
      with->clock.advance(5s);
      for (int at = 0; at < 9; ++at) co_await root.checkpoint();
      co_return 0;
    }(top, &on);
  });
  INFO(on.told.text());
  for (const char* name : {"slow", "closet", "room", "house"}) {
    CHECK(on.told.count(event_kind::stopped, name) == 1);
  }
}

TEST_CASE("an orderly end does not wait for a supervisor that takes long to stop") {
  using namespace tending;
  planned.clear();
  cairn::testing::simulation_options chosen;
  chosen.configure = [](cairn::options& of) { of.epoch.every = {}; };
  cairn::testing::simulation<all> sim{chosen};
  const auto app = [](cairn::root& root) -> cairn::task<int> {
    auto house = root.supervise("house");
    auto room = house.supervise("room");
    auto slow = room.with({.shutdown = 20h}).spawn<member>("slow", "slow");
    if (!root.restored()) slow.tell<nap>(10);
    while (!slow.where().where->busy()) co_await root.sleep(1ms);
    house.stop();
    co_await root.sleep(1s);
    co_return 0;
  };
  sim.start(app);
  REQUIRE(sim.run() == 0);
  const auto before = sim.now();
  REQUIRE(sim.finish());
  CHECK(sim.now() - before < 1min);
  sim.start(app);  // it goes on where it was
  CHECK(sim.restored().suspended_handlers == 3);
}

TEST_CASE("a supervisor below another is restored with it, and dormant until it is declared") {
  using namespace tending;
  bench on;
  const auto app = [](cairn::root& root, bool declared) -> cairn::task<int> {
    auto house = root.supervise("house");
    auto near = house.spawn<member>("near", "near");
    near.tell<work>(1);
    if (declared) {
      auto far = house.supervise("room").spawn<member>("far", "far");
      far.tell<work>(1);
      const int sum = co_await far.ask<look>();
      CHECK(sum == (root.restored() ? 2 : 1));
    }
    const int sum = co_await near.ask<look>();
    CHECK(sum >= 1);
    co_await root.checkpoint();
    co_return 0;
  };
  fixture::crash<all>(on, [&](cairn::root& top) { return app(top, true); });
  CHECK(on.told.count(event_kind::undeclared) == 0);
  fixture::crash<all>(on, [&](cairn::root& top) { return app(top, false); });
  CHECK(on.told.count(event_kind::undeclared, "room") == 1);
  CHECK(on.told.count(event_kind::undeclared) == 1);
  fixture::crash<all>(on, [&](cairn::root& top) { return app(top, true); });
  CHECK(on.told.count(event_kind::undeclared) == 1);
}

TEST_CASE("ephemeral children of a group begin afresh with it") {
  using namespace tending;
  planned.plan(-2, 1);
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto door = root.supervise("top", {.strategy = cairn::one_for_all});
    auto a = door.spawn<fleeting>("a", 7);
    auto b = door.spawn<fleeting>("b", 8);
    a.tell<work>(1);
    (void)co_await a.ask<look>();
    b.tell<work>(-2);
    const int other = co_await b.ask<look>();
    CHECK(other == 8);
    const int sum = co_await a.ask<look>();
    CHECK(sum == 7);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::dead_letter, "b") == 1);
}
