// Asks from outside, with every kind of completion token, and a system on an Asio executor.
#include <cairn/asio.hpp>

#include <asio/awaitable.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <cairn/memory_store.hpp>
#include <cairn/system.hpp>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"

namespace asio_tests {

using namespace std::chrono_literals;

struct add {
  std::int64_t what = 0;
  void serialize(auto& archive) { archive(what); }
};
struct total {};
struct refuse {};
struct later {};
struct name {
  std::string text{};
  void serialize(auto& archive) { archive(text); }
};
struct block {};

struct counter {
  using protocol = cairn::protocol<add, total, refuse, later, name>;
  std::int64_t sum = 0;
  std::string called{};
  void serialize(auto& archive) { archive(sum, called); }

  void on(add one) { sum += one.what; }
  std::int64_t on(total) { return sum; }
  std::int64_t on(refuse) { throw std::domain_error{"never"}; }
  cairn::task<> on(later, cairn::context<counter>& self) { co_await self.sleep(1h); }
  std::string on(name given) { return called = std::move(given.text); }
};

/// Takes two messages, and none while its gate is shut.
struct narrow {
  using protocol = cairn::protocol<block, add, total>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 2};
  std::int64_t sum = 0;
  void serialize(auto& archive) { archive(sum); }

  static std::promise<void> entered;
  static std::promise<void> gate;
  void on(block) {
    entered.set_value();
    gate.get_future().wait();
  }
  void on(add one) { sum += one.what; }
  std::int64_t on(total) { return sum; }
};
std::promise<void> narrow::entered;
std::promise<void> narrow::gate;

/// Keeps nothing, and answers what another has kept.
struct door {
  using protocol = cairn::protocol<add>;
  using persistence = cairn::ephemeral;
  cairn::ref<counter> behind{};
  cairn::task<std::int64_t> on(add one) {
    co_await behind.ask<add>(one.what);
    co_return co_await behind.ask<total>();
  }
};

using actors = cairn::actors<counter, narrow, door>;

struct refs {
  cairn::ref<counter> one{};
  cairn::ref<narrow> two{};
  cairn::ref<door> three{};
};
std::promise<refs> made;

cairn::task<int> serve(cairn::root& root) {
  auto all = root.supervise("all");
  auto one = all.spawn<counter>("one");
  made.set_value({one, all.spawn<narrow>("two"), all.spawn<door>("three", door{one})});
  co_await root.until_stopped();
  co_return 7;
}

cairn::options quiet(cairn::options chosen = {}) {
  chosen.workers = 2;
  chosen.on_event = [](const cairn::event&) {};
  return chosen;
}

refs start(cairn::system<actors>& all) {
  made = {};
  auto ready = made.get_future();
  all.start(serve);
  return ready.get();
}

template <class T>
cairn::errc code_of(std::future<T> asked) {
  try {
    (void)asked.get();
    return cairn::errc::ok;
  } catch (const cairn::ask_error& why) {
    return why.code();
  }
}

asio::awaitable<std::int64_t> adds(refs to, int count) {
  for (int at = 0; at < count; ++at) co_await cairn::async_ask<add>(to.one, asio::use_awaitable, 1);
  const auto sum = co_await cairn::async_ask<total>(to.one, asio::use_awaitable);
  co_return sum;
}

TEST_CASE("an answer comes as a future", "[asio]") {
  cairn::system<actors> all{quiet()};
  const auto to = start(all);
  cairn::async_ask<add>(to.one, asio::use_future, 20).get();
  cairn::async_ask<add>(to.one, cairn::outside_ask{.timeout = 10s}, asio::use_future, 22).get();
  CHECK(cairn::async_ask<total>(to.one, asio::use_future).get() == 42);
  const std::string text(100, 'x');
  CHECK(cairn::async_ask<name>(to.one, asio::use_future, text).get() == text);
  all.request_stop();
  all.wait();
  CHECK(all.stop().code == 7);
}

