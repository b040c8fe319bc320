// A message whose failure stops its actor is kept as a dead letter with its error, whoever has
// decided that.
#include <cairn/supervisor.hpp>

#include <string>

#include "supervising.hpp"

namespace tending {

enum class decider { own_rule, one_above, too_many, too_many_of_a_group, while_it_waits };

inline cairn::supervisor room_of(cairn::root& root, decider how) {
  cairn::supervisor_options rules{.intensity = {.restarts = 0, .within = 1h},
                                  .exceeded = cairn::stop};
  cairn::supervisor_options above;
  if (how == decider::own_rule) rules = rules.on<std::runtime_error>(cairn::stop);
  if (how == decider::one_above) {
    rules = rules.on<std::runtime_error>(cairn::escalate);
    above = above.on<std::runtime_error>(cairn::stop);
  }
  if (how == decider::too_many_of_a_group) rules.strategy = cairn::one_for_all;
  if (how == decider::while_it_waits) {
    rules.intensity.restarts = 9;
    rules.backoff = {.first = 9h, .most = 9h};
  }
  return root.supervise("house", above).supervise("room", rules);
}

/// What the store keeps once the actor has failed and stopped, and what its asker was told.
inline cairn::task<int> fail_and_stop(cairn::root& root, bench* on, decider how, bool late) {
  auto it = room_of(root, how).spawn<member>("it", "it");
  if (late) {
    it.tell<nap>(-2);
  } else {
    it.tell<work>(-2);
  }
  it.tell<work>(5);
  for (int at = 0; at < 20; ++at) co_await root.sleep(0ns);
  if (how == decider::while_it_waits) it.stop();
  auto gone = co_await it.ask<look>().as_result();
  while (on->told.count(event_kind::stopped, "it") == 0) co_await root.sleep(0ns);
  CHECK(gone.code() == errc::stopped);
  const auto kept = co_await root.dead_letters();
  REQUIRE(kept.letters.size() == 1);
  CHECK(kept.letters[0].letter.text == "fault -2");
  CHECK(kept.letters[0].letter.code == errc::failed);
  CHECK(kept.letters[0].letter.message == (late ? "tending::nap" : "tending::work"));
  CHECK(kept.letters[0].letter.at == cairn::position{1});
  CHECK(on->told.of(event_kind::dead_letter, "it").at(0).letter.text == "fault -2");
  co_return 0;
}

}  // namespace tending

TEST_CASE("a message that fails and stops its actor is kept with its error, whoever decides so") {
  using namespace tending;
  planned.clear();
  planned.plan(-2, 1);
  bench on;
  const auto how = GENERATE(decider::own_rule, decider::one_above, decider::too_many,
                            decider::too_many_of_a_group, decider::while_it_waits);
  const bool late = GENERATE(false, true);
  fixture::crash<all>(on, [&](cairn::root& root) { return fail_and_stop(root, &on, how, late); });
}

TEST_CASE("over a crash a failed message that waits is kept, too, if its actor stops") {
  using namespace tending;
  planned.clear();
  planned.plan(-2, 1);
  bench on;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto it = room_of(root, decider::while_it_waits).spawn<member>("it", "it");
    it.tell<work>(-2);
    while (on.told.count(event_kind::failed, "it") == 0) co_await root.sleep(0ns);
    co_await root.checkpoint();
    co_return 0;
  });
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto it = room_of(root, decider::while_it_waits).spawn<member>("it", "it");
    it.stop();
    auto gone = co_await it.ask<look>().as_result();
    CHECK(gone.code() == errc::stopped);
    const auto kept = co_await root.dead_letters();
    REQUIRE(kept.letters.size() == 1);
    CHECK(kept.letters[0].letter.message == "tending::work");
    co_return 0;
  });
}

TEST_CASE("a failed message whose replay fails is kept with its own error, if its actor stops") {
  using namespace tending;
  planned.clear();
  bench on;
  const bool late = GENERATE(false, true);
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("room", {.exceeded = cairn::stop}).spawn<member>("it", "it");
    it.tell<work>(3);
    (void)co_await it.ask<look>();
    planned.plan(3, 100);  // from now on, where it is run again
    planned.plan(-2, 1);
    if (late) {
      it.tell<nap>(-2);
    } else {
      it.tell<work>(-2);
    }
    while (on.told.count(event_kind::stopped, "it") == 0) co_await root.sleep(0ns);
    const auto kept = co_await root.dead_letters();
    REQUIRE(kept.letters.size() == 1);
    CHECK(kept.letters[0].letter.text == "fault -2");
    CHECK(kept.letters[0].letter.message == (late ? "tending::nap" : "tending::work"));
    CHECK(kept.letters[0].letter.payload.size() > sizeof(int));
    co_return 0;
  });
}

TEST_CASE("a failed handler that was not run again is kept if its actor stops, not what waits") {
  using namespace tending;
  planned.clear();
  planned.plan(-2, 1);
  bench on;
  cairn::supervisor_options rules{.strategy = cairn::one_for_all, .intensity = {.restarts = 0}};
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("room", rules).spawn<member>("it", "it");
    it.tell<nap>(-2);
    it.tell<work>(5);
    while (on.told.count(event_kind::suspended, "it") == 0) co_await root.sleep(0ns);
    co_await root.checkpoint();
    co_return 0;
  });
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("room", rules).spawn<member>("it", "it");
    it.stop();
    auto gone = co_await it.ask<look>().as_result();
    CHECK(gone.code() == errc::stopped);
    const auto kept = co_await root.dead_letters();
    REQUIRE(kept.letters.size() == 1);
    CHECK(kept.letters[0].letter.message == "tending::nap");
    CHECK(kept.letters[0].letter.code == errc::failed);
    co_return 0;
  });
}
