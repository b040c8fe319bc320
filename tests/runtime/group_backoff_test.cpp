// The backoff of a supervisor that restarts several, or counts them together: a timer of its own,
// while which it does everything else.
#include <cairn/codec.hpp>

#include "supervising.hpp"

namespace tending {

/// A failure that is the matter of the one above.
struct beyond : std::runtime_error {
  beyond() : std::runtime_error{"beyond"} {}
};
struct climber {
  using protocol = cairn::protocol<work, look>;
  bool up = true;
  void serialize(auto& ar) { ar(up); }
  void on(work, cairn::context<climber>& self) {
    if (up && !self.replaying() && once.exchange(false, std::memory_order_relaxed)) throw beyond{};
  }
  int on(look) const { return 0; }
  static inline std::atomic<bool> once{false};  // one thread at a time
};
using backing_off = cairn::actors<member, climber>;

inline cairn::supervisor_options of_group(cairn::restart_strategy strategy,
                                          std::uint32_t restarts) {
  return {.strategy = strategy,
          .intensity = {.restarts = restarts, .within = 1h, .together = true},
          .attempts = 3,
          .backoff = {.first = 1s, .most = 1min, .jitter = 0}};
}

using fixture::come_to_rest;
inline cairn::task<> pass(cairn::root& root, bench* on, std::chrono::nanoseconds span) {
  co_await come_to_rest(root);
  on->clock.advance(span);
  co_await come_to_rest(root);
}

/// What a scene does with three members below a supervisor of these rules.
struct scene {
  bench* on = nullptr;
  cairn::supervisor_options rules{};
};

/// The process dies where the scene ends.
template <class Play>
void play(bench& on, const cairn::supervisor_options& rules, Play scene_of) {
  fixture::crash<backing_off>(on,
                              [&](cairn::root& top) { return scene_of(top, scene{&on, rules}); });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::diverged) == 0);
}

}  // namespace tending

