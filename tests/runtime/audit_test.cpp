// Handlers run again in the background: who is deterministic is not heard of, who is not is named.
#include <limits>
#include <string>

#include <cairn/testing/simulation.hpp>

#include "auditing.hpp"

namespace audited {

cairn::supervisor_options generous() { return {.intensity = {.restarts = 1000}}; }

cairn::options with_audit(bench& on, double share) {
  again = opened = closed = runs_outside = 0;
  world_outside = 0;
  planned.clear();
  cairn::options chosen = on.options();
  chosen.audit = share;
  return chosen;
}

/// At least one audit comes in each epoch.
cairn::task<> settle(cairn::root& root, int audits = 8) {
  for (int at = 0; at < audits; ++at) co_await root.checkpoint();
}

/// Some epochs of one actor, named "it".
template <class A, class M>
fixture::outcome few_epochs(bench& on, double share, int epochs = 3) {
  return fixture::crash<all>(with_audit(on, share), [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", generous());
    auto helper = top.spawn<doubler>("helper");
    A first{};
    if constexpr (requires { first.helper; }) first.helper = helper;
    if constexpr (requires { first.to; }) first.to = helper;
    auto it = top.spawn<A>("it", std::move(first));
    for (int at = 0; at < epochs; ++at) {
      for (int value = 1; value <= 3; ++value) it.template tell<M>(value);
      co_await root.checkpoint();
    }
    co_await settle(root);
    co_return 0;
  });
}

/// What an audit has said of "it", once.
std::string named(const bench& on) {
  const auto found = on.told.of(event_kind::nondeterministic);
  INFO(on.told.text());
  REQUIRE(found.size() == 1);
  CHECK(found[0].what.name == "it");
  CHECK(found[0].what.actor != cairn::actor_id{});
  CHECK(found[0].what.code == cairn::errc::diverged);
  return found[0].what.text;
}

template <class A, class M = add>
std::string difference_of() {
  bench on;
  few_epochs<A, M>(on, 1);
  CHECK(on.told.count(event_kind::diverged) == 0);
  CHECK(on.told.count(event_kind::restarted) == 0);
  return named(on);
}

bool has(const std::string& text, std::string_view part) {
  INFO(text);
  return text.find(part) != text.npos;
}

/// Until it has taken so many values: its naps are over then, however many turns that takes the
/// threads. Each ask wakes its worker, which looks at the clock.
cairn::task<> until_holds(cairn::root& root, bench* on, cairn::ref<steady> who, int count) {
  for (int seen = 0; seen != count;) {
    auto asked = who.ask<look>().within(30min).as_result();
    co_await root.checkpoint();  // it leaves with this turn
    on->clock.advance(1h);
    const auto answer = co_await std::move(asked);
    if (answer) seen = *answer;
  }
}

cairn::task<int> busy_life(cairn::root& root, bench* on) {
  auto top = root.supervise("top", generous());
  auto helper = top.spawn<doubler>("helper");
  auto it = top.spawn<steady>("it", steady{.helper = helper});
  auto other = top.spawn<steady>("other", steady{.helper = helper});
  for (int at = 1; at <= 40; ++at) {
    it.tell<add>(at);
    other.tell<slow>(at);
    if (at % 10 == 0) other.tell<nap>();
    if (at % 7 == 0) it.tell<slow>(at);
    co_await root.checkpoint();
    on->clock.advance(20min);
  }
  co_await until_holds(root, on, it, 40 + 40 + 5 * 2);  // each add, its nap, and what is slow
  co_await until_holds(root, on, other, 40 * 2 + 4);    // what is slow, and its own naps
  co_await settle(root);
  co_return 0;
}

}  // namespace audited

TEST_CASE("audits of deterministic actors find nothing, through many epochs") {
  using namespace audited;
  for (const unsigned workers : {1U, 3U}) {
    bench on;
    on.workers = workers;
    fixture::finish<all>(with_audit(on, 1),
                         [&](cairn::root& root) { return busy_life(root, &on); });
    INFO(on.told.text());
    CHECK(on.told.count(event_kind::nondeterministic) == 0);
    CHECK(on.told.count(event_kind::failed) == 0);
    CHECK(again > 40);
    CHECK(opened == 2);
    CHECK(closed == 2);
    CHECK(runs_outside == 45);
  }
}

TEST_CASE("an audit names who is not deterministic, where and in what") {
  using namespace audited;
  const auto counted = difference_of<counting>();
  CHECK(has(counted, "counting, run again from position 0 to 3: another state, from byte "));
  CHECK(has(difference_of<pointing>(), "another state, from byte "));
  const auto chat = difference_of<chatty>();
  CHECK(has(chat, "position 0 to 1: at position 1 it had 1 effects and now has 0"));
  CHECK(has(difference_of<touchy>(), "a turn that had ended well throws: a second time"));
  CHECK(has(difference_of<forgetful>(), "position 3 to 6: another state"));
  CHECK(has(difference_of<dozing, slow>(), "another state"));
  CHECK(has(difference_of<wavering, slow>(), "its handler awaits something else"));
}

TEST_CASE("an audit looks at what a suspended handler awaits") {
  using namespace audited;
  bench on;
  fixture::crash<all>(with_audit(on, 1), [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto helper = top.spawn<doubler>("helper");
    auto it = top.spawn<dozing>("it", dozing{.helper = helper});
    it.tell<nap>();
    for (int at = 0; at < 3; ++at) co_await helper.ask<twice>(at);
    co_await settle(root);
    co_return 0;
  });
  CHECK(has(named(on), "a handler has ended that was suspended"));
}

