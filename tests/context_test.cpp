// What a handler may do besides changing its state, cut in the middle and begun again.
#include <cairn/context.hpp>

#include "runtime/fixture.hpp"

namespace contexts {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

std::vector<std::string> seen;
fixture::faults planned;
std::atomic<int> runs{0};
std::atomic<int> results{0};       ///< of runs, that handlers have been handed
std::vector<std::string> chances;  ///< that handlers have taken, also in a replay
std::atomic<bool> run_is_held{false};
std::mutex held;
std::condition_variable let_go;

struct poke {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct gate {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct open_gate {};
struct both {};
struct nap {};
struct outside {};
struct chance {};
struct drop {};
struct race {};
struct show {};
struct tick {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};

/// Answers `gate` only after `open_gate`: holds askers in the middle of a handler.
struct keeper {
  using protocol = cairn::protocol<poke, gate>;
  int asked = 0;
  void serialize(auto& ar) { ar(asked); }
  int on(poke what) { return ++asked, what.value * 10; }
  cairn::task<int> on(gate what, cairn::context<keeper>& self) {
    co_await self.sleep(1h);
    co_return ++asked, what.value * 100;
  }
};

int work(int value) {
  runs.fetch_add(1, std::memory_order_relaxed);  // a count, read at rest
  std::unique_lock lock{held};
  let_go.wait(lock, [] { return !run_is_held.load(std::memory_order_relaxed); });  // the lock's
  return value + 1;
}

struct worker {
  using protocol = cairn::protocol<poke, both, nap, outside, chance, drop, race, show, tick>;
  cairn::ref<keeper> first{};
  cairn::ref<keeper> second{};
  std::string diary{};
  void serialize(auto& ar) { ar(first, second, diary); }

