// What a running system says of itself, also while a handler blocks.
#include <cairn/status.hpp>

#include <asio/use_future.hpp>
#include <atomic>
#include <cairn/asio.hpp>
#include <cairn/system.hpp>
#include <chrono>
#include <future>
#include <string>

#include "catch.hpp"

namespace status_tests {

using namespace std::chrono_literals;

struct poke {};
struct block {};
struct fail {};
struct wait {};

std::promise<void> entered;
std::promise<void> gate;
std::atomic<std::int64_t> clock_ms{1'000'000};

struct sleeper {
  using protocol = cairn::protocol<poke, block, fail, wait>;
  int pokes = 0;
  void serialize(auto& archive) { archive(pokes); }

  void on(poke) { ++pokes; }
  void on(block) {
    entered.set_value();
    gate.get_future().wait();
  }
  void on(fail) { throw std::domain_error{"as asked"}; }
  cairn::task<> on(wait, cairn::context<sleeper>& self) { co_await self.sleep(1h); }
};
using actors = cairn::actors<sleeper>;

struct refs {
  cairn::ref<sleeper> a{};
  cairn::ref<sleeper> b{};
};
std::promise<refs> made;

cairn::task<int> serve(cairn::root& root) {
  auto all = root.supervise("all", {.intensity = {.restarts = 0, .within = 1h}});
  made.set_value({all.spawn<sleeper>("a"), all.spawn<sleeper>("b")});
  co_await root.until_stopped();
  co_return 0;
}

refs start(cairn::system<actors>& all) {
  made = {};
  entered = {};
  gate = {};
  auto ready = made.get_future();
  all.start(serve);
  return ready.get();
}

cairn::options quiet(unsigned workers) {
  cairn::options chosen;
  chosen.workers = workers;
  chosen.epoch.every = 0s;
  chosen.slow_turn = 0s;
  chosen.on_event = [](const cairn::event&) {};
  return chosen;
}

TEST_CASE("a status counts and names", "[status]") {
  for (const unsigned workers : {1U, 3U}) {
    cairn::system<actors> all{quiet(workers)};
    const auto to = start(all);
    to.a.tell<wait>();
    for (int at = 0; at < 7; ++at) to.a.tell<poke>();
    cairn::async_ask<poke>(to.b, asio::use_future).get();
    const cairn::outside_ask long_time{.timeout = 1h};
    auto waits = cairn::async_ask<poke>(to.a, long_time, asio::use_future);
    auto now = all.status(1min);
    while (now.waiting < 8) now = all.status(1min);  // what was sent may be on its way
    CHECK(now.actors == 3);                          // with their supervisor
    CHECK(now.workers == workers);
    CHECK(now.outside_asks == 1);
    CHECK(now.messages >= 2);
    CHECK(now.silent.empty());
    REQUIRE(now.deepest.size() == 1);
    CHECK(now.deepest[0].actor == "a");
    CHECK(now.deepest[0].depth == 8);
    CHECK(now.commit_age < 0s);
    CHECK(now.committed == cairn::epoch{});

    const std::string text = cairn::to_text(now);
    CHECK(text.find("actors    3 on " + std::to_string(workers) + " workers\n") == 0);
    CHECK(text.find("mailbox   8 of a (status_tests::sleeper)\n") != std::string::npos);
    (void)all.stop();
    now = all.status(1h);  // nobody runs any more: at once
    CHECK(now.committed != cairn::epoch{});
    CHECK(now.silent.empty());
  }
}

TEST_CASE("a status names suspended actors and the last commit", "[status]") {
  auto options = quiet(2);
  options.epoch.every = 1ms;
  cairn::system<actors> all{std::move(options)};
  const auto to = start(all);
  CHECK_THROWS_AS(cairn::async_ask<fail>(to.a, asio::use_future).get(), cairn::ask_error);
  auto now = all.status(1min);
  while (now.commit_age < 0s || now.suspended == 0) now = all.status(1min);
  CHECK(now.restarts == 1);
  CHECK(now.suspended == 1);
  REQUIRE(now.suspended_names.size() == 1);
  CHECK(now.suspended_names[0] == "a");
  CHECK(now.commit_age >= 0s);
  CHECK(now.committed < now.now);
  CHECK(now.commit_cost.visited >= 1);
  const std::string text = cairn::to_text(now);
  CHECK(text.find("suspended 1: a\n") != std::string::npos);
  CHECK(text.find(" committed 0.") != std::string::npos);
}

TEST_CASE("a status names a worker that does not answer", "[status]") {
  cairn::system<actors> all{quiet(1)};
  const auto to = start(all);
  auto in = entered.get_future();
  CHECK(all.inner().board().progressed());
  to.b.tell<block>();
  in.get();
  const auto now = all.status(1ms);
  REQUIRE(now.silent.size() == 1);
  CHECK(now.silent[0].number == 0);
  CHECK(now.silent[0].actor == to.b.id());
  CHECK(now.silent[0].name == "b");
  CHECK(now.silent[0].type == "status_tests::sleeper");
  CHECK(now.silent[0].message == "status_tests::block");
  const std::string text = cairn::to_text(now);
  CHECK(text.find("worker    0 does not answer: actor b (status_tests::sleeper) handles "
                  "status_tests::block\n") != std::string::npos);
  (void)all.inner().board().progressed();
  CHECK_FALSE(all.inner().board().progressed());  // the watchdog is not told
  gate.set_value();
  CHECK(all.status(1min).silent.empty());
}

/// Stands still but for the handlers that take long.
struct still_clock final : cairn::clock {
  [[nodiscard]] std::chrono::nanoseconds steady() const override {
    return std::chrono::milliseconds{clock_ms.load(std::memory_order_relaxed)};  // a test's figure
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override { return {}; }
};

struct dawdle {
  int ms = 0;
  void serialize(auto& archive) { archive(ms); }
};
struct give_up {
  int ms = 0;
  void serialize(auto& archive) { archive(ms); }
};
struct dawdler {
  using protocol = cairn::protocol<dawdle, give_up>;
  void on(dawdle how) { clock_ms.fetch_add(how.ms, std::memory_order_relaxed); }
  void on(give_up how, cairn::context<dawdler>& self) {
    on(dawdle{how.ms});
    self.stop();
  }
};

std::promise<cairn::ref<dawdler>> made_one;
cairn::task<int> dawdles(cairn::root& root) {
  made_one.set_value(root.supervise("all").spawn<dawdler>("slow"));
  co_await root.until_stopped();
  co_return 0;
}

/// Those that told of a slow turn: a second one where nobody waits for it throws.
cairn::options tells_slow(std::promise<cairn::event>& slow) {
  auto options = quiet(1);
  options.slow_turn = 100ms;
  options.clock = std::make_unique<still_clock>();
  options.on_event = [&slow](const cairn::event& what) {
    if (what.kind == cairn::event_kind::slow_turn) slow.set_value(what);
  };
  return options;
}

TEST_CASE("a turn that takes long is told of by who had it, be it the last one", "[status]") {
  std::promise<cairn::event> slow;
  cairn::system<cairn::actors<dawdler>> all{tells_slow(slow)};
  all.start(dawdles);
  const auto to = made_one.get_future().get();
  const cairn::outside_ask long_time{.timeout = 1h};
  cairn::async_ask<give_up>(to, long_time, asio::use_future, 250).get();
  const auto what = slow.get_future().get();
  CHECK(what.name == "slow");
  CHECK(what.actor == to.id());
  CHECK(what.consumed == cairn::position{1});
  CHECK(what.text == "kept worker 0 for 250 ms, at last with status_tests::give_up");
}

TEST_CASE("a turn that takes long is told of", "[status]") {
  made_one = {};
  std::promise<cairn::event> slow;
  cairn::system<cairn::actors<dawdler>> all{tells_slow(slow)};
  all.start(dawdles);
  const auto to = made_one.get_future().get();
  const cairn::outside_ask long_time{.timeout = 1h};
  cairn::async_ask<dawdle>(to, long_time, asio::use_future, 90).get();
  cairn::async_ask<dawdle>(to, long_time, asio::use_future, 250).get();
  const auto what = slow.get_future().get();  // a second one would have thrown
  CHECK(what.name == "slow");
  CHECK(what.text == "kept worker 0 for 250 ms, at last with status_tests::dawdle");
}

}  // namespace status_tests
