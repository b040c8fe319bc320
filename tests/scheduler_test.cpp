#include <cairn/scheduler.hpp>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

#include <array>
#include <future>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;

/// Counts steps for each worker, and notices two at once.
struct steps {
  std::array<std::atomic<int>, 4> count{};
  std::array<std::atomic<int>, 4> inside{};
  std::atomic<bool> overlapped{false};

  void step(unsigned worker) {
    // Relaxed: figures, read after the scheduler has stopped or as a hint.
    if (inside[worker].fetch_add(1, std::memory_order_relaxed) != 0) {
      overlapped.store(true, std::memory_order_relaxed);
    }
    count[worker].fetch_add(1, std::memory_order_relaxed);
    inside[worker].fetch_sub(1, std::memory_order_relaxed);
  }
};

/// Each wake that follows the last step leads to another step.
template <class Scheduler>
void check_wakes(Scheduler& by) {
  steps seen;
  std::promise<void> enough;
  constexpr int rounds = 500;
  by.start(2, [&](unsigned worker) {
    seen.step(worker);
    // The second worker always calls back: where wakes fall together it is ahead of the first.
    const int at = seen.count[worker].load(std::memory_order_relaxed);  // this worker's own
    if (worker != 0 || at < rounds) {
      by.wake(1 - worker);
    } else if (at == rounds) {
      enough.set_value();
    }
    return cairn::step_outcome{};
  });
  by.wake(0);
  enough.get_future().wait();  // a lost wake would hang here
  by.stop();
  const int last = seen.count[0].load(std::memory_order_relaxed);  // at rest
  CHECK(last >= rounds);
  CHECK_FALSE(seen.overlapped.load(std::memory_order_relaxed));
}

template <class Scheduler>
void check_busy_and_waits(Scheduler& by) {
  steps seen;
  std::promise<void> ended;
  by.start(1, [&](unsigned worker) {
    seen.step(worker);
    const int at = seen.count[0].load(std::memory_order_relaxed);  // this worker's own
    if (at < 100) return cairn::step_outcome{true, 0ns};
    if (at < 110) return cairn::step_outcome{false, 1us};  // a due time calls again without a wake
    if (at == 110) ended.set_value();
    return cairn::step_outcome{};
  });
  by.wake(0);
  ended.get_future().wait();
  by.stop();
  CHECK(seen.count[0].load(std::memory_order_relaxed) >= 110);  // at rest
}

/// Something waits for the worker now and then, as it can see for itself between its steps.
template <class Scheduler>
void check_nudges(Scheduler& by) {
  constexpr int rounds = 20'000;
  std::atomic<bool> waits{false};
  std::atomic<int> taken{0};
  by.look_by([&](unsigned) { return waits.load(std::memory_order_seq_cst); });
  by.start(1, [&](unsigned) {
    if (waits.exchange(false, std::memory_order_seq_cst)) {
      taken.fetch_add(1, std::memory_order_relaxed);  // a figure
      taken.notify_one();
    }
    return cairn::step_outcome{};
  });
  for (int at = 0; at < rounds; ++at) {
    waits.store(true, std::memory_order_seq_cst);
    by.nudge(0);
    taken.wait(at);  // a lost nudge would hang here; meanwhile the worker spins, and sleeps
  }
  by.stop();
  CHECK(taken.load(std::memory_order_relaxed) == rounds);
}

}  // namespace

TEST_CASE("threads of the system's own step again after every wake, one at a time") {
  cairn::thread_scheduler by;
  check_wakes(by);
  cairn::thread_scheduler again;
  check_busy_and_waits(again);
}

TEST_CASE("a nudge is as good as a wake for what the worker looks at, and without that") {
  cairn::thread_scheduler by;
  check_nudges(by);
  cairn::thread_scheduler again;
  std::array<std::promise<void>, 2> stepped;
  std::atomic<std::size_t> steps{0};
  again.start(1, [&](unsigned) {
    const std::size_t at = steps.fetch_add(1, std::memory_order_relaxed);  // a figure
    if (at < stepped.size()) stepped[at].set_value();
    return cairn::step_outcome{};
  });
  stepped[0].get_future().wait();  // else this nudge could be for the first step
  again.nudge(0);
  stepped[1].get_future().wait();
  again.stop();
}

TEST_CASE("a caller's executor steps again after every wake, one at a time") {
  asio::io_context io;
  auto work = asio::make_work_guard(io);
  std::thread first{[&] { io.run(); }};
  std::thread second{[&] { io.run(); }};
  {
    cairn::executor_scheduler by{io.get_executor()};
    check_wakes(by);
    cairn::executor_scheduler again{io.get_executor()};
    check_busy_and_waits(again);
  }
  work.reset();
  first.join();
  second.join();
}
