// Hooks: when they are called over restarts, crashes and stops.
#include <atomic>
#include <cairn/actor.hpp>
#include <future>

#include "runtime/fixture.hpp"

namespace hooks {

using cairn::event_kind;
using fixture::bench;

std::mutex guard;
std::vector<std::string> seen;
fixture::faults planned;

void note(std::string what) {
  const std::lock_guard lock{guard};
  seen.push_back(std::move(what));
}
int count(const std::string& what) {
  const std::lock_guard lock{guard};
  return static_cast<int>(std::count(seen.begin(), seen.end(), what));
}

struct poke {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct show {};
struct told {
  int births = 0;
  std::uint64_t commits = 0;
  std::uint64_t last = 0;
  int pokes = 0;
  void serialize(auto& ar) { ar(births, commits, last, pokes); }
};

struct hooked {
  using protocol = cairn::protocol<poke, show>;
  told kept{};
  std::string ballast{};
  void serialize(auto& ar) { ar(kept, ballast); }

  void on_birth(cairn::context<hooked>& self) {
    ++kept.births;
    self.ref().tell<poke>(1000);
  }
  void on_start(cairn::context<hooked>& self) {
    (void)self.now();  // handed to nobody: it is not part of a handler
    (void)self.random();
    note("start");
  }
  void on_stop(cairn::stop_reason why) {
    note(why == cairn::stop_reason::restart   ? "stop restart"
         : why == cairn::stop_reason::stopped ? "stop stopped"
                                              : "stop shutdown");
  }
  void on_commit(cairn::epoch number) {
    ++kept.commits;
    kept.last = raw(number);
  }
  void on(poke what) {
    ++kept.pokes;
    planned.check(what.value);
  }
  told on(show) const { return kept; }
};

using all = cairn::actors<hooked>;
std::vector<told> answers;

cairn::task<int> live(cairn::root& root) {
  auto it = root.supervise("top", {.intensity = {.restarts = 100}}).spawn<hooked>("it");
  for (const int value : {1, 2, 3, 4, 5}) it.tell<poke>(value);
  for (int at = 0; at < 3; ++at) co_await root.checkpoint();
  it.tell<poke>(6);
  answers.push_back(co_await it.ask<show>());
  co_return 0;
}

TEST_CASE("hooks: birth once in a life, start after each restore, stop with its reason") {
  bench on;
  planned.clear();
  seen.clear();
  answers.clear();
  planned.plan(2, 1);
  planned.plan(4, 2);
  fixture::crash<all>(on, live);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::diverged) == 0);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].births == 1);
  CHECK(answers[0].pokes == 1 + 5 - 1 + 1);
  CHECK(answers[0].commits >= 1);  // the later epochs held nothing but that notice
  CHECK(count("start") == 1 + 3);
  CHECK(count("stop restart") == 3);
  CHECK(count("stop shutdown") == 1);
  fixture::finish<all>(on, live);
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].births == 1);
  CHECK(answers[1].pokes == 5 + 5 + 1);  // the sixth of the first run is lost with its process
  CHECK(count("start") == 5);
  fixture::crash<all>(on, [](cairn::root& root) {
    return [](cairn::root& top) -> cairn::task<int> {
      auto over = top.supervise("top");
      auto it = over.spawn<hooked>("it");
      it.stop();
      co_await top.checkpoint();
      answers.push_back(co_await over.spawn<hooked>("it").ask<show>());
      co_return 0;
    }(root);
  });
  CHECK(count("stop stopped") == 1);
  REQUIRE(answers.size() == 3);
  CHECK(answers[2].births == 1);  // another actor of that name
  CHECK(answers[2].pokes <= 1);
}

}  // namespace hooks

namespace resting {

using cairn::event_kind;
using fixture::bench;

struct work {};
struct quit {};
struct item {};
struct count {};

std::atomic<bool> begun{false};
std::promise<void>* may_end = nullptr;

int wait_outside() {
  begun.store(true, std::memory_order_release);  // pairs with the load in the root task
  may_end->get_future().wait();
  return 7;
}

struct runner {
  using protocol = cairn::protocol<work, quit, count>;
  int done = 0;
  void serialize(auto& ar) { ar(done); }
  cairn::task<> on(work, cairn::context<runner>& self) {
    done = co_await self.run("wait", &wait_outside);
  }
  cairn::task<int> on(quit, cairn::context<runner>& self) {
    self.stop();
    co_await self.sleep(std::chrono::hours{1});
    co_return 1;
  }
  int on(count) { return done; }
};

/// Born into a mailbox that overflows before its first turn.
struct small {
  using protocol = cairn::protocol<item, count>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 4,
                                                  .when_full = cairn::overflow::drop_oldest};
  int births = 0;
  void serialize(auto& ar) { ar(births); }
  void on_birth(cairn::context<small>&) { ++births; }
  void on(item) {}
  int on(count) { return births; }
};

using all = cairn::actors<runner, small>;

TEST_CASE("a snapshot at rest waits for a run that is under way") {
  bench on;
  std::promise<void> end;
  may_end = &end;
  int answer = 0;
  auto chosen = on.options();
  chosen.clock = nullptr;  // the system looks again after a while
  fixture::finish<all>(std::move(chosen), [&](cairn::root& root) {
    return [](cairn::root& top, std::promise<void>* done, int* to) -> cairn::task<int> {
      auto one = top.supervise("top").spawn<runner>("one");
      one.tell<work>();
      // pairs with the store in wait_outside()
      while (!begun.load(std::memory_order_acquire)) {
        co_await top.sleep(std::chrono::milliseconds{1});
      }
      auto kept = top.savepoint("quiet", cairn::at_rest);
      done->set_value();
      co_await std::move(kept);
      *to = co_await one.ask<count>();
      co_return 0;
    }(root, &end, &answer);
  });
  CHECK(answer == 7);
  CHECK(on.told.count(event_kind::unfinished) == 0);
}

TEST_CASE("who asks an actor that stops before it answers is told so") {
  bench on;
  cairn::errc code = cairn::errc::ok;
  fixture::finish<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top, cairn::errc* to) -> cairn::task<int> {
      auto one = top.supervise("top").spawn<runner>("one");
      auto answer = co_await one.ask<quit>().as_result();
      *to = answer.code();
      co_return 0;
    }(root, &code);
  });
  CHECK(code == cairn::errc::stopped);
}

TEST_CASE("a full mailbox that drops the oldest keeps the actor's birth") {
  bench on;
  int births = 0;
  fixture::finish<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top, int* to) -> cairn::task<int> {
      auto one = top.supervise("top").spawn<small>("one");
      for (int at = 0; at < 20; ++at) one.tell<item>();
      co_await top.checkpoint();  // the only worker has run it meanwhile
      *to = co_await one.ask<count>();
      co_return 0;
    }(root, &births);
  });
  CHECK(births == 1);
}

}  // namespace resting
