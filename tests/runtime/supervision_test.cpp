// Who is restarted with a child that failed, how often, and what comes of it.
#include <cairn/supervisor.hpp>

#include <string>
#include <vector>

#include "supervising.hpp"

TEST_CASE("one_for_all restarts all children in their order, and tries the failing turn again") {
  using namespace tending;
  planned.plan(-2, 1);
  bench on;
  on.workers = GENERATE(1U, 3U);
  std::string seen;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, std::string* to) -> cairn::task<int> {
      three of = spawn_three(root.supervise("top", {.strategy = cairn::one_for_all}));
      *to = co_await work_and_fail(of);
      co_return 0;
    }(top, &seen);
  });
  INFO(on.told.text());
  CHECK(seen == "1 0 3");
  CHECK(done.lines() ==
        std::vector<std::string>{"end b", "end a", "start a", "start b", "end c", "start c"});
  CHECK(restarted(on) == std::vector<std::string>{"a: with its siblings",
                                                  "b: the failing turn is tried again",
                                                  "c: with its siblings"});
  CHECK(on.told.count(event_kind::dead_letter) == 0);
}

TEST_CASE("rest_for_one restarts those that came after") {
  using namespace tending;
  planned.plan(-2, 1);
  bench on;
  std::string seen;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, std::string* to) -> cairn::task<int> {
      three of = spawn_three(root.supervise("top", {.strategy = cairn::rest_for_one}));
      *to = co_await work_and_fail(of);
      co_return 0;
    }(top, &seen);
  });
  INFO(on.told.text());
  CHECK(seen == "1 0 3");
  CHECK(done.lines() == std::vector<std::string>{"end b", "start b", "end c", "start c"});
}

TEST_CASE("siblings may begin afresh, which no replay goes back beyond") {
  using namespace tending;
  planned.plan(-2, 1);
  bench on;
  std::string seen;
  const auto app = [](cairn::root& root, std::string* to) -> cairn::task<int> {
    auto door = root.supervise(
        "top", {.strategy = cairn::one_for_all, .siblings = cairn::sibling_restart::fresh});
    three of{door, door.spawn<member>("a", "a", 40), door.spawn<member>("b", "b", 50),
             door.spawn<member>("c", "c", 60)};
    auto it = door.spawn<begun>("it");
    if (!root.restored()) {
      it.tell<work>(5);
      of.a.tell<later>();
      (void)co_await it.ask<look>();
      (void)co_await work_and_fail(of);
      of.a.tell<work>(1);
      co_await root.checkpoint();
    }
    const int births = co_await it.ask<look>();
    std::string now = co_await sums(of);
    *to = now + " " + std::to_string(births);
    co_return 0;
  };
  fixture::crash<all>(on, [&](cairn::root& top) { return app(top, &seen); });
  INFO(on.told.text());
  CHECK(seen == "41 50 60 100");  // both its spawn's state and its birth came again
  CHECK(on.told.count(event_kind::stopped, "part") == 1);
  std::string again;
  const auto next = fixture::finish<all>(on, [&](cairn::root& top) { return app(top, &again); });
  CHECK(again == seen);
  CHECK(next.restored.timers == 0);
}

TEST_CASE("a sibling's suspended handler stands where it stood after a restart") {
  using namespace tending;
  planned.plan(-2, 1);
  bench on;
  int seen = 0;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, bench* with, int* to) -> cairn::task<int> {
      three of = spawn_three(root.supervise("top", {.strategy = cairn::one_for_all}));
      of.a.tell<nap>(1);
      of.b.tell<work>(-2);
      (void)co_await of.b.ask<look>();
      with->clock.advance(1h);
      *to = co_await of.a.ask<look>();
      co_return 0;
    }(top, &on, &seen);
  });
  INFO(on.told.text());
  CHECK(seen == 1001);
  CHECK(on.told.count(event_kind::restarted, "a") == 1);
}

TEST_CASE("restart types say what a child's end comes to") {
  using namespace tending;
  planned.plan(-2, 1);
  bench on;
  std::string seen;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, std::string* to) -> cairn::task<int> {
      auto door = root.supervise("top");
      auto always = door.with({.restart = cairn::permanent}).spawn<member>("always", "always", 5);
      auto mostly = door.with({.restart = cairn::transient}).spawn<member>("mostly", "mostly", 5);
      auto never = door.with({.restart = cairn::temporary}).spawn<member>("never", "never", 5);
      always.tell<work>(1);
      always.tell<end>();
      mostly.tell<end>();
      never.tell<work>(-2);
      const int first = co_await always.ask<look>();
      auto second = co_await mostly.ask<look>().as_result();
      auto third = co_await never.ask<look>().as_result();
      *to = std::to_string(first) + " " + std::string{to_string(second.code())} + " " +
            std::string{to_string(third.code())};
      co_return 0;
    }(top, &seen);
  });
  INFO(on.told.text());
  CHECK(seen == "5 stopped stopped");
  CHECK(on.told.count(event_kind::stopped, "always") == 0);
  CHECK(on.told.of(event_kind::stopped, "never").front().what.text == "fault -2");
  CHECK(on.told.of(event_kind::dead_letter, "never").front().what.text ==
        "tending::work: fault -2");
}

