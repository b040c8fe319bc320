// What waits for a restart, and what is said of one that came to nothing.
#include <string>
#include <vector>

#include "supervising.hpp"

namespace second_tries {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct look {};
struct boom {};
struct tick {};

bool bad = true;
int tries = 0;
int starts = 0;
int births = 0;

/// Fails while `bad`, and is reminded of something all the while.
struct reminded {
  using protocol = cairn::protocol<boom, tick, look>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 4};
  int ticks = 0;
  void serialize(auto& ar) { ar(ticks); }
  void on_birth(cairn::context<reminded>& self) { self.send_every<tick>(1s); }
  void on(boom) {
    ++tries;
    if (bad) throw std::domain_error{"boom"};
  }
  void on(tick) { ++ticks; }
  int on(look) const { return ticks; }
};
struct starter {
  using protocol = cairn::protocol<look>;
  void serialize(auto&) {}
  void on_start(cairn::context<starter>&) {
    if (++starts == 1) throw std::runtime_error{"the first"};
    throw std::domain_error{"the second"};
  }
  int on(look) const { return starts; }
};
struct stillborn {
  using protocol = cairn::protocol<look>;
  void serialize(auto&) {}
  void on_birth(cairn::context<stillborn>& self) {
    ++births;
    self.stop("enough");
  }
  int on(look) const { return births; }
};

using all = cairn::actors<reminded, starter, stillborn>;

cairn::task<void> settle(cairn::root& root) {
  for (int turns = 0; turns < 20; ++turns) co_await root.sleep(0ns);
}
void begin() {
  bad = true;
  tries = starts = births = 0;
}

TEST_CASE("reminders wait with an actor that waits for its restart, and push out no mail") {
  bench on;
  begin();
  int ticks = 0;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    const cairn::supervisor_options patient{.backoff = {.first = 60s, .jitter = 0}};
    auto one = root.supervise("top", patient).spawn<reminded>("one");
    one.tell<boom>();
    co_await settle(root);
    for (int seconds = 0; seconds < 50; ++seconds) {
      on.clock.advance(1s);
      co_await settle(root);
    }
    bad = false;
    one.tell<boom>();
    co_await settle(root);
    CHECK(tries == 1);
    on.clock.advance(10s);
    co_await settle(root);
    CHECK(tries == 3);
    on.clock.advance(1s);  // the reminder goes on
    co_await settle(root);
    ticks = co_await one.ask<look>();
    co_return 0;
  });
  CHECK(ticks == 2);  // what was missed comes once
  CHECK(on.told.count(event_kind::dead_letter) == 0);
}

TEST_CASE("a row of failures ends while the process is down") {
  bench on;
  begin();
  const cairn::supervisor_options rules{.intensity = {.restarts = 100, .within = 5s},
                                        .backoff = {.first = 1s, .most = 64s, .jitter = 0}};
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto one = root.supervise("top", rules).spawn<reminded>("one");
    one.tell<boom>();
    for (int seconds = 0; seconds < 2; ++seconds) {  // a row of two, the second waits for 2 s
      co_await settle(root);
      on.clock.advance(1s);
    }
    bad = false;
    on.clock.advance(1s);
    co_await settle(root);
    co_await root.checkpoint();
    co_return 0;
  });
  begin();
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    (void)root.supervise("top", rules).spawn<reminded>("one");
    co_await settle(root);
    on.clock.advance(24h);
    co_await root.checkpoint();
    co_return 0;
  });
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto one = root.supervise("top", rules).spawn<reminded>("one");
    one.tell<boom>();
    co_await settle(root);
    CHECK(tries == 1);
    on.clock.advance(1s);  // and not 4 s
    co_await settle(root);
    CHECK(tries == 2);
    co_return 0;
  });
}

TEST_CASE("of a start that fails a second time, and is gone on without, nobody says it went well") {
  bench on;
  begin();
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto rules = cairn::supervisor_options{.attempts = 3}.on<std::domain_error>(cairn::resume);
    auto one = root.supervise("top", rules).spawn<starter>("one");
    const int seen = co_await one.ask<look>();
    CHECK(seen == 2);
    co_return 0;
  });
  CHECK(on.told.count(event_kind::failed, "one") == 2);
  CHECK(on.told.count(event_kind::restarted, "one") == 0);
}

TEST_CASE("a message that had a group suspended is tried as often as ever once that is resumed") {
  for (const auto strategy : {cairn::one_for_one, cairn::one_for_all}) {
    bench on;
    begin();
    fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
      const cairn::supervisor_options rules{.strategy = strategy,
                                            .intensity = {.restarts = 0, .within = 5s}};
      auto top = root.supervise("top", rules);
      top.spawn<reminded>("one").tell<boom>();
      co_await settle(root);
      CHECK(tries == 1);
      top.resume();
      co_await settle(root);
      CHECK(tries == 2);
      co_return 0;
    });
    CHECK(on.told.count(event_kind::suspended, "one") == 2);
    CHECK(on.told.count(event_kind::dead_letter) == 0);
  }
}

TEST_CASE(
    "who has joined a backoff comes back also where the next program restarts each by itself") {
  // Also who waited before an elder joined it.
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  const bool elder_first = GENERATE(true, false);
  bench on;
  begin();
  cairn::supervisor_options rules{.strategy = strategy,
                                  .intensity = {.restarts = 100, .within = 1h},
                                  .backoff = {.first = 60s, .jitter = 0}};
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", rules);
    auto one = top.spawn<reminded>("one");
    auto two = top.spawn<reminded>("two");
    (elder_first ? one : two).tell<boom>();
    co_await settle(root);
    (elder_first ? two : one).tell<boom>();
    co_await settle(root);
    CHECK(tries == 2);
    co_await root.checkpoint();
    co_return 0;
  });
  bad = false;
  rules.strategy = cairn::one_for_one;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", rules);
    (void)top.spawn<reminded>("one");
    (void)top.spawn<reminded>("two");
    co_await settle(root);
    on.clock.advance(60s);
    co_await settle(root);
    CHECK(tries == 4);
    co_return 0;
  });
}

TEST_CASE("tries of one turn count once above too, where its failure is escalated") {
  bench on;
  begin();
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.intensity = {.restarts = 1, .within = 1h}});
    auto rules = cairn::supervisor_options{.attempts = 6}.on<std::domain_error>(cairn::escalate);
    auto one = top.supervise("low", rules).spawn<reminded>("one");
    one.tell<boom>();
    co_await settle(root);
    co_return 0;
  });
  CHECK(tries == 7);
  CHECK(on.told.count(event_kind::given_up, "one") == 1);
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("a permanent child that stops itself in each birth ends no stack") {
#ifdef CAIRN_FEW
  constexpr std::uint32_t many = 5'000;
#else
  constexpr std::uint32_t many = 20'000;
#endif
  bench on;
  begin();
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.intensity = {.restarts = many, .within = 1h}});
    (void)top.with({.restart = cairn::permanent}).spawn<stillborn>("one");
    while (on.told.count(event_kind::suspended, "one") == 0) co_await root.sleep(0ns);
    co_return 0;
  });
  CHECK(births == int{many} + 1);
}

}  // namespace second_tries
