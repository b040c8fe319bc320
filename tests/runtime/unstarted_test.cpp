// An `on_start` that throws is a failure like any other: its supervisor's rules, backoff, intensity
// and the one above have their say.
#include <cairn/supervisor.hpp>

#include <limits>
#include <map>
#include <new>
#include <stdexcept>
#include <string>

#include "fixture.hpp"

namespace unstarted {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

/// What the next starts throw: 'a' bad_alloc, 'r' runtime_error, 'l' logic_error. '-': nothing.
std::string to_throw;
int starts = 0;

struct work {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct look {};

int work_to_fail = 0;  // how often a handler still throws

struct opener {
  using protocol = cairn::protocol<work, look>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on_start(cairn::context<opener>& self) {
    if (self.name() != "it") return;
    ++starts;
    if (to_throw.empty()) return;
    const char next = to_throw.front();
    to_throw.erase(0, 1);
    if (next == 'a') throw std::bad_alloc{};
    if (next == 'r') throw std::runtime_error{"not there"};
    if (next == 'l') throw std::logic_error{"no such thing"};
  }
  void on(work what) {
    sum += what.value;
    if (what.value < 0 && work_to_fail > 0 && work_to_fail-- > 0) throw std::runtime_error{"work"};
  }
  int on(look) const { return sum; }
};
struct fleeting {
  using protocol = cairn::protocol<look>;
  using persistence = cairn::ephemeral;
  int on(look) const { return ++starts; }
  void on_start(cairn::context<fleeting>&) { opener_start(); }
  static void opener_start() {
    if (to_throw.empty()) return;
    to_throw.erase(0, 1);
    throw std::runtime_error{"not there"};
  }
};

/// Says what its incarnations open, and close again.
std::string trace;
bool breaks = false;  // once it has failed, what it had handled cannot be run again
bool broken = false;
struct nap {};
struct door {
  using protocol = cairn::protocol<work, nap, look>;
  std::string text{};  // so that what it has handled is run again
  void serialize(auto& ar) { ar(text); }
  void on_start(cairn::context<door>&) {
    fleeting::opener_start();
    trace += 's';
  }
  void on_stop(cairn::stop_reason) { trace += 'e'; }
  void on(work what) {
    if (broken) throw std::runtime_error{"lost"};
    if (what.value > 0 || work_to_fail == 0) return;
    --work_to_fail;
    broken = breaks;
    throw std::runtime_error{"work"};
  }
  cairn::task<> on(nap, cairn::context<door>& self) {
    co_await self.sleep(0ns);
    throw std::runtime_error{"nap"};
  }
  int on(look) const { return 0; }
};

using all = cairn::actors<opener, fleeting, door>;

void begin(std::string throws) {
  to_throw = std::move(throws);
  starts = work_to_fail = 0;
  breaks = broken = false;
  trace.clear();
}

/// What an ask for its sum comes to.
template <class A>
cairn::task<std::string> sum_of(cairn::ref<A> it) {
  auto asked = it.template ask<look>().as_result();
  const auto answer = co_await std::move(asked);
  co_return answer ? std::to_string(*answer) : std::string{to_string(answer.code())};
}

/// Spawns "it" under these rules, in "room" of "house", and asks it and its elder. Where both are
/// to stop, the elder does so last.
std::string after(bench& on, cairn::supervisor_options rules, cairn::child_options of = {},
                  cairn::supervisor_options above = {}, bool both_stop = false) {
  std::string seen;
  fixture::crash<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top, std::string* to, cairn::supervisor_options below,
              cairn::child_options kind, cairn::supervisor_options upper,
              bool last_stops) -> cairn::task<int> {
      auto room = top.supervise("house", upper).supervise("room", below);
      auto other = room.spawn<opener>("other");
      auto it = room.with(kind).spawn<opener>("it");
      *to = co_await sum_of(it);
      std::string last = co_await sum_of(other);
      while (last_stops && last != "stopped") last = co_await sum_of(other);
      *to += " " + last;
      co_return 0;
    }(root, &seen, rules, of, above, both_stop);
  });
  return seen;
}

}  // namespace unstarted

