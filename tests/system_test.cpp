// A system over a store that fails, on a caller's executor, and at its orderly end.
#include <cairn/system.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <thread>

#include "runtime/fixture.hpp"

namespace systems {

using cairn::event_kind;
using fixture::bench;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct total {};
struct adder {
  using protocol = cairn::protocol<add, total>;
  std::int64_t sum = 0;
  cairn::ref<adder> next{};
  void serialize(auto& ar) { ar(sum, next); }
  void on(add what) {
    sum += what.value;
    if (next) next.tell<add>(what.value);
  }
  std::int64_t on(total) const { return sum; }
};
using all = cairn::actors<adder>;

/// What the next verbs of a failing store do. Shared with the writer's thread.
struct plan {
  std::atomic<int> failing_commits{0};
  std::atomic<int> failing_appends{0};
};

/// A memory_store whose verbs fail when told to.
class failing_store {
 public:
  failing_store(cairn::memory_store kept, plan* by) : kept_{std::move(kept)}, by_{by} {}
  cairn::opened open(const cairn::store_options& how) { return kept_.open(how); }
  void begin(cairn::epoch n) { kept_.begin(n); }
  void append(cairn::bytes_view records) {
    // Relaxed: the test's turns and the writer meet at checkpoints.
    if (by_->failing_appends.load(std::memory_order_relaxed) > 0) {
      by_->failing_appends.fetch_sub(1, std::memory_order_relaxed);
      throw cairn::error{cairn::errc::no_space, "no room, says the test"};
    }
    kept_.append(records);
  }
  void commit(bool releases) {
    if (by_->failing_commits.load(std::memory_order_relaxed) > 0) {  // as above
      by_->failing_commits.fetch_sub(1, std::memory_order_relaxed);
      throw cairn::error{cairn::errc::io, "no sync, says the test"};
    }
    kept_.commit(releases);
  }
  void abort() noexcept { kept_.abort(); }
  void read(cairn::epoch n, const cairn::record_visitor& visit) { kept_.read(n, visit); }
  std::vector<cairn::snapshot_info> list() { return kept_.list(); }
  void keep(cairn::epoch n, const std::string& name) { kept_.keep(n, name); }
  void remove(const std::string& name) { kept_.remove(name); }
  std::unique_ptr<cairn::journal_log> journal(const std::string& name) {
    return kept_.journal(name);
  }
  [[nodiscard]] std::string describe() const { return "failing_store"; }
  [[nodiscard]] cairn::store_stats stats() const { return kept_.stats(); }

