// Supervisors below that the store gave back, and that the program has not declared yet: what comes
// of a failure that their process before has passed up, and that waits in the one above.
#include <cairn/supervisor.hpp>

#include <cairn/codec.hpp>

#include "supervising.hpp"

namespace sleeping_rooms {

using namespace tending;

/// Failures that are the matter of the one above.
struct beyond : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct hopeless : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct climber {
  using protocol = cairn::protocol<work, look>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on(work what) {
    sum += what.value;
    if (what.value == -1) throw hopeless{"hopeless"};
    try {
      planned.check(what.value);
    } catch (const std::runtime_error&) {
      throw beyond{"beyond"};
    }
  }
  int on(look) const { return sum; }
};
using housed = cairn::actors<member, climber>;

const cairn::supervisor_options passing_up = cairn::supervisor_options{.attempts = 5}
                                                 .on<beyond>(cairn::escalate)
                                                 .on<hopeless>(cairn::escalate);

struct scene {
  bench* on = nullptr;
  cairn::supervisor_options rules{};
  errc of_others = errc::ok;  ///< what becomes of those that have not failed
};
template <class Play>
void play(bench& on, const cairn::supervisor_options& rules, Play scene_of,
          errc of_others = errc::ok) {
  const scene in{&on, rules, of_others};
  fixture::crash<housed>(on, [&](cairn::root& top) { return scene_of(top, in); });
}

using fixture::come_to_rest;
cairn::task<> pass(cairn::root& root, bench* on, std::chrono::nanoseconds span) {
  co_await come_to_rest(root);
  on->clock.advance(span);
  co_await come_to_rest(root);
}
template <class Actor>
cairn::task<errc> answer_of(cairn::ref<Actor> whom) {
  auto asked = whom.template ask<look>().as_result();
  const auto answer = co_await std::move(asked);
  co_return answer ? errc::ok : answer.code();
}
std::vector<std::string> names(const bench& on, event_kind kind) {
  std::vector<std::string> found;
  for (const auto& each : on.told.of(kind)) found.push_back(each.what.name);
  return found;
}

/// The house waits for a room that it stops, which takes an hour: until then what another one has
/// passed up waits in its mailbox, also in the snapshot.
cairn::task<int> fail_behind_a_stop(cairn::root& root, scene in) {
  const auto house = root.supervise("house", in.rules);
  house.spawn<member>("other", "other");
  const auto slow = house.supervise("slow", passing_up);
  slow.with({.shutdown = 10h}).spawn<member>("sleeper", "sleeper").tell<nap>(1);
  const auto last = slow.spawn<climber>("last");
  const auto x = house.supervise("room", passing_up).spawn<climber>("x");
  co_await come_to_rest(root);
  last.tell<work>(-1);
  co_await come_to_rest(root);
  planned.plan(-2, 1);
  x.tell<work>(-2);
  co_await come_to_rest(root);
  co_await root.checkpoint();
  co_return 0;
}

/// The program has not declared the room when the house comes to what it has passed up; then it
/// does.
cairn::task<int> wake_late(cairn::root& root, scene in) {
  const auto house = root.supervise("house", in.rules);
  const auto other = house.spawn<member>("other", "other");
  house.supervise("slow", passing_up);
  co_await pass(root, in.on, 1h);
  CHECK(in.on->told.count(event_kind::stopped, "slow") == 1);
  co_await pass(root, in.on, 10s);  // the backoff, where there is one
  const errc meanwhile = co_await answer_of(other);
  CHECK(meanwhile == in.of_others);
  CHECK(in.on->told.count(event_kind::suspended) == (in.of_others == errc::ok ? 0 : 1));
  if (in.on->told.count(event_kind::stopped, "room") != 0) co_return 0;
  const auto x = house.supervise("room", passing_up).spawn<climber>("x");
  co_await come_to_rest(root);
  const errc then = co_await answer_of(x);
  CHECK(then == (in.on->told.count(event_kind::suspended, "x") == 0 ? errc::ok : errc::failed));
  const errc after = co_await answer_of(other);
  CHECK(after == in.of_others);
  co_return 0;
}

using names_list = std::vector<std::string>;

TEST_CASE("a room that sleeps when its failure is decided on is suspended alone, once declared") {
  const auto strategy = GENERATE(cairn::one_for_one, cairn::one_for_all, cairn::rest_for_one);
  bench on;
  const auto rules = cairn::supervisor_options{.strategy = strategy}
                         .on<beyond>(cairn::suspend)
                         .on<hopeless>(cairn::stop);
  play(on, rules, fail_behind_a_stop);
  CHECK(on.told.count(event_kind::suspended) == 0);
  play(on, rules, wake_late);
  INFO(on.told.text());
  CHECK(names(on, event_kind::suspended) == names_list{"x"});
  CHECK(names(on, event_kind::restarted).empty());
}

TEST_CASE("a room that sleeps when its failure is decided on is restarted, once declared") {
  const auto strategy = GENERATE(cairn::one_for_one, cairn::one_for_all);
  const auto first = GENERATE(0s, 10s);
  bench on;
  const auto rules =
      cairn::supervisor_options{.strategy = strategy, .backoff = {.first = first, .jitter = 0}}
          .on<hopeless>(cairn::stop);
  play(on, rules, fail_behind_a_stop);
  CHECK(on.told.count(event_kind::restarted) == 0);
  play(on, rules, wake_late);
  INFO(on.told.text());
  CHECK(names(on, event_kind::restarted) ==
        (strategy == cairn::one_for_all ? names_list{"other", "x"} : names_list{"x"}));
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("a room that sleeps when its failure is decided on is stopped where the rules say so") {
  bench on;
  const auto rules = cairn::supervisor_options{}.on<beyond>(cairn::stop).on<hopeless>(cairn::stop);
  play(on, rules, fail_behind_a_stop);
  play(on, rules, wake_late);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::stopped, "room") == 1);
  CHECK(on.told.count(event_kind::stopped, "x") == 1);
  CHECK(on.told.count(event_kind::stopped, "other") == 0);
}

TEST_CASE("a room that sleeps is suspended with the others where nobody is above, once declared") {
  const bool often = GENERATE(false, true);
  bench on;
  auto rules = cairn::supervisor_options{.strategy = cairn::one_for_all}.on<hopeless>(cairn::stop);
  if (often) rules.intensity.restarts = 0;
  if (!often) rules = rules.on<beyond>(cairn::escalate);
  play(on, rules, fail_behind_a_stop);
  play(on, rules, wake_late, errc::failed);
  INFO(on.told.text());
  CHECK(names(on, event_kind::suspended) == names_list{"other", "x"});
  CHECK(on.told.count(event_kind::restarted) == 0);
}

TEST_CASE("a failure of somebody who is there no more suspends nobody else") {
  const auto strategy = GENERATE(cairn::one_for_one, cairn::one_for_all);
  bench on;
  play(on, {.strategy = strategy}, [](cairn::root& root, scene in) -> cairn::task<int> {
    const auto house = root.supervise("house", in.rules);
    const auto other = house.spawn<member>("other", "other");
    co_await come_to_rest(root);
    cairn::detail::child_failed what;
    what.who = cairn::actor_id{1'000'000};
    what.what = cairn::decision::suspend;
    cairn::detail::turn_here("the test")
        .send(cairn::detail::make_note(what), other.where().where->parent);
    co_await come_to_rest(root);
    const errc now = co_await answer_of(other);
    CHECK(now == errc::ok);
    co_return 0;
  });
  CHECK(on.told.count(event_kind::suspended) == 0);
}

}  // namespace sleeping_rooms