TEST_CASE("an answer comes to a callback, on its executor", "[asio]") {
  cairn::system<actors> all{quiet()};
  const auto to = start(all);
  asio::io_context io;
  std::optional<std::thread::id> ran_on;
  std::int64_t got = -1;
  cairn::async_ask<total>(
      to.one, asio::bind_executor(io, [&, kept = std::make_unique<int>(1)](std::exception_ptr why,
                                                                           std::int64_t value) {
        ran_on = std::this_thread::get_id();
        got = why ? -2 : value + *kept;
      }));
  io.run();  // the pending ask is work
  CHECK(ran_on == std::this_thread::get_id());
  CHECK(got == 1);

  std::promise<std::int64_t> answered;
  cairn::async_ask<total>(
      to.one, [&](std::exception_ptr, std::int64_t value) { answered.set_value(value); });
  CHECK(answered.get_future().get() == 0);
}

TEST_CASE("an answer comes to an Asio coroutine", "[asio]") {
  cairn::system<actors> all{quiet()};
  const auto to = start(all);
  asio::io_context io;
  auto sum = asio::co_spawn(io, adds(to, 50), asio::use_future);
  io.run();
  CHECK(sum.get() == 50);
}

TEST_CASE("asks from outside end with what went wrong", "[asio]") {
  cairn::system<actors> all{quiet()};
  const auto to = start(all);
  CHECK(code_of(cairn::async_ask<refuse>(to.one, asio::use_future)) == cairn::errc::failed);
  const cairn::outside_ask soon{.timeout = 1ms};
  CHECK(code_of(cairn::async_ask<later>(to.one, soon, asio::use_future)) == cairn::errc::timeout);
  to.two.stop();
  CHECK(code_of(cairn::async_ask<total>(to.two, asio::use_future)) == cairn::errc::stopped);
  CHECK_THROWS_AS(cairn::async_ask<total>(cairn::ref<counter>{}, asio::use_future), cairn::error);

  SECTION("the text names the message and the failure") {
    try {
      cairn::async_ask<total>(to.two, asio::use_future).get();
      FAIL("it is stopped");
    } catch (const cairn::ask_error& why) {
      const std::string text = why.what();
      CHECK(text.find("total") != std::string::npos);
      CHECK(text.find("stopped") != std::string::npos);
    }
  }
}

TEST_CASE("asks that wait when the system ends are told", "[asio]") {
  std::optional<cairn::system<actors>> all{std::in_place, quiet()};
  const auto to = start(*all);
  auto waiting =
      cairn::async_ask<later>(to.one, cairn::outside_ask{.timeout = 1h}, asio::use_future);
  cairn::async_ask<total>(to.one, cairn::outside_ask{.timeout = 1h}, asio::detached);
  (void)all->stop();
  CHECK(code_of(std::move(waiting)) == cairn::errc::stopped);
  CHECK(code_of(cairn::async_ask<total>(to.one, asio::use_future)) == cairn::errc::stopped);
  to.one.tell<add>(1);  // to nobody
}

TEST_CASE("an answer that is held leaves with the commit of its epoch", "[asio]") {
  cairn::memory_store kept;
  std::int64_t told = 0;
  {
    cairn::system<actors> all{quiet({.store = kept, .epoch = {.every = 1ms}})};
    const auto to = start(all);
    const cairn::outside_ask held{.when = cairn::committed, .timeout = 1min};
    cairn::async_ask<add>(to.one, held, asio::use_future, 5).get();
    told = cairn::async_ask<total>(to.one, held, asio::use_future).get();
    CHECK(told == 5);
  }  // a crash
  cairn::system<actors> again{quiet({.store = kept})};
  REQUIRE(again.restored());
  const auto to = start(again);
  CHECK(cairn::async_ask<total>(to.one, asio::use_future).get() == told);
}

