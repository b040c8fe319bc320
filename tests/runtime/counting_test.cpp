// How many restarts are too many, and what makes them count no more.
#include <cairn/supervisor.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "supervising.hpp"

namespace counting {

using namespace tending;

struct run_of {
  cairn::supervisor_options rules{};
  int failures = 1;
  bool paused_at_end = false;
  bench* on = nullptr;
};

/// One run: so many failures of one child.
inline cairn::task<int> app(cairn::root& root, run_of how) {
  three of = spawn_three(root.supervise("top", how.rules));
  for (int at = 0; at < how.failures; ++at) {
    planned.plan(-2, 1);
    of.b.tell<work>(-2);
    if (how.paused_at_end) break;
    (void)co_await of.b.ask<look>().as_result();
  }
  (void)co_await of.a.ask<look>().as_result();
  (void)co_await root.checkpoint();
  if (how.paused_at_end) co_await root.pause();  // nobody will end what is suspended
  co_return 0;
}
inline void finish(bench& on, const run_of& how) {
  fixture::finish<all>(on, [&](cairn::root& top) { return app(top, how); });
}
inline void crash(bench& on, const run_of& how) {
  fixture::crash<all>(on, [&](cairn::root& top) { return app(top, how); });
}

/// Each of three fails once.
inline cairn::task<int> each_fails(cairn::root& root, run_of how) {
  three of = spawn_three(root.supervise("top", how.rules));
  for (const auto& each : {of.a, of.b, of.c}) {
    planned.plan(-2, 1);
    each.tell<work>(-2);
    (void)co_await each.ask<look>().as_result();
  }
  (void)co_await of.a.ask<look>().as_result();
  co_return 0;
}

}  // namespace counting

TEST_CASE("under one_for_one each child's restarts count by themselves, or all of them together") {
  using namespace counting;
  bench on;
  run_of how{{.intensity = {.restarts = 2, .within = 1h}}, 0};
  crash(on, how);  // stored with other rules
  how.rules.intensity.together = GENERATE(false, true);
  fixture::crash<all>(on, [&](cairn::root& top) { return each_fails(top, how); });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == (how.rules.intensity.together ? 3 : 0));
  std::vector<std::string> expected;  // who fails, and nobody else
  for (const char* who : {"a", "b", "c"}) {
    expected.push_back(who + std::string{": the failing turn is tried again"});
  }
  if (how.rules.intensity.together) expected.pop_back();
  CHECK(restarted(on) == expected);
}

TEST_CASE(
    "what restarts of all children together come to is escalated, and counts on over a crash") {
  using namespace counting;
  bench on;
  const run_of how{{.intensity = {.restarts = 2, .within = 1h, .together = true}}};
  crash(on, how);
  crash(on, how);
  CHECK(on.told.count(event_kind::suspended) == 0);
  crash(on, how);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 3);
  CHECK(on.told.of(event_kind::suspended, "c").front().what.text ==
        "more restarts than 2 below top; the last failure: fault -2");
}

TEST_CASE("the rules of a supervisor come out as they went in") {
  cairn::supervisor_options rules{.strategy = cairn::rest_for_one, .intensity = {.together = true}};
  cairn::detail::buffer bytes;
  cairn::encode(cairn::detail::declare{rules}, bytes);
  const auto again = cairn::decode<cairn::detail::declare>(bytes.view()).rules;
  CHECK(again.same_as(rules));
  CHECK(again.strategy == cairn::rest_for_one);
  CHECK(again.intensity.together);
  rules.intensity.together = false;
  CHECK_FALSE(again.same_as(rules));
}

TEST_CASE("what fails once in each of many runs that end orderly does not fail too often") {
  using namespace counting;
  bench on;
  const run_of how{{.strategy = GENERATE(cairn::one_for_one, cairn::one_for_all),
                    .intensity = {.restarts = 1, .within = 1h}}};
  for (int runs = 0; runs < 4; ++runs) finish(on, how);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::failed, "b") == 4);
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("over a crash restarts count on") {
  using namespace counting;
  bench on;
  const run_of how{{.strategy = GENERATE(cairn::one_for_one, cairn::one_for_all),
                    .intensity = {.restarts = 2, .within = 1h}}};
  crash(on, how);
  crash(on, how);
  CHECK(on.told.count(event_kind::suspended) == 0);
  crash(on, how);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended, "b") == 1);
}