  void write(const std::string& line) { diary += line + ";"; }
  void on(poke what) {
    write("poke " + std::to_string(what.value));
    planned.check(what.value);
  }
  void on(tick what) { write("tick " + std::to_string(what.value)); }
  cairn::task<void> on(both) {
    write("both");
    auto slow = first.ask<gate>(1);
    auto quick = second.ask<poke>(2);
    write(std::to_string(co_await std::move(quick)));
    write(std::to_string(co_await std::move(slow)));
    planned.check(100);
  }
  cairn::task<void> on(nap, cairn::context<worker>& self) {
    write("nap");
    co_await self.sleep(1h);
    write("awake");
  }
  cairn::task<void> on(outside, cairn::context<worker>& self) {
    write("run");
    const int made = co_await self.run("work", work, 41);
    results.fetch_add(1, std::memory_order_relaxed);  // a count
    write(std::to_string(made));
    co_await self.sleep(1h);
    write("run ended");
  }
  cairn::task<void> on(chance, cairn::context<worker>& self) {
    const auto number = self.random();
    const auto time = self.now().time_since_epoch().count();
    chances.push_back(std::to_string(number) + "/" + std::to_string(time));
    write(chances.back());
    co_await self.sleep(1h);
    write(std::to_string(number) + "/" + std::to_string(time));
  }
  /// Two asks that nobody awaits.
  void on(drop) {
    (void)first.ask<gate>(1);
    (void)second.ask<poke>(3);
    write("drop");
  }
  cairn::task<void> on(race) {
    auto late = co_await first.ask<gate>(1).within(10min).as_result();
    write(late ? "reply" : std::string{to_string(late.code())} + " " + late.why().text);
    auto soon = co_await second.ask<poke>(4).within(10min).as_result();
    write(soon ? "reply" : "timeout");
  }
  std::string on(show) const { return diary; }
};

using all = cairn::actors<worker, keeper>;

cairn::supervisor rules(cairn::root& root) {
  return root.supervise("top", {.intensity = {.restarts = 1000, .within = 1h}});
}
cairn::ref<worker> set_up(cairn::root& root) {
  auto top = rules(root);
  auto first = top.spawn<keeper>("first");
  auto second = top.spawn<keeper>("second");
  return top.spawn<worker>("it", worker{.first = first, .second = second});
}

/// Sends the `M`, crashes where its handler is suspended; then time passes and it goes on.
template <class M>
cairn::task<int> start_and_cut(cairn::root& root) {
  auto it = set_up(root);
  it.template tell<M>();
  it.template tell<poke>(1);
  co_await root.checkpoint();
  co_await root.checkpoint();
  co_return 0;
}
cairn::task<int> go_on(cairn::root& root, const fixture::hand_clock* clock) {
  auto it = set_up(root);
  co_await root.checkpoint();
  clock->advance(2h);
  co_await root.checkpoint();
  clock->advance(2h);
  co_await root.checkpoint();
  clock->advance(2h);
  seen.push_back(co_await it.ask<show>());
  co_return 0;
}

template <class M>
fixture::outcome over_a_crash(bench& on) {
  seen.clear();
  fixture::crash<all>(on, start_and_cut<M>);
  const auto how =
      fixture::crash<all>(on, [&on](cairn::root& root) { return go_on(root, &on.clock); });
  INFO(on.told.text());
  CHECK(how.restored.suspended_handlers >= 1);
  REQUIRE(seen.size() == 1);
  return how;
}

TEST_CASE("parallel asks, one answered at the cut and one not, go on over a crash") {
  bench on;
  planned.clear();
  over_a_crash<both>(on);
  CHECK(seen[0] == "both;20;100;poke 1;");
}

TEST_CASE("a handler that fails after parallel asks over a crash keeps its turns") {
  bench on;
  planned.clear();
  planned.plan(100, 1);
  over_a_crash<both>(on);
  CHECK(seen[0] == "both;20;100;poke 1;");
  planned.plan(100, 2);
  bench other;
  over_a_crash<both>(other);
  CHECK(seen[0] == "both;20;poke 1;");
  CHECK(other.told.count(event_kind::dead_letter, "it") == 1);
}

TEST_CASE("a sleep goes on over a crash") {
  bench on;
  over_a_crash<nap>(on);
  CHECK(seen[0] == "nap;awake;poke 1;");
}

TEST_CASE("the time and random numbers are the same in replay") {
  bench on;
  seen.clear();
  chances.clear();
  fixture::crash<all>(on, start_and_cut<chance>);
  REQUIRE(chances.size() == 1);
  const std::string taken = chances[0];
  on.clock.advance(1min);
  auto other = on.options();
  other.seed = 8;
  fixture::crash<all>(std::move(other),
                      [&on](cairn::root& root) { return go_on(root, &on.clock); });
  REQUIRE(chances.size() == 2);
  CHECK(chances[1] == taken);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0] == taken + ";" + taken + ";poke 1;");
}

TEST_CASE("a run whose result is recorded is not run again in replay") {
  bench on;
  runs.store(0, std::memory_order_relaxed);  // nobody runs yet
  results.store(0, std::memory_order_relaxed);
  seen.clear();
  fixture::crash<all>(on, [](cairn::root& root) {
    return [](cairn::root& top) -> cairn::task<int> {
      auto it = set_up(top);
      it.tell<outside>();
      while (results.load(std::memory_order_relaxed) == 0) co_await top.checkpoint();  // a count
      co_await top.checkpoint();
      co_return 0;
    }(root);
  });
  CHECK(results.load(std::memory_order_relaxed) == 1);
  fixture::crash<all>(on, [&on](cairn::root& root) { return go_on(root, &on.clock); });
  CHECK(results.load(std::memory_order_relaxed) == 2);
  CHECK(runs.load(std::memory_order_relaxed) == 1);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0] == "run;42;run ended;");
}

cairn::task<int> run_cut_short(cairn::root& root) {
  auto it = set_up(root);
  it.tell<outside>();
  while (runs.load(std::memory_order_relaxed) == 0) co_await root.checkpoint();  // a count
  co_await root.checkpoint();
  {
    const std::lock_guard lock{held};
    run_is_held.store(false, std::memory_order_relaxed);  // the lock's
  }
  let_go.notify_all();
  co_return 0;
}