TEST_CASE("rules say by its type what an exception of on_start comes to") {
  using namespace unstarted;
  bench on;
  const auto rules = cairn::supervisor_options{.intensity = {.restarts = 9}}
                         .on<std::bad_alloc>(cairn::stop)
                         .on<std::logic_error>(cairn::suspend);
  SECTION("restart: it is tried again") {
    begin("rrr");
    CHECK(after(on, rules) == "0 0");
    CHECK(starts == 4);
    CHECK(on.told.count(event_kind::failed, "it") == 3);
    REQUIRE(on.told.count(event_kind::restarted, "it") == 1);
    CHECK(on.told.of(event_kind::restarted, "it").at(0).what.text == "it has started");
  }
  SECTION("stop") {
    begin("a");
    CHECK(after(on, rules) == "stopped 0");
    CHECK(starts == 1);
    CHECK(on.told.of(event_kind::stopped, "it").at(0).what.text == "on_start: std::bad_alloc");
  }
  SECTION("suspend") {
    begin("l");
    CHECK(after(on, rules) == "failed 0");
    CHECK(on.told.of(event_kind::suspended, "it").at(0).what.text == "on_start: no such thing");
  }
  SECTION("resume: it goes on without") {
    begin("rr");
    CHECK(after(on, rules.on<std::runtime_error>(cairn::resume)) == "0 0");
    CHECK(starts == 1);
  }
  SECTION("escalate: the one above decides") {
    begin("r");
    const auto up = cairn::supervisor_options{}.on<std::runtime_error>(cairn::escalate);
    const auto stop = cairn::supervisor_options{}.on<std::runtime_error>(cairn::stop);
    CHECK(after(on, up, {}, stop, true) == "stopped stopped");
  }
  SECTION("a temporary child stops") {
    begin("r");
    CHECK(after(on, rules, {.restart = cairn::temporary}) == "stopped 0");
  }
  SECTION("a permanent one does not") {
    begin("r");
    CHECK(after(on, rules, {.restart = cairn::permanent}) == "0 0");
  }
}

TEST_CASE("a start that fails too often is what exceeding comes to") {
  using namespace unstarted;
  bench on;
  begin(std::string(9, 'r'));
  cairn::supervisor_options rules{.intensity = {.restarts = 1, .within = 1h}};
  SECTION("suspended; its tries are counted like a message's") {
    CHECK(after(on, rules) == "failed 0");
    CHECK(starts == 3);  // two before the restart that counts, and one is too many
    CHECK(on.told.of(event_kind::suspended, "it").at(0).what.text ==
          "more restarts than 1; the last failure: on_start: not there");
  }
  SECTION("stopped") {
    rules.exceeded = cairn::stop;
    CHECK(after(on, rules) == "stopped 0");
  }
  SECTION("passed up, where it is a restart of all that is below") {
    begin("rrrr");
    rules.exceeded = cairn::escalate;
    CHECK(after(on, rules) == "0 0");
    CHECK(on.told.count(event_kind::restarted, "other") == 1);
  }
  SECTION("a group's is the supervisor's") {
    rules.strategy = cairn::one_for_all;
    CHECK(after(on, rules) == "failed failed");
    CHECK(on.told.count(event_kind::suspended) == 2);
  }
  SECTION("as many attempts as there are numbers are no less than one") {
    begin("rrr");
    rules.attempts = std::numeric_limits<std::uint32_t>::max();
    CHECK(after(on, rules) == "0 0");
    CHECK(starts == 4);
  }
}

TEST_CASE("a start that fails waits for its backoff, and so does its mail") {
  using namespace unstarted;
  bench on;
  begin("rrr");
  fixture::crash<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top, bench* with) -> cairn::task<int> {
      auto room = top.supervise("room", {.intensity = {.restarts = 9, .within = 1h},
                                         .backoff = {.first = 1s, .most = 3s, .jitter = 0}});
      auto it = room.spawn<opener>("it");
      auto other = room.spawn<opener>("other");
      it.tell<work>(5);
      auto asked = it.ask<look>();
      for (const auto delay : {1s, 2s, 3s}) {
        co_await top.sleep(0ns);
        const int tried = starts;
        with->clock.advance(delay - 1ms);
        (void)co_await other.ask<look>();
        CHECK(starts == tried);
        with->clock.advance(1ms);
        (void)co_await other.ask<look>();
        co_await top.sleep(0ns);
        CHECK(starts == tried + 1);
      }
      const int sum = co_await std::move(asked);
      CHECK(sum == 5);
      co_return 0;
    }(root, &on);
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::restarted, "it") == 1);
  CHECK(on.told.of(event_kind::restarted, "it").at(0).what.text == "it has started");
}

