// When epochs begin by themselves, and how far their records may run ahead of the disk.
#include <cairn/asio.hpp>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <optional>
#include <thread>

#include <asio/bind_executor.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include "fixture.hpp"

namespace limits {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct big {
  std::array<std::uint64_t, 125> words{};
  void serialize(auto& ar) { ar(words); }
};
struct spin {};
struct where {};
struct total {};

struct tally {
  using protocol = cairn::protocol<add, big, total>;
  std::int64_t sum = 0;
  std::string ballast{};
  void serialize(auto& ar) { ar(sum, ballast); }
  std::int64_t on(add what) { return sum += what.value; }
  void on(big) { ++sum; }
  std::int64_t on(total) const { return sum; }
};

/// Never lets its worker rest.
struct ticker {
  using protocol = cairn::protocol<spin, where>;
  std::uint64_t turns = 0;
  void serialize(auto& ar) { ar(turns); }
  void on(spin, cairn::context<ticker>& self) {
    ++turns;
    self.ref().tell<spin>();
  }
  unsigned on(where, cairn::context<ticker>& self) {
    return self.where().home.load(std::memory_order_relaxed)->index;  // its own worker runs it
  }
};

using all = cairn::actors<tally, ticker>;

/// What a store waits for in its verbs. Shared with the writer's thread.
struct disk {
  std::function<void()> before_commit = [] {};
  std::mutex guard;
  std::condition_variable changed;
  bool stuck = false;  ///< under the guard