 private:
  cairn::memory_store kept_;
  plan* by_;
};
static_assert(cairn::store<failing_store>);

struct found {
  std::int64_t first = -1;
  std::int64_t second = -1;
  std::vector<cairn::errc> codes{};
};

cairn::task<void> look(cairn::root& root, found* to) {
  auto top = root.supervise("top");
  to->first = co_await top.spawn<adder>("first").ask<total>();
  to->second = co_await top.spawn<adder>("second").ask<total>();
}
cairn::task<int> only_look(cairn::root& root, found* to) {
  co_await look(root, to);
  co_return 0;
}

cairn::task<int> through_failures(cairn::root& root, plan* by, found* to) {
  auto top = root.supervise("top");
  auto second = top.spawn<adder>("second");
  auto first = top.spawn<adder>("first", adder{.next = second});
  co_await root.checkpoint();
  for (int round = 0; round < 12; ++round) {
    for (int at = 0; at < 10; ++at) first.tell<add>(1);
    auto fresh = top.spawn<adder>("born" + std::to_string(round), adder{.sum = round});
    if (round % 3 == 1) by->failing_commits.store(1, std::memory_order_relaxed);  // see append()
    if (round % 3 == 2) by->failing_appends.store(1, std::memory_order_relaxed);
    auto ended = co_await root.checkpoint().as_result();
    to->codes.push_back(ended.code());
    if (round % 2 == 0) fresh.stop();
  }
  by->failing_appends.store(0, std::memory_order_relaxed);  // see append()
  for (int at = 0; at < 10; ++at) first.tell<add>(1);
  co_await root.checkpoint();
  first.tell<add>(1000);  // lost
  co_return 0;
}

TEST_CASE("an abandoned epoch loses nothing: the next one says it all") {
  for (const unsigned workers : {1U, 2U}) {
    bench on;
    on.workers = workers;
    plan by;
    found seen;
    auto chosen = on.options();
    chosen.store = failing_store{on.store, &by};
    fixture::crash<all>(std::move(chosen),
                        [&](cairn::root& root) { return through_failures(root, &by, &seen); });
    INFO(on.told.text());
    CHECK(on.told.count(event_kind::abandoned) == 8);
    for (std::size_t at = 0; at < seen.codes.size(); ++at) {
      CHECK((seen.codes[at] == cairn::errc::ok) == (at % 3 == 0));
    }
    const auto how =
        fixture::crash<all>(on, [&](cairn::root& root) { return only_look(root, &seen); });
    CHECK(seen.first == 130);
    CHECK(how.restored.actors == 1 + 2 + 6);
    // What was on its way to the second one at the cut arrives.
    fixture::finish<all>(on, [&](cairn::root& root) { return only_look(root, &seen); });
    CHECK(seen.second == 130);
  }
}

TEST_CASE("too many abandoned epochs in a row stop the system with the error") {
  bench on;
  plan by;
  by.failing_commits.store(1000, std::memory_order_relaxed);  // nobody runs yet
  auto chosen = on.options();
  chosen.store = failing_store{on.store, &by};
  chosen.epoch.max_abandoned = 3;
  cairn::system<all> running{std::move(chosen)};
  running.start([](cairn::root& root) {
    return [](cairn::root& top) -> cairn::task<int> {
      (void)top.supervise("top").spawn<adder>("it");
      for (;;) (void)co_await top.checkpoint().as_result();
    }(root);
  });
  running.wait();
  std::string text;
  try {
    (void)running.stop();
  } catch (const cairn::error& why) {
    text = why.what();
    CHECK(why.code() == cairn::errc::io);
  }
  CHECK(text.find("3 epochs in a row") == 0);
  CHECK(text.find("no sync, says the test") != std::string::npos);
  CHECK(on.told.count(event_kind::abandoned) == 3);
}

TEST_CASE("a system runs on the caller's executor and ends in its stop") {
  asio::io_context io;
  auto work = asio::make_work_guard(io);
  std::thread first{[&] { io.run(); }};
  std::thread second{[&] { io.run(); }};
  bench on;
  found seen;
  for (int run = 0; run < 3; ++run) {
    auto chosen = on.options();
    chosen.workers = 2;
    chosen.executor = io.get_executor();
    fixture::finish<all>(std::move(chosen), [&](cairn::root& root) {
      return [](cairn::root& top, found* to) -> cairn::task<int> {
        auto over = top.supervise("top");
        auto next = over.spawn<adder>("second");
        auto it = over.spawn<adder>("first", adder{.next = next});
        for (int at = 0; at < 100; ++at) it.tell<add>(1);
        to->first = co_await it.ask<total>();
        co_return 0;
      }(root, &seen);
    });
    CHECK(seen.first == 100 * (run + 1));
  }
  fixture::crash<all>(on, [&](cairn::root& root) { return only_look(root, &seen); });
  CHECK(seen.second == 300);
  work.reset();
  first.join();
  second.join();
}

TEST_CASE("an end, and what waits outside, may have no bound") {
  bench on;
  auto chosen = on.options();
  chosen.clock.reset();
  chosen.shutdown = std::chrono::milliseconds::max();
  cairn::system<all> running{std::move(chosen)};
  running.start([](cairn::root& root) {
    return [](cairn::root& top) -> cairn::task<int> {
      co_await top.until_stopped();
      co_return 0;
    }(root);
  });
  constexpr auto no_bound = std::chrono::nanoseconds::max();
  CHECK(running.pause(no_bound));
  running.resume();
  CHECK(running.status(no_bound).silent.empty());
  running.request_stop();
  running.wait_orderly();
  CHECK(running.wait_for(no_bound));
  const cairn::ended how = running.stop();
  CHECK(how.finished);
  CHECK(how.committed);
  CHECK(how.text.empty());
}

TEST_CASE("what the root task throws, and what it returns, come out of stop") {
  bench on;
  cairn::system<all> running{on.options()};
  running.start([](cairn::root&) { return []() -> cairn::task<int> { co_return 7; }(); });
  running.wait();
  CHECK(running.stop().code == 7);
  bench other;
  cairn::system<all> throwing{other.options()};
  throwing.start([](cairn::root&) {
    return []() -> cairn::task<int> {
      throw std::domain_error{"the program's"};
      co_return 0;
    }();
  });
  throwing.wait();
  CHECK_THROWS_AS(throwing.stop(), std::domain_error);
}

}  // namespace systems