TEST_CASE("a run whose result is not recorded is run again after a crash") {
  bench on;
  runs.store(0, std::memory_order_relaxed);  // nobody runs yet
  run_is_held.store(true, std::memory_order_relaxed);
  seen.clear();
  fixture::crash<all>(on, run_cut_short);
  CHECK(runs.load(std::memory_order_relaxed) == 1);
  fixture::crash<all>(on, [](cairn::root& root) {
    return [](cairn::root& top) -> cairn::task<int> {
      (void)set_up(top);
      while (runs.load(std::memory_order_relaxed) < 2) co_await top.checkpoint();  // a count
      co_return 0;
    }(root);
  });
  CHECK(runs.load(std::memory_order_relaxed) == 2);
}

cairn::task<int> drop_then_fail(cairn::root& root, const fixture::hand_clock* clock) {
  auto it = set_up(root);
  it.tell<drop>();
  it.tell<poke>(1);
  co_await root.checkpoint();  // a base between the asks and their answers
  it.tell<poke>(2);
  clock->advance(2h);
  co_await root.checkpoint();
  it.tell<poke>(50);  // fails once: what came since the base is replayed
  it.tell<drop>();
  it.tell<poke>(51);
  seen.push_back(co_await it.ask<show>());
  co_return 0;
}

TEST_CASE("answers that nobody awaits do not disturb replay") {
  bench on;
  planned.clear();
  planned.plan(50, 1);
  planned.plan(51, 2);
  seen.clear();
  fixture::crash<all>(on, [&on](cairn::root& root) { return drop_then_fail(root, &on.clock); });
  INFO(on.told.text());
  CHECK(seen == std::vector<std::string>{"drop;poke 1;poke 2;poke 50;drop;"});
  CHECK(on.told.count(event_kind::diverged) == 0);
}

cairn::task<int> lose_the_race(cairn::root& root, const fixture::hand_clock* clock) {
  auto it = set_up(root);
  it.tell<race>();
  co_await root.checkpoint();
  clock->advance(20min);
  co_await root.checkpoint();
  clock->advance(2h);  // the answer comes too late
  co_await root.checkpoint();
  seen.push_back(co_await it.ask<show>());
  it.tell<poke>(60);  // replays the race
  seen.push_back(co_await it.ask<show>());
  co_return 0;
}

TEST_CASE("whether a reply or its timeout won is the same in replay") {
  bench on;
  planned.clear();
  planned.plan(60, 1);
  seen.clear();
  fixture::crash<all>(on, [&on](cairn::root& root) { return lose_the_race(root, &on.clock); });
  INFO(on.told.text());
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].find("timeout ask of contexts::gate") == 0);
  CHECK(seen[0].find(";reply;") != std::string::npos);
  CHECK(seen[1] == seen[0] + "poke 60;");
}

/// What an error says is handed over too: a handler may keep it.
struct gossip {
  using protocol = cairn::protocol<nap, show>;
  cairn::ref<keeper> gone{};
  std::string heard{};
  void serialize(auto& ar) { ar(gone, heard); }
  cairn::task<void> on(nap, cairn::context<gossip>& self) {
    try {
      (void)co_await gone.ask<poke>(1);
    } catch (const cairn::ask_error& why) {
      heard = why.what();
    }
    seen.push_back(heard);
    co_await self.sleep(1h);
  }
  std::string on(show) const { return heard; }
};

TEST_CASE("what the error of an ask says is the same in replay") {
  using both_types = cairn::actors<gossip, keeper>;
  bench on;
  seen.clear();
  fixture::crash<both_types>(on, [](cairn::root& root) {
    return [](cairn::root& top) -> cairn::task<int> {
      auto over = rules(top);
      auto gone = over.spawn<keeper>("gone");
      auto it = over.spawn<gossip>("it", gone);
      gone.stop();
      it.tell<nap>();
      co_await top.checkpoint();
      co_await top.checkpoint();
      co_return 0;
    }(root);
  });
  fixture::crash<both_types>(on, [&on](cairn::root& root) {
    return [](cairn::root& top, const fixture::hand_clock* clock) -> cairn::task<int> {
      auto it = rules(top).spawn<gossip>("it");
      co_await top.checkpoint();
      clock->advance(2h);
      seen.push_back(co_await it.ask<show>());
      co_return 0;
    }(root, &on.clock);
  });
  INFO(on.told.text());
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].find("stopped") != std::string::npos);
  CHECK(seen[1] == seen[0]);
  CHECK(seen[2] == seen[0]);
}

}  // namespace contexts
