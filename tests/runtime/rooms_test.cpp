// Supervisors below a supervisor, as its children: how their failures count, what waits for them,
// and that they are restarted among siblings. And permanent children in a group.
#include <cairn/supervisor.hpp>

#include <cairn/codec.hpp>

#include "supervising.hpp"

namespace rooms {

using namespace tending;

/// A failure that is the matter of the one above.
struct beyond : std::runtime_error {
  beyond() : std::runtime_error{"beyond"} {}
};
struct climber {
  using protocol = cairn::protocol<work, look>;
  std::string name{};
  int sum = 0;
  void serialize(auto& ar) { ar(name, sum); }
  void on_start(cairn::context<climber>&) { done.add("start " + name); }
  void on(work what) {
    sum += what.value;
    try {
      planned.check(what.value);
    } catch (const std::runtime_error&) {
      throw beyond{};
    }
  }
  int on(look) const { return sum; }
};
using housed = cairn::actors<member, climber>;

inline const cairn::supervisor_options passing_up =
    cairn::supervisor_options{.attempts = 5}.on<beyond>(cairn::escalate);

struct scene {
  bench* on = nullptr;
  cairn::supervisor_options rules{};
};
/// The process dies where the scene ends.
template <class Play>
void play(bench& on, const cairn::supervisor_options& rules, Play scene_of) {
  done.clear();
  fixture::crash<housed>(on, [&](cairn::root& top) { return scene_of(top, scene{&on, rules}); });
}

using fixture::come_to_rest;
inline cairn::task<> pass(cairn::root& root, bench* on, std::chrono::nanoseconds span) {
  co_await come_to_rest(root);
  on->clock.advance(span);
  co_await come_to_rest(root);
}
inline cairn::task<errc> answer_of(cairn::ref<member> whom) {
  auto answer = co_await whom.ask<look>().as_result();
  co_return answer ? errc::ok : answer.code();
}
inline std::vector<std::string> names(const bench& on, event_kind kind) {
  std::vector<std::string> found;
  for (const auto& each : on.told.of(kind)) found.push_back(each.what.name);
  return found;
}

TEST_CASE("under one_for_one too many restarts of a supervisor below concern it alone") {
  planned.plan(-1, 1);
  planned.plan(-2, 1);
  bench on;
  const auto exceeded = GENERATE(cairn::suspend, cairn::stop);
  play(on, {.intensity = {.restarts = 1, .within = 1h}, .exceeded = exceeded},
       [](cairn::root& root, scene in) -> cairn::task<int> {
         const auto house = root.supervise("house", in.rules);
         const auto other = house.spawn<member>("other", "other");
         const auto room = house.supervise("room", passing_up);
         const auto x = room.spawn<climber>("x", "x");
         room.spawn<climber>("y", "y");
         x.tell<work>(-1);
         co_await come_to_rest(root);
         x.tell<work>(-2);
         co_await come_to_rest(root);
         const errc now = co_await answer_of(other);
         CHECK(now == errc::ok);
         co_return 0;
       });
  INFO(on.told.text());
  const bool stops = exceeded == cairn::stop;
  CHECK(names(on, event_kind::suspended) ==
        (stops ? std::vector<std::string>{} : std::vector<std::string>{"x", "y"}));
  CHECK(names(on, event_kind::stopped) ==
        (stops ? std::vector<std::string>{"y", "x", "room"} : std::vector<std::string>{}));
  if (!stops) {
    CHECK(on.told.of(event_kind::suspended, "y")[0].what.text ==
          "more restarts than 1; the last failure: beyond");
  }
}

TEST_CASE("supervisors below one_for_one count each by itself, and have each a backoff") {
  planned.plan(-1, 1);
  planned.plan(-2, 1);
  bench on;
  play(on,
       {.intensity = {.restarts = 1, .within = 1h},
        .backoff = {.first = 10s, .most = 10s, .jitter = 0}},
       [](cairn::root& root, scene in) -> cairn::task<int> {
         const auto house = root.supervise("house", in.rules);
         const auto x = house.supervise("first", passing_up).spawn<climber>("x", "x");
         const auto y = house.supervise("second", passing_up).spawn<climber>("y", "y");
         x.tell<work>(-1);
         co_await pass(root, in.on, 9s);
         y.tell<work>(-2);
         co_await pass(root, in.on, 1s);
         CHECK(names(*in.on, event_kind::restarted) == std::vector<std::string>{"x"});
         co_await pass(root, in.on, 8999ms);
         CHECK(names(*in.on, event_kind::restarted) == std::vector<std::string>{"x"});
         co_await pass(root, in.on, 1ms);
         CHECK(names(*in.on, event_kind::restarted) == std::vector<std::string>{"x", "y"});
         co_return 0;
       });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("who fails below a supervisor that waits for its backoff comes back with it") {
  planned.plan(-1, 1);
  planned.plan(-2, 1);
  bench on;
  const cairn::supervisor_options rules{.intensity = {.restarts = 1, .within = 1h},
                                        .backoff = {.first = 10s, .most = 10s, .jitter = 0}};
  play(on, rules, [](cairn::root& root, scene in) -> cairn::task<int> {
    const auto room = root.supervise("house", in.rules).supervise("room", passing_up);
    const auto x = room.spawn<climber>("x", "x");
    const auto y = room.spawn<climber>("y", "y");
    x.tell<work>(-1);
    co_await pass(root, in.on, 6s);
    y.tell<work>(-2);
    co_await come_to_rest(root);
    co_await root.checkpoint();
    co_return 0;
  });
  CHECK(on.told.count(event_kind::failed) == 2);
  CHECK(on.told.count(event_kind::restarted) == 0);
  play(on, rules, [](cairn::root& root, scene in) -> cairn::task<int> {
    const auto room = root.supervise("house", in.rules).supervise("room", passing_up);
    const auto x = room.spawn<climber>("x", "x");
    const auto y = room.spawn<climber>("y", "y");
    co_await pass(root, in.on, 3999ms);
    CHECK(in.on->told.count(event_kind::restarted) == 0);
    co_await pass(root, in.on, 1ms);
    CHECK(names(*in.on, event_kind::restarted) == std::vector<std::string>{"x", "y"});
    const int sum = co_await x.ask<look>();
    const int other = co_await y.ask<look>();
    CHECK(sum + other == -3);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("a permanent child of a group that stops itself begins at once, its siblings with it") {
  bench on;
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  play(on, {.strategy = strategy, .backoff = {.first = 1h, .most = 1h, .jitter = 0}},
       [](cairn::root& root, scene in) -> cairn::task<int> {
         const auto house = root.supervise("house", in.rules);
         house.spawn<member>("a", "a");
         const auto p = house.with({.restart = cairn::permanent}).spawn<member>("p", "p", 5);
         house.spawn<member>("c", "c");
         co_await come_to_rest(root);
         done.clear();
         p.tell<work>(1);
         p.tell<end>();
         p.tell<work>(10);
         co_await come_to_rest(root);
         const int sum = co_await p.ask<look>();
         CHECK(sum == 15);
         co_return 0;
       });
  const bool all = strategy == cairn::one_for_all;
  CHECK(restarted(on) ==
        (all ? std::vector<std::string>{"p: fresh", "a: with its siblings", "c: with its siblings"}
             : std::vector<std::string>{"p: fresh", "c: with its siblings"}));
  auto expected =
      std::vector<std::string>{"end p", "end a", "start a", "start p", "end c", "start c"};
  if (!all) expected = {"end p", "start p", "end c", "start c"};
  CHECK(done.lines() == expected);
}

TEST_CASE("a permanent child does not wait for the backoff that a sibling's failure began") {
  planned.plan(-1, 1);
  bench on;
  play(on,
       {.strategy = cairn::one_for_all,
        .intensity = {.restarts = 1, .within = 5h},
        .backoff = {.first = 1h, .most = 1h, .jitter = 0}},
       [](cairn::root& root, scene in) -> cairn::task<int> {
         const auto house = root.supervise("house", in.rules);
         const auto a = house.spawn<member>("a", "a");
         const auto p = house.with({.restart = cairn::permanent}).spawn<member>("p", "p", 5);
         a.tell<work>(-1);
         co_await come_to_rest(root);
         p.tell<end>();
         p.tell<work>(10);
         co_await come_to_rest(root);
         CHECK(restarted(*in.on) == std::vector<std::string>{"p: fresh"});
         const int sum = co_await p.ask<look>();
         CHECK(sum == 15);
         co_await pass(root, in.on, 1h);
         CHECK(restarted(*in.on) == std::vector<std::string>{"p: fresh",
                                                             "a: the failing turn is tried again",
                                                             "p: with its siblings"});
         co_return 0;
       });
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("who fails in a supervisor below at the same time as its sibling does not count again") {
  planned.plan(-1, 1);
  planned.plan(-2, 1);
  planned.plan(-3, 1);
  bench on;
  play(on, {.strategy = cairn::one_for_all, .intensity = {.restarts = 1, .within = 1h}},
       [](cairn::root& root, scene in) -> cairn::task<int> {
         const auto house = root.supervise("house", in.rules);
         const auto c = house.spawn<member>("c", "c");
         const auto room = house.supervise("room", passing_up);
         const auto x = room.spawn<climber>("x", "x");
         const auto y = room.spawn<climber>("y", "y");
         co_await come_to_rest(root);
         c.tell<work>(-1);
         x.tell<work>(-2);
         y.tell<work>(-3);
         co_await come_to_rest(root);
         const int sum = co_await x.ask<look>();
         CHECK(sum == -2);
         CHECK(in.on->told.count(event_kind::suspended) == 0);
         // What fails afterwards is another failure.
         planned.plan(-4, 1);
         x.tell<work>(-4);
         co_await come_to_rest(root);
         CHECK(in.on->told.count(event_kind::suspended) == 3);
         co_return 0;
       });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::failed) == 4);
}

TEST_CASE("a supervisor among siblings is restarted with them, whole") {
  planned.plan(-1, 1);
  bench on;
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  play(on, {.strategy = strategy}, [](cairn::root& root, scene in) -> cairn::task<int> {
    const auto house = root.supervise("house", in.rules);
    house.supervise("elder").spawn<member>("e", "e");
    const auto c = house.spawn<member>("c", "c");
    const auto room = house.supervise("room");
    room.spawn<member>("x", "x");
    room.spawn<member>("y", "y");
    c.tell<work>(-1);
    co_await come_to_rest(root);
    co_return 0;
  });
  auto expected = std::vector<std::string>{"c", "x", "y"};
  if (strategy == cairn::one_for_all) expected.insert(expected.begin(), "e");
  CHECK(names(on, event_kind::restarted) == expected);
}

TEST_CASE("to resume a supervisor resumes what is below one below it, and forgets its restarts") {
  for (const int value : {-1, -2}) planned.plan(value, 1);
  bench on;
  play(on, {.strategy = cairn::one_for_all, .intensity = {.restarts = 1, .within = 1h}},
       [](cairn::root& root, scene in) -> cairn::task<int> {
         const auto house = root.supervise("house");
         const auto x = house.supervise("room", in.rules).spawn<member>("x", "x");
         x.tell<work>(-1);
         co_await come_to_rest(root);
         x.tell<work>(-2);
         co_await come_to_rest(root);
         const errc held = co_await answer_of(x);
         CHECK(held != errc::ok);
         house.resume();
         co_await come_to_rest(root);
         planned.plan(-4, 1);
         x.tell<work>(-4);
         co_await come_to_rest(root);
         const int sum = co_await x.ask<look>();
         CHECK(sum == -7);
         co_return 0;
       });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 1);
}

}  // namespace rooms
