// All actors pause, and go on.
#include <cairn/asio.hpp>

#include <algorithm>
#include <asio/bind_executor.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <future>
#include <optional>
#include <semaphore>
#include <thread>

#include "by_hand.hpp"

namespace pausing {

using namespace std::chrono_literals;
using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using played::by_hand;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct nap {};
struct later {};
struct look {};

std::atomic<bool> napping{false};

struct counter {
  using protocol = cairn::protocol<add, nap, later, look>;
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  void on(add what) { seen.push_back(what.value); }
  cairn::task<> on(nap, cairn::context<counter>& self) {
    seen.push_back(100);
    napping.store(true, std::memory_order_release);  // pairs with the wait in a test
    napping.notify_all();
    co_await self.sleep(1h);
    seen.push_back(101);
  }
  void on(later, cairn::context<counter>& self) { self.send_after<add>(1h, 7); }
  std::vector<int> on(look) const { return seen; }
};

/// Keeps nothing, and pauses as well.
struct fleeting {
  using protocol = cairn::protocol<add, look>;
  using persistence = cairn::ephemeral;
  int sum = 0;
  void on(add what) { sum += what.value; }
  int on(look) const { return sum; }
};

using all = cairn::actors<counter, fleeting>;

struct people {
  cairn::ref<counter> a{};
  cairn::ref<counter> b{};
  cairn::ref<fleeting> c{};
};
cairn::task<int> app(cairn::root& root, people* who) {
  auto top = root.supervise("top");
  *who = {top.spawn<counter>("a"), top.spawn<counter>("b"), top.spawn<fleeting>("c")};
  co_await root.until_stopped();
  co_return 0;
}

/// A system of two workers whose steps the test takes.
struct stage {
  bench on{};
  by_hand hand{};
  people who{};
  std::unique_ptr<cairn::system<all>> running{};
  explicit stage(unsigned workers = 2) {
    on.workers = workers;
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<all>>(std::move(chosen));
  }
  void start() {
    running->start([this](cairn::root& root) { return app(root, &who); });
    hand.until_quiet();
  }
  /// What it answers; nothing where nobody does.
  std::optional<std::vector<int>> seen(const cairn::ref<counter>& whom) {
    answered.reset();
    failed.reset();
    cairn::async_ask<look>(
        whom, asio::bind_executor(io, [this](std::exception_ptr why, std::vector<int> value) {
          try {
            if (why) std::rethrow_exception(why);
            answered = std::move(value);
          } catch (const cairn::ask_error& error) {
            failed = error.code();
          }
        }));
    play();
    return answered;
  }
  void play() {
    hand.until_quiet();
    io.restart();
    io.poll();
  }
  asio::io_context io{};
  std::optional<std::vector<int>> answered{};
  std::optional<errc> failed{};
};
using numbers = std::vector<int>;

TEST_CASE("all actors pause once every worker has ended its turns, and go on as if nothing was") {
  stage play;
  play.start();
  CHECK_FALSE(play.running->pause());
  play.hand.step(0, 3);
  CHECK_FALSE(play.running->pause());  // the second worker may be in a turn
  CHECK_FALSE(play.running->status(0s).paused);
  CHECK(play.on.told.count(event_kind::paused) == 0);
  play.hand.step(1);
  CHECK(play.running->pause());
  CHECK(play.running->status(0s).paused);
  CHECK(to_text(play.running->status(0s)).find("all paused") != std::string::npos);

  const auto handled = play.running->status(0s).messages;
  for (int at = 1; at <= 3; ++at) play.who.a.tell<add>(at);
  play.who.b.tell<add>(4);
  play.who.c.tell<add>(5);
  play.hand.until_quiet();
  CHECK(play.running->status(0s).messages == handled);
  CHECK(play.on.told.count(event_kind::paused) == 1);

  play.running->resume();
  play.running->resume();
  play.hand.until_quiet();
  CHECK_FALSE(play.running->status(0s).paused);
  CHECK(play.running->status(0s).messages == handled + 5);
  CHECK(play.on.told.count(event_kind::continued) == 1);
  CHECK(play.seen(play.who.a) == numbers{1, 2, 3});
  CHECK(play.seen(play.who.b) == numbers{4});
}

TEST_CASE("what is taken back before it was so is not told") {
  stage play;
  play.start();
  play.running->resume();
  (void)play.running->pause();
  play.hand.step(0);
  play.running->resume();
  play.hand.until_quiet();
  CHECK(play.on.told.count(event_kind::paused) == 0);
  CHECK(play.on.told.count(event_kind::continued) == 0);
  play.who.a.tell<add>(1);
  CHECK(play.seen(play.who.a) == numbers{1});
}

TEST_CASE("while all pause timers that come due and suspended handlers wait") {
  stage play;
  play.start();
  play.who.a.tell<nap>();
  play.who.b.tell<later>();
  play.hand.until_quiet();
  (void)play.running->pause();
  play.hand.until_quiet();
  play.on.clock.advance(2h);
  play.who.a.tell<add>(1);
  play.who.b.tell<add>(2);
  play.hand.until_quiet();
  // Nobody's timer is waited for: there is none in time that it does not set aside.
  const auto outcome = play.hand.steps.at(cairn::seats::workers)(1);
  CHECK((outcome.wait.count() < 0 || outcome.wait > 0s));
  CHECK_FALSE(outcome.busy);
  play.running->resume();
  play.hand.until_quiet();
  CHECK(play.seen(play.who.a) == numbers{100, 101, 1});
  auto b = play.seen(play.who.b);
  REQUIRE(b);
  std::sort(b->begin(), b->end());
  CHECK(*b == numbers{2, 7});
}

TEST_CASE("a paused system commits, and answers nobody outside in time") {
  stage play;
  play.start();
  (void)play.running->pause();
  play.hand.until_quiet();
  const auto before = play.on.told.count(event_kind::committed);
  play.who.a.tell<add>(1);
  play.running->inner().leader().request();
  play.hand.until_quiet();
  CHECK(play.on.told.count(event_kind::committed) == before + 1);

  CHECK_FALSE(play.seen(play.who.a));
  CHECK_FALSE(play.failed);
  play.on.clock.advance(std::chrono::hours{1001});
  play.play();
  CHECK(play.failed == errc::timeout);
}

TEST_CASE("a system may pause before it starts") {
  stage play{1};
  CHECK_FALSE(play.running->pause());
  play.start();
  CHECK(play.running->pause());
  play.who.a.tell<add>(1);
  CHECK_FALSE(play.seen(play.who.a));
  play.running->resume();
  CHECK(play.seen(play.who.a) == numbers{1});
}

TEST_CASE("a paused system goes back to its snapshot, and pauses on") {
  stage play;
  play.start();
  play.who.a.tell<add>(1);
  play.running->inner().leader().request();
  play.hand.until_quiet();
  play.who.b.tell<nap>();
  play.hand.until_quiet();
  (void)play.running->pause();
  play.hand.until_quiet();
  play.who.a.tell<add>(2);
  play.on.clock.advance(2h);
  play.hand.until_quiet();
  play.running->rollback();
  play.hand.until_quiet();
  CHECK(play.on.told.count(event_kind::rolled_back) == 1);
  CHECK(play.running->pause());
  CHECK_FALSE(play.seen(play.who.a));
  play.running->resume();
  play.hand.until_quiet();
  CHECK(play.seen(play.who.a) == numbers{1, 2});
  CHECK(play.on.told.count(event_kind::paused) == 1);
}

TEST_CASE("a paused system ends as it stands, at once") {
  bench on;
  on.workers = 2;
  auto chosen = on.options();
  chosen.rest = 1000h;
  chosen.shutdown = 2000h;  // it hangs where it waits for handlers to end
  napping = false;
  {
    people who;
    std::binary_semaphore begun{0};
    cairn::system<all> running{std::move(chosen)};
    running.on_started([&] { begun.release(); });
    running.start([&](cairn::root& root) { return app(root, &who); });
    begun.acquire();
    who.b.tell<nap>();
    napping.wait(false, std::memory_order_acquire);  // pairs with the handler's release
    REQUIRE(running.pause(1h));
    for (int at = 1; at <= 3; ++at) who.a.tell<add>(at);
    running.request_stop();
    running.wait();
    const auto end = running.stop();
    CHECK(end.committed);
    CHECK(end.finished);
  }
  CHECK(on.told.count(event_kind::continued) == 0);
  const auto next = fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto a = root.supervise("top").spawn<counter>("a");
    const auto seen = co_await a.ask<look>();
    CHECK(seen == numbers{1, 2, 3});  // it does not pause any more
    co_return 0;
  });
  CHECK(next.restored.messages == 3);
  CHECK(next.restored.suspended_handlers == 1);
}