TEST_CASE("a temporary child stops where its group is restarted, as it does where it fails") {
  using namespace tending;
  planned.plan(-2, 1);
  bench on;
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  const auto siblings = GENERATE(cairn::sibling_restart::restored, cairn::sibling_restart::fresh);
  const auto app = [&](cairn::root& top) {
    return [](cairn::root& root, cairn::supervisor_options how) -> cairn::task<int> {
      auto door = root.supervise("top", how);
      auto b = door.spawn<member>("b", "b");
      auto guest = door.with({.restart = cairn::temporary}).spawn<member>("guest", "guest");
      auto c = door.spawn<member>("c", "c");
      if (root.restored()) {
        const int none = co_await guest.ask<look>();
        CHECK(none == 0);  // another one
        co_return 0;
      }
      guest.tell<nap>(1);
      (void)co_await c.ask<look>();
      done.clear();
      b.tell<work>(-2);
      const int sum = co_await b.ask<look>();
      CHECK(sum == -2);
      (void)co_await c.ask<look>();
      auto gone = co_await guest.ask<look>().as_result();
      CHECK(gone.code() == errc::stopped);
      guest = {};
      co_await root.checkpoint();
      co_return 0;
    }(top, {.strategy = strategy, .siblings = siblings});
  };
  fixture::crash<all>(on, app);
  INFO(on.told.text());
  CHECK(done.lines() == std::vector<std::string>{"end b", "start b", "end c", "start c"});
  CHECK(on.told.of(event_kind::stopped, "guest").at(0).what.text ==
        "a temporary child is not restarted with the others");
  CHECK(on.told.count(event_kind::restarted, "guest") == 0);
  fixture::crash<all>(on, app);
}

TEST_CASE("a permanent child that stops itself too often is suspended") {
  using namespace tending;
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto door = root.supervise("top", {.intensity = {.restarts = 2, .within = 1h}});
    auto it = door.with({.restart = cairn::permanent}).spawn<member>("it", "it");
    for (int at = 0; at < 3; ++at) it.tell<end>();
    auto answer = co_await it.ask<look>().as_result();
    CHECK(answer.code() == errc::failed);
    door.resume();
    while (!answer) answer = co_await it.ask<look>().as_result();  // first it is still suspended
    CHECK(*answer == 0);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended, "it") == 1);
}

TEST_CASE("a permanent child that stops itself too often goes where its supervisor's rules say") {
  using namespace tending;
  bench on;
  const auto then = GENERATE(cairn::stop, cairn::escalate);
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::decision what) -> cairn::task<int> {
      const cairn::supervisor_options rules{.intensity = {.restarts = 1, .within = 1h},
                                            .exceeded = what};
      auto door = root.supervise("house").supervise("room", rules);
      auto other = door.spawn<member>("other", "other");
      auto it = door.with({.restart = cairn::permanent}).spawn<member>("it", "it");
      for (int at = 0; at < 2; ++at) it.tell<end>();
      auto answer = co_await it.ask<look>().as_result();
      CHECK(answer.code() == (what == cairn::stop ? errc::stopped : errc::ok));
      (void)co_await other.ask<look>();
      co_return 0;
    }(top, then);
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::stopped, "it") == (then == cairn::stop ? 1 : 0));
  CHECK(on.told.count(event_kind::restarted, "other") == (then == cairn::stop ? 0 : 1));
}

TEST_CASE("too many restarts suspend the whole group, durably, until it is resumed") {
  using namespace tending;
  planned.plan(-2, 5);  // two tries each, and the last is not tried again
  bench on;
  const cairn::supervisor_options rules{.strategy = cairn::one_for_all,
                                        .intensity = {.restarts = 2, .within = 1h}};
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::supervisor_options how) -> cairn::task<int> {
      three of = spawn_three(root.supervise("top", how));
      for (int at = 0; at < 3; ++at) {
        of.b.tell<work>(-2);
        of.b.tell<work>(2);
      }
      (void)co_await of.b.ask<look>().as_result();
      auto a = co_await of.a.ask<look>().as_result();
      CHECK(a.code() == errc::failed);
      co_await root.checkpoint();
      co_return 0;
    }(top, rules);
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 3);
  CHECK(on.told.of(event_kind::suspended, "c").front().what.text ==
        "more restarts than 2 below top; the last failure: fault -2");
  fixture::finish<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::supervisor_options how) -> cairn::task<int> {
      three of = spawn_three(root.supervise("top", how));
      auto a = co_await of.a.ask<look>().as_result();
      CHECK(a.code() == errc::failed);
      of.door.resume();
      auto last = co_await of.c.ask<look>().as_result();
      while (!last) last = co_await of.c.ask<look>().as_result();
      std::string now = co_await sums(of);
      CHECK(now == "0 4 0");
      co_return 0;
    }(top, rules);
  });
  CHECK(on.told.count(event_kind::resumed) == 3);
}

TEST_CASE("who fails at the same time as a sibling is restarted with it, and counted once") {
  using namespace tending;
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  for (const int value : {-1, -2, -3}) planned.plan(value, 1);
  bench on;
  const cairn::supervisor_options rules{.strategy = strategy, .intensity = {.restarts = 1}};
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::supervisor_options how) -> cairn::task<int> {
      three of = spawn_three(root.supervise("top", how));
      (void)co_await sums(of);
      done.clear();
      of.a.tell<work>(-1);  // all three before the supervisor's turn
      of.b.tell<work>(-2);
      of.c.tell<work>(-3);
      for (const auto& each : {of.a, of.b, of.c}) {
        auto asked = each.ask<look>();
        (void)co_await std::move(asked).as_result();
      }
      std::string now = co_await sums(of);
      CHECK(now == "-1 -2 -3");
      co_return 0;
    }(top, rules);
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 0);
  CHECK(restarted(on) == std::vector<std::string>{"a: the failing turn is tried again",
                                                  "b: with its siblings", "c: with its siblings"});
}
