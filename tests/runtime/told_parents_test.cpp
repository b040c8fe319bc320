// A parent that answers its child's suspension by a failure of its own; backoffs that differ; the
// epoch of a dead letter.
#include <cairn/codec.hpp>
#include <cairn/supervisor.hpp>
#include <set>
#include <stdexcept>

#include "supervising.hpp"

namespace told_parents {

using tending::bench;
using tending::done;
using tending::event_kind;
using tending::look;
using tending::member;
using tending::planned;
using tending::work;
using namespace std::chrono_literals;

struct start {};

/// Throws what is its supervisor's to decide.
struct strict {
  using protocol = cairn::protocol<start, look, cairn::suspended>;
  cairn::ref<member> child{};
  int told = 0;
  void serialize(auto& ar) { ar(child, told); }
  void on(start, cairn::context<strict>& self) {
    child = self.spawn<member>("child", "child");
    for (int times = 0; times < 4; ++times) child.tell<work>(-1);
  }
  void on(cairn::suspended who) {
    ++told;
    throw std::domain_error{"cannot go on without: " + who.reason};
  }
  int on(look) const { return told; }
};
using family = cairn::actors<strict, member>;

using fixture::come_to_rest;

/// Three messages are given up, each after two tries; with the fourth there are too many restarts.
constexpr int until_too_many = 7;

cairn::supervisor_options rules_of(cairn::decision then) {
  cairn::supervisor_options rules{};
  return rules.on<std::domain_error>(then);
}

TEST_CASE("a parent that throws when it is told of a suspended child has failed itself") {
  const auto then = GENERATE(cairn::resume, cairn::stop, cairn::escalate);
  planned.clear();
  planned.plan(-1, until_too_many);
  done.clear();
  bench on;
  fixture::crash<family>(on, [then](cairn::root& root) -> cairn::task<int> {
    const auto house = root.supervise("house");
    const auto room = house.supervise("room", rules_of(then));
    const auto one = room.spawn<strict>("one");
    one.tell<start>();
    co_await come_to_rest(root);
    co_return 0;
  });
  INFO(on.told.text());
  const std::string why = "cannot go on without: ";
  REQUIRE(on.told.count(event_kind::suspended, "child") >= 1);
  const auto failed = on.told.of(event_kind::failed, "one");
  REQUIRE(!failed.empty());
  CHECK(failed[0].what.text.starts_with(why));
  CHECK(on.told.count(event_kind::stopped, "one") == (then == cairn::stop ? 1 : 0));
  CHECK(on.told.count(event_kind::given_up, "one") == 1);
  CHECK((on.told.count(event_kind::restarted, "one") > 0) == (then == cairn::escalate));
}

/// How long after its failure one child is tried again.
std::chrono::nanoseconds wait_of(std::uint64_t seed, cairn::restart_strategy strategy) {
  planned.clear();
  planned.plan(-1, 1);
  done.clear();
  bench on;
  std::chrono::nanoseconds waited{};
  auto chosen = on.options();
  chosen.seed = seed;
  cairn::system<cairn::actors<member>> running{std::move(chosen)};
  running.start([&](cairn::root& root) -> cairn::task<int> {
    cairn::supervisor_options rules{.strategy = strategy,
                                    .backoff = {.first = 1s, .most = 1min, .jitter = 1}};
    const auto one = root.supervise("top", rules).spawn<member>("one", "one");
    one.tell<work>(-1);
    co_await come_to_rest(root);
    while (on.told.count(event_kind::restarted, "one") == 0 && waited < 1min) {
      on.clock.advance(10ms);
      waited += 10ms;
      for (int at = 0; at < 3; ++at) co_await root.sleep(0ns);
    }
    co_return 0;
  });
  running.wait();
  return waited;
}

TEST_CASE("backoffs of systems with other seeds differ, within their jitter") {
  const auto strategy = GENERATE(cairn::one_for_one, cairn::one_for_all);
  std::set<std::chrono::nanoseconds> seen;
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    const auto waited = wait_of(seed, strategy);
    CHECK(waited >= 1s);
    CHECK(waited <= 2s + 100ms);
    seen.insert(waited);
  }
  CHECK(seen.size() > 2);
}

TEST_CASE("a dead letter says in which epoch it was given up") {
  planned.clear();
  planned.plan(-1, 1);
  planned.plan(-2, 1);
  bench on;
  fixture::crash<cairn::actors<member>>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto top =
        root.supervise("top", {.intensity = {.restarts = 100, .within = 1h}, .attempts = 0});
    const auto one = top.spawn<member>("one", "one");
    one.tell<work>(-1);
    (void)co_await one.ask<look>();
    co_await root.checkpoint();
    one.tell<work>(-2);
    (void)co_await one.ask<look>();
    co_await root.checkpoint();
    const auto all = co_await root.dead_letters();
    CHECK(all.letters.size() == 2);
    if (all.letters.size() != 2) co_return 1;
    CHECK(all.letters[0].letter.in == cairn::epoch{1});
    CHECK(all.letters[1].letter.in == cairn::epoch{2});
    co_return 0;
  });
}

}  // namespace told_parents