TEST_CASE("children that are counted together and fail together come back together") {
  using namespace tending;
  for (const int value : {-1, -2, -3}) planned.plan(value, value == -3 ? 2 : 1);
  bench on;
  play(on, of_group(cairn::one_for_one, 9), [](cairn::root& root, scene in) -> cairn::task<int> {
    three of = spawn_three(root.supervise("top", in.rules));
    of.a.tell<work>(-1);
    of.b.tell<work>(-2);
    co_await pass(root, in.on, 600ms);
    of.c.tell<work>(-3);
    co_await pass(root, in.on, 399ms);
    CHECK(in.on->told.count(event_kind::failed) == 3);
    CHECK(in.on->told.count(event_kind::restarted) == 0);
    co_await pass(root, in.on, 1ms);
    CHECK(in.on->told.count(event_kind::restarted) == 3);
    // They have shared one backoff: the next one is twice as long.
    CHECK(in.on->told.count(event_kind::failed, "c") == 2);
    co_await pass(root, in.on, 1999ms);
    CHECK(in.on->told.count(event_kind::restarted) == 3);
    co_await pass(root, in.on, 1ms);
    CHECK(in.on->told.count(event_kind::restarted) == 4);
    std::string now = co_await sums(of);
    CHECK(now == "-1 -2 -3");
    co_return 0;
  });
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("a backoff that several share counts each of those that are counted together") {
  using namespace tending;
  for (const int value : {-1, -2}) planned.plan(value, 1);
  bench on;
  play(on, of_group(cairn::one_for_one, 1), [](cairn::root& root, scene in) -> cairn::task<int> {
    three of = spawn_three(root.supervise("top", in.rules));
    of.a.tell<work>(-1);
    co_await come_to_rest(root);
    CHECK(in.on->told.count(event_kind::suspended) == 0);
    of.b.tell<work>(-2);
    co_await come_to_rest(root);
    CHECK(in.on->told.count(event_kind::suspended) == 3);  // at once
    of.door.resume();
    co_await come_to_rest(root);
    std::string now = co_await sums(of);
    CHECK(now == "-1 -2 0");
    const auto before = in.on->told.count(event_kind::restarted);
    co_await pass(root, in.on, 1h);
    CHECK(in.on->told.count(event_kind::restarted) == before);
    co_return 0;
  });
}

TEST_CASE("what fails while its group waits for a backoff is restarted with it, and not counted") {
  using namespace tending;
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  for (const int value : {-1, -2}) planned.plan(value, 1);
  bench on;
  play(on, of_group(strategy, 1), [](cairn::root& root, scene in) -> cairn::task<int> {
    three of = spawn_three(root.supervise("top", in.rules));
    of.a.tell<work>(-1);
    co_await pass(root, in.on, 600ms);
    of.b.tell<work>(-2);
    co_await pass(root, in.on, 399ms);
    CHECK(in.on->told.count(event_kind::restarted) == 0);
    co_await pass(root, in.on, 1ms);
    CHECK(restarted(*in.on) == std::vector<std::string>{"a: the failing turn is tried again",
                                                        "b: with its siblings",
                                                        "c: with its siblings"});
    std::string now = co_await sums(of);
    CHECK(now == "-1 -2 0");
    co_return 0;
  });
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("an elder that fails in the backoff of those after it takes more along, and counts") {
  using namespace tending;
  for (const int value : {-1, -3}) planned.plan(value, 1);
  const std::uint32_t restarts = GENERATE(1U, 2U);
  bench on;
  play(on, of_group(cairn::rest_for_one, restarts),
       [](cairn::root& root, scene in) -> cairn::task<int> {
         three of = spawn_three(root.supervise("top", in.rules));
         of.c.tell<work>(-3);
         co_await pass(root, in.on, 600ms);
         of.a.tell<work>(-1);
         co_await pass(root, in.on, 400ms);
         const bool few = in.rules.intensity.restarts == 1;
         CHECK(in.on->told.count(event_kind::suspended) == (few ? 3 : 0));
         CHECK(restarted(*in.on) ==
               (few ? std::vector<std::string>{}
                    : std::vector<std::string>{"a: the failing turn is tried again",
                                               "b: with its siblings", "c: with its siblings"}));
         if (few) co_return 0;
         std::string now = co_await sums(of);
         CHECK(now == "-1 0 -3");
         co_return 0;
       });
}

TEST_CASE("a stop does not wait for the backoff of a group") {
  using namespace tending;
  const auto strategy = GENERATE(cairn::one_for_one, cairn::one_for_all, cairn::rest_for_one);
  planned.plan(-2, 1);
  bench on;
  play(on, of_group(strategy, 1), [](cairn::root& root, scene in) -> cairn::task<int> {
    three of = spawn_three(root.supervise("top", in.rules));
    of.b.tell<work>(-2);
    co_await come_to_rest(root);
    CHECK(in.on->told.count(event_kind::failed, "b") == 1);
    of.a.tell<work>(1);
    of.door.stop();
    co_await come_to_rest(root);
    CHECK(in.on->told.count(event_kind::stopped, "top") == 1);
    co_await pass(root, in.on, 1h);
    CHECK(in.on->told.count(event_kind::restarted) == 0);
    co_return 0;
  });
  const auto letters = on.told.of(event_kind::dead_letter);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.text == "fault -2");
}

TEST_CASE("who waits for the backoff of a group goes on when the one above restarts it") {
  using namespace tending;
  planned.plan(-1, 1);
  climber::once.store(true, std::memory_order_relaxed);  // no system runs
  bench on;
  play(on, of_group(cairn::one_for_all, 1).on<beyond>(cairn::escalate),
       [](cairn::root& root, scene in) -> cairn::task<int> {
         const cairn::supervisor door = root.supervise("house").supervise("room", in.rules);
         const auto a = door.spawn<member>("a", "a");
         const auto b = door.spawn<climber>("b");
         a.tell<work>(-1);
         co_await come_to_rest(root);
         b.tell<work>(0);
         co_await come_to_rest(root);
         CHECK(restarted(*in.on) ==
               std::vector<std::string>{"a: with its siblings", "b: with its siblings"});
         const int sum = co_await a.ask<look>();
         CHECK(sum == -1);
         co_await pass(root, in.on, 1h);
         CHECK(in.on->told.count(event_kind::restarted) == 2);
         co_return 0;
       });
}

TEST_CASE("the backoff of a group, and who waits for it, outlive a crash") {
  using namespace tending;
  for (const int value : {-1, -2}) planned.plan(value, 1);
  const auto strategy = GENERATE(cairn::one_for_one, cairn::one_for_all);
  bench on;
  play(on, of_group(strategy, 2), [](cairn::root& root, scene in) -> cairn::task<int> {
    three of = spawn_three(root.supervise("top", in.rules));
    of.a.tell<work>(-1);
    of.b.tell<work>(-2);
    co_await pass(root, in.on, 600ms);
    co_await root.checkpoint();
    co_return 0;
  });
  CHECK(on.told.count(event_kind::restarted) == 0);
  play(on, of_group(strategy, 2), [](cairn::root& root, scene in) -> cairn::task<int> {
    three of = spawn_three(root.supervise("top", in.rules));
    co_await pass(root, in.on, 399ms);
    CHECK(in.on->told.count(event_kind::restarted) == 0);
    co_await pass(root, in.on, 1ms);
    CHECK(in.on->told.count(event_kind::restarted, "a") == 1);
    CHECK(in.on->told.count(event_kind::restarted, "b") == 1);
    std::string now = co_await sums(of);
    CHECK(now == "-1 -2 0");
    co_return 0;
  });
  CHECK(on.told.count(event_kind::suspended) == 0);
}

namespace tending {

/// As they were written before supervisors had timers.
struct older_failure {
  cairn::actor_id who{};
  std::uint32_t slot_index = 0;
  cairn::decision what = cairn::decision::restart;
  std::uint32_t levels = 0;
  std::string text{};
  void serialize(auto& ar) { ar(who, slot_index, what, levels, text); }
};
struct older_supervisor {
  cairn::detail::supervision rules{};
  std::vector<std::int64_t> restarts{};
  void save(auto& ar) const {
    rules.save(ar);
    ar(restarts);
  }
  void load(auto& ar) {
    rules.load(ar);
    ar(restarts);
  }
};

}  // namespace tending

TEST_CASE("a handler that slept for a group's backoff in an older store is run again as it was") {
  using namespace tending;
  cairn::detail::buffer bytes;
  cairn::encode(older_failure{cairn::actor_id{7}, 3, cairn::decision::restart, 1, "why"}, bytes);
  cairn::detail::child_failed told;
  cairn::detail::decode_written(told, bytes.view(), 0);
  CHECK(told.who == cairn::actor_id{7});
  CHECK(told.text == "why");
  CHECK(told.slept_for);
  // A later snapshot has the same.
  cairn::detail::buffer again;
  cairn::encode(told, again);
  CHECK(cairn::decode<cairn::detail::child_failed>(again.view()).slept_for);

  bytes.clear();
  cairn::encode(older_supervisor{of_group(cairn::one_for_all, 5), {1, 2, 3}}, bytes);
  cairn::detail::supervisor_actor state;
  cairn::detail::decode_written(state, bytes.view(), 0);
  REQUIRE(state.rows.size() == 1);
  CHECK(state.rows[0].whose == cairn::actor_id{});
  CHECK(state.rows[0].restarts.size() == 3);
  CHECK(state.rows[0].backoffs == 3);
  CHECK(state.rows[0].waiting.empty());
}
