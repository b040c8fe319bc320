// Supervisors with more children than one handler's record may hold: what they do to them takes
// several handlers, one at once after the other, and comes to the same.
#include <cairn/supervisor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "supervising.hpp"

namespace crowded {

using namespace tending;

constexpr int children = 2'000;

/// A record holds what some sixty of them come to.
cairn::options bounded(bench& on) {
  auto chosen = on.options();
  chosen.max_history = std::size_t{64} * 1024;
  return chosen;
}

struct crowd {
  cairn::supervisor door{};
  std::vector<cairn::ref<member>> all{};
};
crowd spawn_crowd(cairn::root& root, cairn::supervisor_options rules, int of = children) {
  crowd made{root.supervise("top", rules), {}};
  for (int at = 0; at < of; ++at) {
    const std::string name = "m" + std::to_string(at);
    made.all.push_back(made.door.spawn<member>(name, name));
  }
  return made;
}

std::vector<std::string> named(int from, int to, const std::string& before = {}) {
  std::vector<std::string> all;
  const int step = from < to ? 1 : -1;
  for (int at = from; at != to; at += step) all.push_back(before + "m" + std::to_string(at));
  return all;
}

std::vector<std::string> names_of(const bench& on, event_kind what) {
  std::vector<std::string> names;
  for (const auto& each : on.told.of(what)) names.push_back(each.what.name);
  return names;
}

void check_no_handler_given_up(const bench& on) {
  CHECK(on.told.count(event_kind::given_up, "top") == 0);
  CHECK(on.told.count(event_kind::failed, "top") == 0);
}

/// Until it is stopped, or nobody will.
cairn::task<> until_gone(cairn::ref<member> whom, cairn::root* root, const bench* on) {
  for (;;) {
    auto there = co_await whom.ask<look>().as_result();
    if (there.code() == errc::stopped || on->told.count(event_kind::given_up) != 0) co_return;
    co_await root->checkpoint();  // what was cut meanwhile is in a snapshot
  }
}

}  // namespace crowded

TEST_CASE("a supervisor of many stops them all in reverse, also over a crash in the middle") {
  using namespace crowded;
  bench on;
  on.workers = GENERATE(1U, 3U);
  const bool crashes = GENERATE(false, true);
  planned.clear();
  const auto stop = [](cairn::root& root, const bench* with, bool half) -> cairn::task<int> {
    const crowd of = spawn_crowd(root, {});
    const std::size_t last = half ? of.all.size() / 2 : 0;
    if (!root.restored()) {
      // The words to stop wait behind one in the middle, by a clock that stands, until the crash.
      if (half) of.all[last - 1].tell<nap>(1);
      (void)co_await of.all[last].ask<look>();
      co_await root.checkpoint();
      of.door.stop();
    }
    co_await until_gone(of.all[last], &root, with);
    co_return 0;
  };
  if (crashes) {
    fixture::crash<all>(bounded(on), [&](cairn::root& root) { return stop(root, &on, true); });
    CHECK(on.told.count(event_kind::stopped, "m0") == 0);
  } else {
    fixture::crash<all>(bounded(on), [&](cairn::root& root) { return stop(root, &on, false); });
    auto seen = names_of(on, event_kind::stopped);
    std::erase(seen, "top");
    CHECK(seen == named(children - 1, -1));
  }
  if (crashes) {
    fixture::crash<all>(bounded(on), [&](cairn::root& root) -> cairn::task<int> {
      return [](cairn::root& top, bench* with) -> cairn::task<int> {
        const auto door = top.supervise("top");
        const auto first = door.spawn<member>("m0", "m0");
        while (with->told.count(event_kind::stopped, "m0") == 0) {
          with->clock.advance(1s);
          co_await top.checkpoint();
        }
        co_await until_gone(first, &top, with);
        while (with->told.count(event_kind::stopped, "top") == 0) co_await top.checkpoint();
        co_return 0;
      }(root, &on);
    });
    CHECK(on.told.count(event_kind::stopped, "m0") == 1);
    CHECK(on.told.of(event_kind::stopped).back().what.name == "top");
  }
  check_no_handler_given_up(on);
}