TEST_CASE("a restart is as old after a crash as it is, however long its actor was left alone") {
  using namespace counting;
  bench on;
  const run_of how{{.strategy = GENERATE(cairn::one_for_one, cairn::one_for_all),
                    .intensity = {.restarts = 1, .within = 60s}}};
  crash(on, how);  // the first restart, whose record stands from here on
  const auto idle = [](cairn::root& root, run_of with) -> cairn::task<int> {
    const three of = spawn_three(root.supervise("top", with.rules));
    with.on->clock.advance(25s);
    of.a.tell<work>(1);
    (void)co_await of.a.ask<look>();
    co_await root.checkpoint();
    co_return 0;
  };
  run_of alone = how;
  alone.on = &on;
  for (int crashes = 0; crashes < 2; ++crashes) {
    fixture::crash<all>(on, [&](cairn::root& top) { return idle(top, alone); });
  }
  const bool recent = GENERATE(false, true);
  on.clock.advance(recent ? 10s : 10s + 1ms);
  crash(on, how);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::restarted, "b") == (recent ? 1 : 2));
  CHECK(on.told.count(event_kind::suspended, "b") == (recent ? 1 : 0));
}

TEST_CASE("a wall clock that was set back makes no restart older than it is") {
  using namespace std::chrono_literals;
  using cairn::detail::restart_times;
  cairn::detail::buffer bytes;
  bytes.put(std::int64_t{std::chrono::nanoseconds{50h}.count()});
  bytes.put(std::int64_t{std::chrono::nanoseconds{70h}.count()});
  bytes.put(std::numeric_limits<std::int64_t>::min());
  bytes.put(std::numeric_limits<std::int64_t>::max());
  cairn::detail::reader from{bytes.view()};
  const auto next = [&] { return get_restart(from, restart_times{10h, 60h, 0h}); };
  CHECK(next() == 0h);
  CHECK(next() == 10h);
  CHECK(next() == -50h);  // before there were computers
  CHECK(next() == 10h);
}

TEST_CASE("what an orderly end has forgiven no crash brings back") {
  using namespace counting;
  bench on;
  run_of how{{.strategy = GENERATE(cairn::one_for_one, cairn::one_for_all),
              .intensity = {.restarts = 1, .within = 1h}}};
  finish(on, how);
  how.failures = 0;
  crash(on, how);
  how.failures = 1;
  crash(on, how);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 0);
  crash(on, how);
  CHECK(on.told.count(event_kind::suspended, "b") == 1);
}

TEST_CASE("an orderly end within a backoff forgives, and the backoff is waited for") {
  using namespace counting;
  bench on;
  run_of how{{.strategy = GENERATE(cairn::one_for_one, cairn::one_for_all),
              .intensity = {.restarts = 1, .within = 1h},
              .backoff = {.first = 1s, .most = 8s, .jitter = 0}},
             1,
             true};
  finish(on, how);
  CHECK(on.told.count(event_kind::restarted, "b") == 0);
  how.on = &on;
  const auto again = [](cairn::root& root, run_of with) -> cairn::task<int> {
    three of = spawn_three(root.supervise("top", with.rules));
    auto first = of.b.ask<look>();
    (void)co_await of.a.ask<look>();
    CHECK(with.on->told.count(event_kind::restarted, "b") == 0);
    with.on->clock.advance(1s);
    (void)co_await of.c.ask<look>();
    (void)co_await std::move(first);
    planned.plan(-2, 1);
    of.b.tell<work>(-2);
    auto second = of.b.ask<look>();
    (void)co_await of.a.ask<look>();
    co_await root.checkpoint();
    with.on->clock.advance(1s);  // as long as the first one: it does not grow over the end
    (void)co_await of.c.ask<look>();
    (void)co_await std::move(second);
    co_return 0;
  };
  fixture::crash<all>(on, [&](cairn::root& top) { return again(top, how); });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::restarted, "b") == 2);
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE(
    "restarts that lie outside of the period are not too many, and their backoff begins anew") {
  using namespace counting;
  bench on;
  const auto strategy = GENERATE(cairn::one_for_one, cairn::one_for_all);
  const cairn::supervisor_options rules{.strategy = strategy,
                                        .intensity = {.restarts = 2, .within = 10s},
                                        .backoff = {.first = 1s, .most = 1min, .jitter = 0}};
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::supervisor_options how, bench* with) -> cairn::task<int> {
      three of = spawn_three(root.supervise("top", how));
      using step = std::pair<std::chrono::seconds, std::chrono::seconds>;  // rests, and waits
      for (const auto& [rest, delay] : {step{1h, 1s}, step{0s, 2s}, step{1h, 1s}, step{12s, 2s},
                                        step{12s, 4s}, step{12s, 8s}}) {
        with->clock.advance(rest);
        planned.plan(-2, 1);
        of.b.tell<work>(-2);
        auto asked = of.b.ask<look>();
        for (int at = 0; at < 9; ++at) co_await root.sleep(0ns);
        const auto before = with->told.count(event_kind::restarted, "b");
        with->clock.advance(delay - 1ms);
        for (int at = 0; at < 9; ++at) co_await root.sleep(0ns);
        CHECK(with->told.count(event_kind::restarted, "b") == before);
        with->clock.advance(1ms);
        (void)co_await std::move(asked);
        CHECK(with->told.count(event_kind::restarted, "b") == before + 1);
      }
      co_return 0;
    }(top, rules, &on);
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 0);
}