TEST_CASE("the root task pauses the others, keeps a savepoint and lets them go on") {
  bench on;
  on.workers = GENERATE(1U, 2U);
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, bench* with) -> cairn::task<int> {
      auto door = root.supervise("top");
      auto a = door.spawn<counter>("a");
      auto b = door.spawn<counter>("b");
      auto c = door.spawn<fleeting>("c");
      b.tell<nap>();
      a.tell<add>(1);
      (void)co_await a.ask<look>();
      (void)co_await c.ask<look>();
      co_await root.pause();
      CHECK(with->told.count(event_kind::paused) == 1);
      a.tell<add>(2);
      co_await root.savepoint("still", cairn::at_rest);  // b's handler will not end
      co_await root.pause();                             // it is so already
      root.resume();
      const auto seen = co_await a.ask<look>();
      CHECK(seen == numbers{1, 2});
      co_return 0;
    }(top, &on);
  });
  CHECK(on.told.count(event_kind::paused) == 1);
}

TEST_CASE("threads pause and resume at the same time while others send") {
  bench on;
  on.workers = 2;
  people who;
  std::binary_semaphore begun{0};
  cairn::system<all> running{on.options()};
  running.on_started([&] { begun.release(); });
  running.start([&](cairn::root& root) { return app(root, &who); });
  begun.acquire();
  std::vector<std::thread> threads;
  for (int number = 0; number < 2; ++number) {
    threads.emplace_back([&] {
      for (int at = 0; at < 200; ++at) {
        (void)running.pause(at % 10 == 0 ? 1ms : 0ms);
        running.resume();
      }
    });
  }
  threads.emplace_back([&] {
    for (int at = 0; at < 2000; ++at) {
      who.a.tell<add>(at);
      who.c.tell<add>(1);
      if (at % 100 == 0) running.inner().leader().request();
    }
  });
  for (auto& each : threads) each.join();
  std::promise<numbers> got;
  cairn::async_ask<look>(
      who.a, [&](std::exception_ptr, numbers value) { got.set_value(std::move(value)); });
  const numbers seen = got.get_future().get();
  CHECK(seen.size() == 2000);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  // Whoever waited until it is so may look at what handlers have written.
  REQUIRE(running.pause(1h));
  running.request_stop();
  running.wait();
  CHECK(running.stop().committed);
}

}  // namespace pausing