TEST_CASE("all of many siblings are restarted, in their order, and the failing turn goes on") {
  using namespace crowded;
  bench on;
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  const bool fresh = GENERATE(false, true);
  planned.clear();
  planned.plan(-2, 1);
  fixture::crash<all>(bounded(on), [&](cairn::root& top) {
    return [](cairn::root& root, cairn::supervisor_options rules,
              const bench* with) -> cairn::task<int> {
      const crowd of = spawn_crowd(root, rules);
      (void)co_await of.all.back().ask<look>();
      done.clear();
      of.all[children / 2].tell<work>(-2);
      (void)co_await of.all[children / 2].ask<look>().as_result();
      while (with->told.count(event_kind::restarted, "m" + std::to_string(children - 1)) == 0 &&
             with->told.count(event_kind::given_up) == 0) {
        co_await root.checkpoint();
      }
      co_return 0;
    }(top,
                                 {.strategy = strategy,
                                  .siblings = fresh ? cairn::sibling_restart::fresh
                                                    : cairn::sibling_restart::restored},
                                 &on);
  });
  check_no_handler_given_up(on);
  const bool whole = strategy == cairn::one_for_all;
  CHECK(names_of(on, event_kind::restarted) == named(whole ? 0 : children / 2, children));
}

TEST_CASE("many are suspended and go on together") {
  using namespace crowded;
  bench on;
  planned.clear();
  planned.plan(-2, 1);
  fixture::crash<all>(bounded(on), [&](cairn::root& top) {
    return [](cairn::root& root, const bench* with) -> cairn::task<int> {
      const crowd of =
          spawn_crowd(root, {.strategy = cairn::one_for_all, .intensity = {.restarts = 0}});
      of.all.back().tell<work>(-2);
      (void)co_await of.all.back().ask<look>().as_result();
      while (with->told.count(event_kind::suspended) < children &&
             with->told.count(event_kind::given_up) == 0) {
        co_await root.checkpoint();
      }
      of.door.resume();
      for (const auto& each : of.all) {
        auto there = co_await each.ask<look>().as_result();
        while (!there && with->told.count(event_kind::given_up) == 0) {
          there = co_await each.ask<look>().as_result();
        }
      }
      co_return 0;
    }(top, &on);
  });
  check_no_handler_given_up(on);
  CHECK(names_of(on, event_kind::suspended) == named(0, children));
  CHECK(names_of(on, event_kind::resumed) == named(0, children));
}

TEST_CASE("who waits until a supervisor of many has stopped is told then, and not before") {
  using namespace crowded;
  bench on;
  planned.clear();
  fixture::crash<all>(bounded(on), [&](cairn::root& top) {
    return [](cairn::root& root, const bench* with) -> cairn::task<int> {
      const auto house = root.supervise("house");
      const auto elder = house.spawn<member>("elder", "elder");
      const auto room = house.supervise("room");
      for (int at = 0; at < children; ++at) {
        const std::string name = "m" + std::to_string(at);
        (void)room.spawn<member>(name, name);
      }
      (void)co_await elder.ask<look>();
      co_await root.checkpoint();
      house.stop();
      co_await until_gone(elder, &root, with);
      co_return 0;
    }(top, &on);
  });
  check_no_handler_given_up(on);
  auto expected = named(children - 1, -1);
  expected.insert(expected.end(), {"room", "elder"});
  auto seen = names_of(on, event_kind::stopped);
  std::erase(seen, "house");
  CHECK(seen == expected);
}

TEST_CASE("a log that counts more children than it has ends there") {
  namespace detail = cairn::detail;
  detail::cell one;
  one.saved = std::make_unique<detail::recovery>();
  const std::uint64_t count = std::uint64_t{1} << 40U;
  one.saved->log.append_value(0, std::as_bytes(std::span{&count, 1}));
  detail::turn here;
  here.self = &one;
  detail::replay_log::cursor at{};
  here.replay = &at;
  const detail::scoped_current<detail::turn> scope{detail::current_turn, &here};
  const auto any = [](cairn::actor_id) { return true; };
  CHECK_THROWS_AS(detail::wards_of(one, 1, true, any, any), cairn::error);
}