TEST_CASE("a message that failed is tried again once its actor could start, not more often") {
  using namespace unstarted;
  bench on;
  begin("-rr");
  work_to_fail = 2;
  const bool late = GENERATE(false, true);
  fixture::crash<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top, bench* with, bool backs_off) -> cairn::task<int> {
      cairn::supervisor_options rules{.intensity = {.restarts = 9}};
      if (backs_off) rules.backoff = {.first = 1s, .most = 1s, .jitter = 0};
      auto it = top.supervise("room", rules).spawn<opener>("it");
      it.tell<work>(1);
      it.tell<work>(-1);
      it.tell<work>(2);
      auto asked = it.ask<look>();
      for (int at = 0; at < 9; ++at) {
        with->clock.advance(2s);
        co_await top.sleep(0ns);
      }
      const int sum = co_await std::move(asked);
      CHECK(sum == 3);
      co_return 0;
    }(root, &on, late);
  });
  INFO(on.told.text());
  CHECK(work_to_fail == 0);
  CHECK(on.told.count(event_kind::given_up, "it") == 1);
  CHECK(on.told.count(event_kind::failed, "it") == 4);
}

TEST_CASE("an ephemeral actor that cannot start is tried again, too") {
  using namespace unstarted;
  bench on;
  begin("rr");
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("room").spawn<fleeting>("it");
    const int first = co_await it.ask<look>();
    CHECK(first == 1);
    co_return 0;
  });
  CHECK(on.told.count(event_kind::failed, "it") == 2);
}

TEST_CASE("in a group that is restarted each starts in its place, also the one that failed") {
  using namespace unstarted;
  bench on;
  begin("-r");
  work_to_fail = 1;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto room = root.supervise("room", {.strategy = cairn::one_for_all});
    auto it = room.spawn<opener>("it");
    auto other = room.spawn<opener>("other");
    it.tell<work>(-1);
    const int sum = co_await it.ask<look>();
    CHECK(sum == -1);
    (void)co_await other.ask<look>();
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(starts == 3);
  CHECK(on.told.count(event_kind::restarted, "other") == 2);  // its start was a failure, too
}

TEST_CASE("who never had its on_start has no on_stop") {
  using namespace unstarted;
  bench on;
  begin("");
  cairn::supervisor_options rules{.intensity = {.restarts = 9}};
  const auto live = [&](int failures) {
    work_to_fail = failures;
    fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
      auto it = root.supervise("room", rules).spawn<door>("it");
      it.tell<work>(1);
      it.tell<work>(-1);
      it.tell<nap>();
      (void)co_await sum_of(it);
      co_return 0;
    });
  };
  SECTION("restarted, and given up, in a message and within a handler") {
    live(2);
    CHECK(trace == "sesesesese");
  }
  SECTION("suspended, for what it had handled cannot be run again") {
    breaks = true;
    live(1);
    CHECK(trace == "se");
  }
  SECTION("stopped by a rule") {
    rules = rules.on<std::runtime_error>(cairn::stop);
    live(1);
    CHECK(trace == "se");
  }
  SECTION("stopped by a rule within a handler") {
    rules = rules.on<std::runtime_error>(cairn::stop);
    live(0);
    CHECK(trace == "se");
  }
  SECTION("stopped where the start has failed") {
    rules = rules.on<std::runtime_error>(cairn::stop);
    begin("r");
    live(0);
    CHECK(trace.empty());
  }
  SECTION("restored, and gone before its supervisor is declared") {
    fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
      auto it = root.supervise("room", rules).spawn<door>("it");
      it.tell<work>(1);
      co_await root.checkpoint();
      co_return 0;
    });
    CHECK(trace == "se");
    fixture::crash<all>(on, [](cairn::root&) -> cairn::task<int> { co_return 0; });
    CHECK(trace == "se");
  }
}