TEST_CASE("a held answer waits while no epoch ends", "[asio]") {
  cairn::system<actors> all{quiet({.epoch = {.every = 0s, .messages = 0, .bytes = 0}})};
  const auto to = start(all);
  const cairn::outside_ask held{.when = cairn::committed, .timeout = 1min};
  auto waits = cairn::async_ask<add>(to.one, held, asio::use_future, 5);
  CHECK(cairn::async_ask<total>(to.one, asio::use_future).get() == 5);  // it has been handled
  CHECK(waits.wait_for(0s) == std::future_status::timeout);
  CHECK(all.stop().committed);  // with the last epoch it leaves
  CHECK(code_of(std::move(waits)) == cairn::errc::ok);
}

TEST_CASE("an answer that an ephemeral actor gives is held like any other", "[asio]") {
  cairn::system<actors> all{quiet({.epoch = {.every = 0s, .messages = 0, .bytes = 0}})};
  const auto to = start(all);
  const cairn::outside_ask held{.when = cairn::committed, .timeout = 1min};
  auto waits = cairn::async_ask<add>(to.three, held, asio::use_future, 5);
  // One that is not held comes after it, by the same way.
  CHECK(cairn::async_ask<add>(to.three, asio::use_future, 1).get() == 6);
  CHECK(waits.wait_for(0s) == std::future_status::timeout);
  CHECK(all.stop().committed);
  CHECK(waits.get() == 5);
}

TEST_CASE("an outside sender waits for room", "[asio]") {
  narrow::entered = {};
  narrow::gate = {};
  cairn::system<actors> all{quiet()};
  const auto to = start(all);
  auto entered = narrow::entered.get_future();
  to.two.tell<block>();
  entered.get();
  to.two.tell<add>(1);
  to.two.tell<add>(2);
  std::vector<std::future<void>> sent;
  for (int at = 0; at < 10; ++at) {
    sent.push_back(
        cairn::async_send<add>(to.two, cairn::outside_ask{.timeout = 1min}, asio::use_future, 10));
  }
  for (const auto& each : sent) CHECK(each.wait_for(0s) == std::future_status::timeout);
  narrow::gate.set_value();
  for (auto& each : sent) each.get();
  CHECK(cairn::async_ask<total>(to.two, asio::use_future).get() == 103);
}

TEST_CASE("asks from many threads", "[asio]") {
  cairn::system<actors> all{quiet()};
  const auto to = start(all);
  std::vector<std::thread> threads;
  for (int at = 0; at < 4; ++at) {
    threads.emplace_back([to] {
      std::vector<std::future<void>> sent;
      for (int each = 0; each < 500; ++each) {
        sent.push_back(cairn::async_ask<add>(to.one, asio::use_future, 1));
      }
      for (auto& each : sent) each.get();
    });
  }
  for (auto& each : threads) each.join();
  CHECK(cairn::async_ask<total>(to.one, asio::use_future).get() == 2000);
}

TEST_CASE("a system runs on the threads of a service", "[asio]") {
  for (const int threads : {1, 2}) {
    cairn::memory_store kept;
    asio::io_context io;
    const auto busy = asio::make_work_guard(io);
    std::vector<std::thread> pool;
    for (int at = 0; at < threads; ++at) pool.emplace_back([&] { io.run(); });
    {
      cairn::options chosen;
      chosen.store = kept;
      chosen.executor = io.get_executor();
      cairn::system<actors> all{quiet(std::move(chosen))};
      const auto to = start(all);
      CHECK(asio::co_spawn(io, adds(to, 100), asio::use_future).get() == 100);
      CHECK(cairn::async_ask<total>(to.one, asio::use_future).get() == 100);
      std::promise<bool> inside;
      cairn::async_ask<total>(to.one, [&](std::exception_ptr, std::int64_t) {
        inside.set_value(io.get_executor().running_in_this_thread());
      });
      CHECK(inside.get_future().get());  // no executor of its own: the system's
      all.request_stop();
      all.wait();
      const auto how = all.stop();
      CHECK(how.committed);
      CHECK(how.code == 7);
    }
    {
      cairn::system<actors> again{quiet({.store = kept})};
      const auto to = start(again);
      CHECK(cairn::async_ask<total>(to.one, asio::use_future).get() == 100);
    }
    io.stop();
    for (auto& each : pool) each.join();
  }
}

}  // namespace asio_tests