TEST_CASE("an audit goes by ==, and by what is equal whatever its order") {
  using namespace audited;
  bench bags;
  few_epochs<bag, add>(bags, 1);
  CHECK(again > 0);
  CHECK(bags.told.count(event_kind::nondeterministic) == 0);
  bench sets;
  few_epochs<shuffled, add>(sets, 1);
  CHECK(again > 0);
  CHECK(sets.told.count(event_kind::nondeterministic) == 0);
  bench numbers;
  few_epochs<undefined, add>(numbers, 1);
  CHECK(numbers.told.count(event_kind::nondeterministic) == 0);
}

TEST_CASE("nobody is audited unless it is asked for, and a share of some") {
  using namespace audited;
  bench off;
  few_epochs<pointing, add>(off, 0);
  CHECK(again == 0);
  CHECK(off.told.count(event_kind::nondeterministic) == 0);

  bench half;
  fixture::crash<all>(with_audit(half, 0.5), [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    std::vector<cairn::ref<bag>> them;
    for (int at = 0; at < 40; ++at) them.push_back(top.spawn<bag>(std::to_string(at)));
    for (const auto& each : them) each.tell<add>(1);
    co_await settle(root, 50);
    co_return 0;
  });
  CHECK(again > 10);
  CHECK(again < 30);
}

TEST_CASE("with a share of actors everybody is audited in time, and named once") {
  using namespace audited;
  bench on;
  fixture::crash<all>(with_audit(on, 0.3), [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    std::vector<cairn::ref<pointing>> them;
    for (int at = 0; at < 10; ++at) them.push_back(top.spawn<pointing>(std::to_string(at)));
    for (int epochs = 0; epochs < 40; ++epochs) {
      for (const auto& each : them) each.tell<add>(1);
      co_await root.checkpoint();
    }
    co_await settle(root);
    co_return 0;
  });
  CHECK(on.told.count(event_kind::nondeterministic) == 10);
  for (int at = 0; at < 10; ++at) {
    CHECK(on.told.count(event_kind::nondeterministic, std::to_string(at)) == 1);
  }
}

TEST_CASE("a share of actors that is none is refused") {
  using namespace audited;
  for (const double share : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    bench on;
    CHECK_THROWS_WITH(cairn::system<all>{with_audit(on, share)},
                      Catch::Contains("options::audit is a share from 0 to 1"));
  }
}

TEST_CASE("audits and restarts, rollbacks and crashes go together") {
  using namespace audited;
  bench on;
  int runs = 0;
  const auto app = [&](cairn::root& root) -> cairn::task<int> {
    ++runs;
    auto top = root.supervise("top", generous());
    auto helper = top.spawn<doubler>("helper");
    auto it = top.spawn<steady>("it", steady{.helper = helper});
    planned.plan(2, 1);   // tried again
    planned.plan(30, 2);  // given up, within a handler
    for (int epochs = 0; epochs < 5; ++epochs) {
      for (int at = 1; at <= 4; ++at) it.tell<add>(at);
      it.tell<slow>(3);
      it.tell<nap>();
      co_await root.checkpoint();
      on.clock.advance(2h);
    }
    if (runs == 1) {
      it.tell<add>(1);
      co_await root.rollback();
      co_return 1;  // it does not come back
    }
    co_await settle(root);
    co_return 0;
  };
  fixture::crash<all>(with_audit(on, 1), app);
  fixture::crash<all>(with_audit(on, 1), app);
  INFO(on.told.text());
  CHECK(runs == 3);
  CHECK(on.told.count(event_kind::rolled_back) == 1);
  CHECK(on.told.count(event_kind::given_up) > 0);
  CHECK(on.told.count(event_kind::nondeterministic) == 0);
  CHECK(on.told.count(event_kind::diverged) == 0);
}

TEST_CASE("an actor may stop, or move, while its audit waits") {
  using namespace audited;
  std::uint64_t dropped = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    int named = 0;
    cairn::testing::simulation<all> sim{{.seed = seed,
                                         .configure =
                                             [](cairn::options& chosen) {
                                               chosen.audit = 1;
                                               chosen.epoch.messages = 20;
                                             },
                                         .on_event =
                                             [&](const cairn::event& what) {
                                               named += what.kind == event_kind::nondeterministic
                                                            ? 1
                                                            : 0;
                                             }}};
    planned.clear();
    sim.start([](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      auto helper = top.spawn<doubler>("helper");
      for (int round = 0; round < 5; ++round) {
        std::vector<cairn::ref<steady>> them;
        for (int at = 0; at < 5; ++at) {
          them.push_back(top.spawn<steady>("", steady{.helper = helper}));
          for (int value = 1; value < 6; ++value) them.back().tell<slow>(value);
        }
        for (const auto& each : them) {
          for (int value = 1; value < 6; ++value) each.tell<slow>(value);
          if (co_await each.ask<look>() < 10) co_return 1;
          each.stop();
        }
      }
      co_return 0;
    });
    CHECK(sim.run() == 0);
    CHECK(sim.finish());
    CHECK(named == 0);
    const auto& reached = sim.reached();
    if (reached.contains("audit dropped")) dropped += reached.at("audit dropped");
  }
  CHECK(dropped > 0);
}