  void stick(bool is) {
    const std::lock_guard lock{guard};
    stuck = is;
    changed.notify_all();
  }
  void wait() {
    std::unique_lock lock{guard};
    changed.wait(lock, [&] { return !stuck; });
  }
};

struct slow_store : cairn::memory_store {
  slow_store(const cairn::memory_store& kept, disk* on) : memory_store{kept}, by{on} {}
  void append(cairn::bytes_view records) {
    by->wait();
    memory_store::append(records);
  }
  void commit(bool releases) {
    by->before_commit();
    memory_store::commit(releases);
  }
  disk* by;
};
static_assert(cairn::store<slow_store>);

/// Lets the only worker make at least that many steps, which consumes no message.
cairn::task<void> steps(cairn::root& root, int count) {
  for (int at = 0; at < count; ++at) co_await root.sleep(0ns);
}

/// What the root tasks have seen: how many epochs had begun, or sums.
std::vector<std::int64_t> seen;

void look(const bench* on) {
  seen.push_back(static_cast<std::int64_t>(on->told.count(event_kind::epoch_begun)));
}

cairn::task<int> count_up(cairn::root& root, const bench* on, bool by_bytes) {
  auto it = root.supervise("top").spawn<tally>("it");
  co_await root.checkpoint();
  for (int round = 0; round < 2; ++round) {
    for (int at = 0; at < 19; ++at) {
      by_bytes ? co_await it.ask<big>() : (void)co_await it.ask<add>(1);
    }
    co_await steps(root, 50);
    look(on);
    by_bytes ? co_await it.ask<big>() : (void)co_await it.ask<add>(1);
    co_await steps(root, 50);
    look(on);
    co_await root.checkpoint();
    look(on);
  }
  co_return 0;
}

TEST_CASE("an epoch begins when so many messages, or bytes of them, have been consumed") {
  bench on;
  seen.clear();
  auto chosen = on.options();
  const auto run = [&](bool by_bytes) {
    fixture::crash<all>(std::move(chosen),
                        [&](cairn::root& root) { return count_up(root, &on, by_bytes); });
  };
  const std::vector<std::int64_t> expected{1, 2, 3, 3, 4, 5};
  SECTION("messages") {
    chosen.epoch.messages = 20;
    run(false);
    CHECK(seen == expected);
  }
  SECTION("bytes") {
    chosen.epoch.bytes = 20 * sizeof(big);
    run(true);
    CHECK(seen == expected);
  }
  SECTION("neither: on demand only") {
    run(false);
    CHECK(seen == std::vector<std::int64_t>{1, 1, 2, 2, 2, 3});
  }
}

cairn::task<int> pause(cairn::root& root, const bench* on) {
  auto it = root.supervise("top").spawn<tally>("it");
  co_await root.checkpoint();  // its commit takes five minutes
  for (int at = 0; at < 100; ++at) (void)co_await it.ask<add>(1);
  co_await steps(root, 50);
  look(on);
  on->clock.advance(10min - 1ns);
  co_await steps(root, 50);
  look(on);
  on->clock.advance(1ns);
  co_await steps(root, 50);
  look(on);
  for (int at = 0; at < 100; ++at) (void)co_await it.ask<add>(1);
  co_await root.checkpoint();  // on demand there is no pause
  look(on);
  co_return 0;
}

TEST_CASE("no epoch begins by itself before the pause after the last one is over") {
  bench on;
  seen.clear();
  disk by;
  by.before_commit = [&] { on.clock.advance(5min); };
  auto chosen = on.options();
  chosen.store = slow_store{on.store, &by};
  chosen.epoch.messages = 10;
  chosen.epoch.min_pause = 10min;
  fixture::crash<all>(std::move(chosen), [&](cairn::root& root) { return pause(root, &on); });
  CHECK(seen == std::vector<std::int64_t>{1, 1, 2, 3});
}

cairn::task<int> exceed(cairn::root& root, bool* done) {
  auto it = root.supervise("top").spawn<tally>("it");
  co_await root.checkpoint();
  for (int at = 0; at < 100; ++at) (void)co_await it.ask<add>(1);
  *done = true;
  co_await root.until_stopped();
  co_return 0;
}

TEST_CASE("an epoch that waits for the end of a pause needs nothing else to begin") {
  asio::io_context io;  // this thread is the worker
  const auto work = asio::make_work_guard(io);
  bench on;
  bool done = false;
  auto chosen = on.options();
  chosen.executor = io.get_executor();
  chosen.epoch.messages = 10;
  chosen.epoch.min_pause = 1ms;
  cairn::system<all> running{std::move(chosen)};
  running.start([&](cairn::root& root) { return exceed(root, &done); });
  while (!done) io.run_one();
  while (io.poll() != 0) {
  }
  CHECK(on.told.count(event_kind::epoch_begun) == 1);
  on.clock.advance(1ms);
  while (on.told.count(event_kind::epoch_begun) == 1 && io.run_one_for(20s) != 0) {
  }
  CHECK(on.told.count(event_kind::epoch_begun) == 2);
}

cairn::task<int> spin_elsewhere(cairn::root& root) {
  auto top = root.supervise("top");
  std::vector<cairn::ref<ticker>> two{top.spawn<ticker>("a"), top.spawn<ticker>("b")};
  co_await root.checkpoint();
  if (!root.restored()) co_return 0;
  for (const auto& each : two) {
    if (co_await each.ask<where>() == 1) each.tell<spin>();
  }
  co_await root.until_stopped();
  co_return 0;
}

TEST_CASE("an epoch begins although the first worker sleeps and another consumes the messages") {
  bench on;
  fixture::crash<all>(on, spin_elsewhere);
  on.workers = 2;  // restored actors are dealt out
  auto chosen = on.options();
  chosen.epoch.messages = 20'000;
  std::optional<cairn::system<all>> running;
  std::atomic<int> begun{0};
  chosen.on_event = [&](const cairn::event& what) {
    if (what.kind != event_kind::epoch_begun) return;
    // Relaxed: the first worker's. The first one is the checkpoint's.
    if (begun.fetch_add(1, std::memory_order_relaxed) == 2) running->request_stop();
  };
  running.emplace(std::move(chosen));
  running->start(spin_elsewhere);
  CHECK(running->wait_for(60s));
}

cairn::task<int> adapt(cairn::root& root, const bench* on, std::atomic<int>* cost) {
  auto it = root.supervise("top").spawn<tally>("it");
  for (const int seconds : {2, 8, 2}) {
    cost->store(seconds, std::memory_order_relaxed);  // the commit's job orders it
    co_await root.checkpoint();                       // begun that many seconds ago
    (void)co_await it.ask<add>(1);
    look(on);
    const auto interval = seconds == 2 ? 20s : 40s;  // sqrt(2 * 2 s * 100 s), sqrt(2 * 8 s * 100 s)
    on->clock.advance(interval - std::chrono::seconds{seconds} - 1ns);
    co_await steps(root, 50);
    look(on);
    on->clock.advance(1ns);
    co_await steps(root, 50);
    look(on);
  }
  co_return 0;
}

TEST_CASE("the interval of a running system follows what its epochs cost") {
  bench on;
  seen.clear();
  disk by;
  std::atomic<int> cost{0};
  by.before_commit = [&] {
    on.clock.advance(std::chrono::seconds{cost.load(std::memory_order_relaxed)});  // see adapt()
  };
  auto chosen = on.options();
  chosen.store = slow_store{on.store, &by};
  chosen.epoch = cairn::adaptive{.mtbf = 100s};
  fixture::crash<all>(std::move(chosen),
                      [&](cairn::root& root) { return adapt(root, &on, &cost); });
  REQUIRE(seen.size() == 9);
  for (std::size_t at = 0; at < seen.size(); at += 3) {
    INFO("epochs begun before: " << seen[at]);
    CHECK(seen[at + 1] == seen[at]);
    CHECK(seen[at + 2] == seen[at] + 1);
  }
}

constexpr std::size_t heavy = 300 * 1024;  // each cut is handed to the writer at once
constexpr int heavies = 8;

struct overrun {
  bool goes_on = false;
  asio::io_context answers{};
  errc code = errc::ok;
  std::string text{};
  std::size_t answered_before = 0;  ///< of what waits for its commit
  std::size_t answered_after = 0;
};

std::vector<cairn::ref<tally>> heavy_ones(cairn::root& root) {
  auto top = root.supervise("top");
  std::vector<cairn::ref<tally>> them;
  for (int at = 0; at < heavies; ++at) {
    const std::string ballast(heavy, static_cast<char>('A' + at));
    them.push_back(top.spawn<tally>("h" + std::to_string(at), tally{.ballast = ballast}));
  }
  return them;
}

/// Sweeps wait for room in the write buffer; turns cannot, and cut their actors all the same.
cairn::task<int> outrun(cairn::root& root, disk* by, overrun* to) {
  auto them = heavy_ones(root);
  co_await root.checkpoint();
  for (const auto& each : them) (void)co_await each.ask<add>(1);
  std::thread{[&] {
    auto token = asio::bind_executor(to->answers, [](std::exception_ptr, std::int64_t) {});
    cairn::async_ask<add>(them[0], {.when = cairn::committed}, std::move(token), 10);
  }}.join();
  co_await steps(root, 10);
  by->stick(true);
  auto checkpoint = root.checkpoint();
  co_await steps(root, 50);
  for (const auto& each : them) (void)co_await each.ask<add>(100);
  co_await steps(root, 50);
  by->stick(false);
  auto ended = co_await std::move(checkpoint).as_result();
  to->code = ended.code();
  if (!ended) to->text = ended.why().text;
  to->answered_before = to->answers.poll();
  if (!to->goes_on) co_return 0;
  co_await root.checkpoint();
  to->answers.restart();
  to->answered_after = to->answers.poll();
  co_return 0;
}

cairn::task<int> weigh(cairn::root& root) {
  for (const auto& each : heavy_ones(root)) seen.push_back(co_await each.ask<total>());
  co_return 0;
}

TEST_CASE("an epoch whose records outrun the disk is abandoned, and the next one says it all") {
  for (const bool goes_on : {false, true}) {
    bench on;
    seen.clear();
    disk by;
    overrun how;
    how.goes_on = goes_on;
    auto chosen = on.options();
    chosen.store = slow_store{on.store, &by};
    chosen.epoch.write_buffer = 512 * 1024;
    fixture::crash<all>(std::move(chosen),
                        [&](cairn::root& root) { return outrun(root, &by, &how); });
    CHECK(how.code == errc::io);
    CHECK(how.text.find("abandoned: records came faster") != std::string::npos);
    const auto abandoned = on.told.of(event_kind::abandoned);
    REQUIRE(abandoned.size() == 1);
    CHECK(abandoned[0].what.code == errc::write_buffer_full);
    CHECK(on.told.count(event_kind::committed) == (goes_on ? 2 : 1));
    CHECK(how.answered_before == 0);
    CHECK(how.answered_after == (goes_on ? 1 : 0));
    fixture::crash<all>(on, weigh);
    std::vector<std::int64_t> expected(heavies, goes_on ? 101 : 0);
    if (goes_on) expected[0] += 10;
    CHECK(seen == expected);
  }
}

}  // namespace limits
