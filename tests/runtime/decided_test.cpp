// What becomes of a handler about which was decided, in that process and in the one after it.
#include <cairn/testing/simulation.hpp>
#include <string>
#include <thread>
#include <utility>

#include "../catch.hpp"

namespace deciding {

using namespace std::chrono_literals;
using cairn::version_answer;

struct go {};
struct go_on {};
struct show {};
struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct question {
  int number = 0;
  bool late = false;
  void serialize(auto& ar) { ar(number, late); }
};

bool fails = false;
/// Handlers do something else when they are run again.
bool strange = false;

struct worker {
  using protocol = cairn::protocol<go, show>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  cairn::task<> on(go, cairn::context<worker>& self) {
    ++sum;
    co_await self.sleep(1s);
    if (fails) throw std::runtime_error{"as planned"};
  }
  int on(show) const { return sum; }
};

struct quiz {
  using protocol = cairn::protocol<question, add, show>;
  int got = 0;
  void serialize(auto& ar) { ar(got); }
  cairn::task<int> on(question asked, cairn::context<quiz>& self) {
    const int number = asked.number;
    if (asked.late) co_await self.sleep(10s);
    co_return number;
  }
  void on(add what) { got += what.value; }
  int on(show) const { return got; }
};

/// Waits for a second answer when it is left.
struct asker {
  using protocol = cairn::protocol<go, go_on, show>;
  cairn::ref<quiz> soon{};
  cairn::ref<quiz> late{};
  cairn::ref<quiz> other{};
  int heard = 0;
  void serialize(auto& ar) { ar(soon, late, other, heard); }
  cairn::task<> on(go) {
    soon.tell<add>(strange ? 2 : 1);
    heard = co_await soon.ask<question>(1, false);
    heard = co_await late.ask<question>(2, true);
  }
  cairn::task<> on(go_on) { heard = co_await other.ask<question>(99, true); }
  int on(show) const { return heard; }
};

using world = cairn::testing::simulation<cairn::actors<worker, quiz, asker>>;

struct plan {
  std::string version = "1";
  cairn::version_handler other{};
};

cairn::testing::simulation_options of(plan* by) {
  cairn::testing::simulation_options chosen;
  chosen.configure = [by](cairn::options& made) {
    made.epoch.every = {};
    made.program_version = by->version;
    made.other_version = by->other;
    made.ask_timeout = 1h;
  };
  return chosen;
}

cairn::supervisor_options patient() {
  cairn::supervisor_options rules;
  rules.backoff = {.first = 1min, .most = 1min, .jitter = 0};
  return rules;
}

struct cast {
  cairn::ref<quiz> soon{};
  cairn::ref<quiz> late{};
  cairn::ref<quiz> other{};
  cairn::ref<asker> who{};
};
cast enter(cairn::root& root) {
  auto top = root.supervise("top");
  cast all{top.spawn<quiz>("soon"), top.spawn<quiz>("late"), top.spawn<quiz>("other"), {}};
  all.who =
      top.spawn<asker>("asker", asker{.soon = all.soon, .late = all.late, .other = all.other});
  return all;
}
cairn::task<int> leave_waiting(cairn::root& root) {
  const cast all = enter(root);
  all.who.tell<go>();
  co_await root.sleep(1s);
  co_await root.checkpoint();
  co_return 0;
}

TEST_CASE("a handler that is given up in its backoff leaves its actor free") {
  plan by;
  world all{of(&by)};
  fails = true;
  all.start([](cairn::root& root) -> cairn::task<int> {
    root.supervise("top", patient()).spawn<worker>("it").tell<go>();
    co_await root.sleep(2s);
    co_await root.checkpoint();
    co_return 0;
  });
  REQUIRE(all.run() == 0);
  all.crash();
  fails = false;
  by.version = "2";
  by.other = [](const cairn::recorded_handler&) { return version_answer::abandon; };
  int seen = -1;
  all.start([&seen](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top", patient()).spawn<worker>("it");
    auto asked = it.ask<show>().within(1min).as_result();
    const auto found = co_await std::move(asked);
    seen = found ? *found : -2;
    co_return 0;
  });
  REQUIRE(all.run() == 0);
  CHECK(seen == 0);
}

TEST_CASE("who is asked after a handler was given up hears no answer to it") {
  plan by;
  world all{of(&by)};
  all.start(&leave_waiting);
  REQUIRE(all.run() == 0);
  all.crash();
  strange = true;
  by.other = [](const cairn::recorded_handler& about) {
    return about.differs.empty() ? version_answer::rerun : version_answer::abandon;
  };
  int heard = 0;
  all.start([&heard](cairn::root& root) -> cairn::task<int> {
    const cast there = enter(root);
    there.who.tell<go_on>();
    co_await root.sleep(1min);
    heard = co_await there.who.ask<show>();
    co_return 0;
  });
  CHECK(all.run() == 0);
  strange = false;
  CHECK(heard == 99);
}

TEST_CASE("a handler that another version may run again may be so in its next process, too") {
  plan by;
  world all{of(&by)};
  all.start(&leave_waiting);
  REQUIRE(all.run() == 0);
  all.crash();
  strange = true;
  by.version = "2";
  by.other = [](const cairn::recorded_handler&) { return version_answer::rerun; };
  int heard = 0;
  const auto look = [&heard](cairn::root& root) -> cairn::task<int> {
    const cast there = enter(root);
    co_await root.checkpoint();
    heard = co_await there.who.ask<show>();
    co_return 0;
  };
  all.start([](cairn::root& root) -> cairn::task<int> {
    (void)enter(root);
    co_await root.sleep(1s);
    co_await root.checkpoint();
    co_return 0;
  });
  REQUIRE(all.run() == 0);
  all.crash();
  by.other = {};  // who asks about what it has recorded itself?
  all.start(look);
  CHECK(all.run() == 0);
  strange = false;
  CHECK(heard == 2);
}

}  // namespace deciding
