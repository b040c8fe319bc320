// Supervisors: how often children may fail, what suspends them, who goes when a supervisor does.
#include <cairn/supervisor.hpp>

#include "runtime/fixture.hpp"

namespace supervising {

using cairn::event_kind;
using fixture::bench;

fixture::faults planned;
std::vector<std::string> seen;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct total {};

struct adder {
  using protocol = cairn::protocol<add, total>;
  std::vector<int> values{};
  bool brittle = false;
  void serialize(auto& ar) {
    ar(values, brittle);
    if (brittle) planned.check(1000);
  }
  int on(add what) {
    values.push_back(what.value);
    planned.check(what.value);
    return what.value;
  }
  int on(total) const {
    int all = 0;
    for (const int each : values) all += each;
    return all;
  }
};

struct keep {
  cairn::ref<adder> whom{};
  void serialize(auto& ar) { ar(whom); }
};
struct kept {};

struct keeper {
  using protocol = cairn::protocol<keep, kept>;
  cairn::ref<adder> whom{};
  void serialize(auto& ar) { ar(whom); }
  void on(keep what) { whom = what.whom; }
  cairn::ref<adder> on(kept) const { return whom; }
};

using all = cairn::actors<adder, keeper>;

cairn::task<void> ask_total(cairn::ref<adder> whom) {
  auto answer = co_await whom.ask<total>().as_result();
  seen.push_back(answer ? std::to_string(*answer) : std::string{to_string(answer.code())});
}

cairn::supervisor_options strict() {
  return {.intensity = {.restarts = 2, .within = std::chrono::hours{1}}};
}

cairn::task<int> exceed(cairn::root& root) {
  auto top = root.supervise("top", strict());
  auto it = top.spawn<adder>("it");
  auto calm = top.spawn<adder>("calm");
  co_await it.ask<add>(1);
  for (const int bad : {10, 11, 12}) it.tell<add>(bad);  // the third is one too many
  it.tell<add>(2);
  co_await root.checkpoint();
  co_await ask_total(it);
  calm.tell<add>(5);
  co_await ask_total(calm);
  it.tell<add>(3);
  co_await root.checkpoint();
  it.tell<add>(100);  // after the last commit: lost with the process
  co_return 0;
}
cairn::task<int> still_suspended(cairn::root& root) {
  auto top = root.supervise("top", strict());
  auto it = top.spawn<adder>("it");
  co_await ask_total(it);
  it.tell<add>(4);
  co_await root.checkpoint();
  co_return 0;
}
cairn::task<int> go_on(cairn::root& root) {
  auto top = root.supervise("top", strict());
  auto it = top.spawn<adder>("it");
  root.resume(it);
  co_await ask_total(it);
  co_return 0;
}

TEST_CASE("more restarts than allowed suspend an actor, also over the process's restart") {
  bench on;
  planned.clear();
  seen.clear();
  for (const int bad : {10, 11, 12}) planned.plan(bad, 1000);
  fixture::crash<all>(on, exceed);
  INFO(on.told.text());
  CHECK(seen == std::vector<std::string>{"failed", "5"});
  CHECK(on.told.count(event_kind::suspended, "it") == 1);
  CHECK(on.told.count(event_kind::given_up, "it") == 2);
  CHECK(on.told.count(event_kind::dead_letter, "it") == 2);
  seen.clear();
  const auto again = fixture::crash<all>(on, still_suspended);
  CHECK(again.restored.messages >= 3);  // 12, 2 and 3 wait; so does the ask that was answered
  CHECK(seen == std::vector<std::string>{"failed"});
  seen.clear();
  planned.clear();  // what was wrong has been mended
  fixture::crash<all>(on, go_on);
  CHECK(seen == std::vector<std::string>{std::to_string(1 + 12 + 2 + 3 + 4)});
  CHECK(on.told.count(event_kind::resumed, "it") == 1);
}

cairn::task<int> exceed_with_more_to_come(cairn::root& root) {
  auto it = root.supervise("top", strict()).spawn<adder>("it");
  auto aside = root.supervise("aside").spawn<keeper>("keeper");
  aside.tell<keep>(it);
  for (int bad = 10; bad < 16; ++bad) it.tell<add>(bad);
  co_await root.checkpoint();
  co_return 0;
}
cairn::task<int> resume_while_dormant(cairn::root& root) {
  auto aside = root.supervise("aside").spawn<keeper>("keeper");
  auto it = co_await aside.ask<kept>();
  root.resume(it);  // waits in its mailbox
  co_await root.checkpoint();
  co_return 0;
}
cairn::task<int> obey(cairn::root& root) {
  auto it = root.supervise("top", strict()).spawn<adder>("it");
  co_await ask_total(it);
  co_await root.checkpoint();
  co_await ask_total(it);
  co_return 0;
}

TEST_CASE("a word to resume that a snapshot holds is obeyed once, not by every next process") {
  bench on;
  planned.clear();
  seen.clear();
  for (int bad = 10; bad < 16; ++bad) planned.plan(bad, 1000);
  fixture::crash<all>(on, exceed_with_more_to_come);
  fixture::crash<all>(on, resume_while_dormant);
  fixture::crash<all>(on, obey);  // and suspended again by what waited
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::resumed, "it") == 1);
  CHECK(on.told.count(event_kind::suspended, "it") == 2);
  CHECK(seen == std::vector<std::string>{"failed", "failed"});
  fixture::crash<all>(on, obey);
  CHECK(on.told.count(event_kind::resumed, "it") == 1);
  CHECK(on.told.count(event_kind::given_up, "it") == 4);
}

TEST_CASE("an actor whose restarts lie outside of the period is not suspended") {
  bench on;
  planned.clear();
  seen.clear();
  for (int bad = 10; bad < 20; ++bad) planned.plan(bad, 2);
  fixture::crash<all>(on, [&on](cairn::root& root) {
    return [](cairn::root& top_task, const fixture::hand_clock* clock) -> cairn::task<int> {
      auto top = top_task.supervise("top", strict());
      auto it = top.spawn<adder>("it");
      for (int bad = 10; bad < 20; ++bad) {
        (void)co_await it.ask<add>(bad).as_result();
        clock->advance(std::chrono::minutes{40});
      }
      co_await ask_total(it);
      co_return 0;
    }(root, &on.clock);
  });
  CHECK(seen == std::vector<std::string>{"0"});
  CHECK(on.told.count(event_kind::suspended) == 0);
  CHECK(on.told.count(event_kind::given_up) == 10);
}

cairn::task<int> stop_above(cairn::root& root) {
  auto top = root.supervise("top", strict());
  auto it = top.spawn<adder>("it");
  (void)co_await it.ask<total>();
  for (int at = 0; at < 100; ++at) it.tell<add>(1);
  it.tell<add>(10);
  for (int at = 0; at < 100; ++at) it.tell<add>(1);
  root.stop_path("top");
  co_await root.checkpoint();
  co_await ask_total(it);
  co_await root.checkpoint();
  // The names are free again, for another actor.
  auto other = root.supervise("top", strict()).spawn<adder>("it");
  seen.push_back(other.id() == it.id() ? "same" : "new");
  co_await ask_total(other);
  co_return 0;
}

TEST_CASE("a child that fails while its supervisor is being stopped ends with it") {
  bench on;
  planned.clear();
  seen.clear();
  planned.plan(10, 2);
  fixture::crash<all>(on, stop_above);
  INFO(on.told.text());
  CHECK(seen == std::vector<std::string>{"stopped", "new", "0"});
  CHECK(on.told.count(event_kind::stopped) == 2);
}

cairn::task<int> brittle_fails(cairn::root& root) {
  auto top = root.supervise("top", strict());
  auto it = top.spawn<adder>("it", adder{.brittle = true});
  auto calm = top.spawn<adder>("calm");
  co_await it.ask<add>(1);
  co_await root.checkpoint();
  co_await it.ask<add>(2);
  planned.plan(1000, 1'000'000);
  co_await root.checkpoint();  // its cut throws
  co_await ask_total(it);
  co_await calm.ask<add>(7);
  co_await root.checkpoint();
  co_await ask_total(calm);
  co_return 0;
}
cairn::task<int> brittle_again(cairn::root& root) {
  auto top = root.supervise("top", strict());
  auto it = top.spawn<adder>("it");
  root.resume(it);
  co_await ask_total(it);
  co_await ask_total(top.spawn<adder>("calm"));
  co_return 0;
}

TEST_CASE("a serialize that throws suspends its actor alone") {
  bench on;
  planned.clear();
  seen.clear();
  SECTION("at a cut") {
    fixture::crash<all>(on, brittle_fails);
    INFO(on.told.text());
    CHECK(seen == std::vector<std::string>{"failed", "7"});
    CHECK(on.told.count(event_kind::suspended, "it") == 1);
    seen.clear();
    planned.clear();
    fixture::crash<all>(on, brittle_again);
    CHECK(seen == std::vector<std::string>{"3", "7"});
  }
  SECTION("when a message is given up") {
    fixture::crash<all>(on, [](cairn::root& root) {
      return [](cairn::root& top_task) -> cairn::task<int> {
        auto top = top_task.supervise("top", strict());
        auto it = top.spawn<adder>("it", adder{.brittle = true});
        auto calm = top.spawn<adder>("calm");
        co_await it.ask<add>(1);
        planned.plan(2, 2);
        planned.plan(1000, 1'000'000);
        it.tell<add>(2);
        co_await ask_total(calm);
        co_return 0;
      }(root);
    });
    INFO(on.told.text());
    CHECK(seen == std::vector<std::string>{"0"});
    CHECK(on.told.count(event_kind::suspended, "it") == 1);
  }
}

cairn::task<int> fail_twice(cairn::root& root) {
  auto it = root.supervise("top", {.intensity = {.restarts = 3, .within = std::chrono::hours{1}}})
                .spawn<adder>("it");
  (void)co_await it.ask<add>(10).as_result();
  (void)co_await it.ask<add>(20).as_result();
  co_await ask_total(it);
  co_await root.checkpoint();
  co_return 0;
}

TEST_CASE("restarts of the process before count, as long as their period lasts") {
  bench on;
  planned.clear();
  seen.clear();
  for (const int value : {10, 20}) planned.plan(value, 1'000'000);
  fixture::crash<all>(on, fail_twice);
  SECTION("within the period") {
    fixture::crash<all>(on, fail_twice);
    CHECK(seen == std::vector<std::string>{"0", "failed"});
    CHECK(on.told.count(event_kind::suspended, "it") == 1);
  }
  SECTION("later") {
    on.clock.advance(std::chrono::hours{2});
    fixture::crash<all>(on, fail_twice);
    CHECK(seen == std::vector<std::string>{"0", "0"});
  }
}

cairn::task<int> misnamed(cairn::root& root) {
  auto top = root.supervise("top", strict());
  (void)top.spawn<adder>("it");
  const auto attempt = [&](auto&& call) {
    try {
      call();
      seen.push_back("ok");
    } catch (const cairn::error& why) {
      seen.push_back(std::string{to_string(why.code())});
    }
  };
  attempt([&] { (void)top.spawn<adder>("it"); });
  attempt([&] { (void)top.spawn<adder>("a/b"); });
  attempt([&] { (void)root.supervise("top"); });
  attempt([&] { (void)root.supervise(""); });
  attempt([&] { (void)cairn::supervisor{}.spawn<adder>("x"); });
  attempt([&] { (void)top.spawn<adder>(""); });  // names nobody
  co_return 0;
}

TEST_CASE("names that are taken or bad are refused") {
  bench on;
  seen.clear();
  fixture::crash<all>(on, misnamed);
  CHECK(seen == std::vector<std::string>{"name_taken", "bad_name", "name_taken", "bad_name",
                                         "misuse", "ok"});
}

}  // namespace supervising
