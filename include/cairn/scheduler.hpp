// Which threads call a worker's `step`: our own, or those of the caller's Asio executor.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <asio/any_io_executor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include "detail/relax.hpp"

namespace cairn {

/// The caller's executor, any of Asio's.
using any_executor = asio::any_io_executor;

/// What a step came to.
struct step_outcome {
  bool busy = false;                  ///< call again at once
  std::chrono::nanoseconds wait{-1};  ///< else after this time at the latest; negative: no limit
};

/// Calls `step(worker)` whenever that worker may have something to do: never two at once for one
/// worker, and again after every `wake` that came after the last step began.
struct scheduler {
  using step_function = std::function<step_outcome(unsigned worker)>;
  using look_function = std::function<bool(unsigned worker)>;

  scheduler() = default;
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;
  virtual ~scheduler() = default;

  virtual void start(unsigned workers, step_function step) = 0;
  /// Any thread.
  virtual void wake(unsigned worker) noexcept = 0;
  /// The same for something that `look_by` has made visible. Any thread.
  virtual void nudge(unsigned worker) noexcept { wake(worker); }
  /// Before the start: `looks(worker)`, called between that worker's steps by who steps it, says
  /// whether the next one has something to do. It reads what is changed before each `nudge`, both
  /// sequentially consistent. Who has no use for it takes a nudge for a call.
  virtual void look_by(look_function /*looks*/) {}
  /// Returns when no step runs any more and none will. Not from within a step.
  virtual void stop() = 0;
};

/// What a system has stepped: its workers, the writer of its snapshots, and seats for work that may
/// block.
enum class seats : std::uint8_t { workers, writer, runs };

/// Makes what steps one kind of seats.
using scheduler_factory = std::function<std::unique_ptr<scheduler>(seats)>;

/// One thread for each worker. An idle one spins a little, then sleeps.
class thread_scheduler final : public scheduler {
 public:
  ~thread_scheduler() override { stop(); }

  void look_by(look_function looks) override { looks_ = std::move(looks); }

  void start(unsigned workers, step_function step) override {
    step_ = std::move(step);
    for (unsigned at = 0; at < workers; ++at) seats_.push_back(std::make_unique<seat>());
    for (unsigned at = 0; at < workers; ++at) {
      seats_[at]->thread = std::thread{[this, at] { run(at); }};
    }
  }

  void wake(unsigned worker) noexcept override {
    seat& one = *seats_[worker];
    // Sequentially consistent, both: the sleeper says that it sleeps and then looks at `called`,
    // we call and then look whether it sleeps; one of us sees the other.
    // An exchange, here and in run(): a step that finds this call sees what led to it.
    (void)one.called.exchange(true, std::memory_order_seq_cst);
    if (!one.asleep.load(std::memory_order_seq_cst)) return;
    const std::lock_guard lock{one.guard};
    one.awake.notify_one();
  }

  /// Writes nothing where the thread is awake: it looks by itself, and a line of the cache less is
  /// on its way for each message between two workers.
  void nudge(unsigned worker) noexcept override {
    // Sequentially consistent, as in wake(): it says that it sleeps and then looks.
    if (!looks_ || seats_[worker]->asleep.load(std::memory_order_seq_cst)) wake(worker);
  }

  void stop() override {
    stopping_.store(true, std::memory_order_seq_cst);  // pairs with the loads in run() and sleep()
    for (unsigned at = 0; at < seats_.size(); ++at) wake(at);
    for (auto& one : seats_) {
      if (one->thread.joinable()) one->thread.join();
    }
  }

 private:
  /// What it costs about to put a thread to sleep and to wake it. Who spins for as long as that
  /// takes at most twice the best that could be done, whenever the call comes: Karlin, Manasse,
  /// McGeoch and Owicki, "Competitive Randomized Algorithms for Nonuniform Problems" (SODA 1990).
  static constexpr std::chrono::nanoseconds switch_cost = std::chrono::microseconds{20};
  static constexpr std::chrono::nanoseconds least_patience = std::chrono::microseconds{1};
  static constexpr std::chrono::nanoseconds soon = 4 * switch_cost;

  struct seat {
    std::thread thread;
    std::mutex guard;
    std::condition_variable awake;
    std::chrono::nanoseconds patience = switch_cost;  ///< its thread's own
    alignas(64) std::atomic<bool> called{false};
    std::atomic<bool> asleep{false};
  };
  void run(unsigned worker) {
    seat& one = *seats_[worker];
    while (!stopping_.load(std::memory_order_seq_cst)) {
      // Before the step looks around. Relaxed: a call that comes later is found later.
      if (one.called.load(std::memory_order_relaxed)) {
        (void)one.called.exchange(false, std::memory_order_seq_cst);
      }
      const step_outcome did = step_(worker);
      if (!did.busy && !spin(worker)) sleep(worker, did.wait);
    }
  }

  /// How long it spins is halved with each time in vain, down to almost nothing where calls are
  /// rare, and is the whole again once one comes in time, or soon after.
  [[nodiscard]] bool spin(unsigned worker) {
    seat& one = *seats_[worker];
    const auto until = std::chrono::steady_clock::now() + one.patience;
    do {
      for (int at = 0; at < 16; ++at) {
        if (is_called(worker)) {
          one.patience = switch_cost;
          return true;
        }
        detail::relax();
      }
    } while (std::chrono::steady_clock::now() < until);
    one.patience = std::max(one.patience / 2, least_patience);
    return false;
  }

  [[nodiscard]] bool is_called(unsigned worker) const {
    // Sequentially consistent, both: see wake() and nudge().
    return seats_[worker]->called.load(std::memory_order_seq_cst) || (looks_ && looks_(worker));
  }

  void sleep(unsigned worker, std::chrono::nanoseconds wait) {
    seat& one = *seats_[worker];
    std::unique_lock lock{one.guard};
    const auto since = std::chrono::steady_clock::now();
    one.asleep.store(true, std::memory_order_seq_cst);  // see wake()
    const auto called = [&] {
      return is_called(worker) || stopping_.load(std::memory_order_seq_cst);
    };
    if (wait.count() < 0) {
      one.awake.wait(lock, called);
    } else {
      one.awake.wait_for(lock, wait, called);
    }
    one.asleep.store(false, std::memory_order_seq_cst);
    if (std::chrono::steady_clock::now() - since < soon) one.patience = switch_cost;
  }

  step_function step_;
  look_function looks_{};
  std::vector<std::unique_ptr<seat>> seats_;
  std::atomic<bool> stopping_{false};
};

/// Posts steps to an Asio executor, one for each worker at a time, so that the system shares the
/// threads of a service in bounded slices.
///
/// Preconditions: the executor's context runs until `stop` has returned.
class executor_scheduler final : public scheduler {
 public:
  explicit executor_scheduler(asio::any_io_executor where) : where_{std::move(where)} {}
  ~executor_scheduler() override { stop(); }

  void start(unsigned workers, step_function step) override {
    auto shared = std::make_shared<state>(where_);
    shared->step = std::move(step);
    for (unsigned at = 0; at < workers; ++at) {
      shared->seats.push_back(std::make_unique<seat>(where_));
    }
    state_ = shared;
    for (unsigned at = 0; at < workers; ++at) wake(at);
  }

  void wake(unsigned worker) noexcept override {
    seat& one = *state_->seats[worker];
    // Whoever finds it clear posts; cleared before the step looks around. pairs with run()
    if (one.called.exchange(true, std::memory_order_seq_cst)) return;
    post(state_, worker);
  }

  void stop() override {
    if (!state_) return;
    std::unique_lock lock{state_->guard};
    state_->stopping = true;
    state_->idle.wait(lock, [&] { return state_->running == 0; });
    // A timer that is left would keep the caller's context running until it is due.
    for (const auto& one : state_->seats) one->timer.cancel();
  }

 private:
  struct seat {
    explicit seat(const asio::any_io_executor& where) : timer{where} {}
    std::atomic<bool> called{false};
    asio::steady_timer timer;  ///< touched under `guard` only
    std::mutex turn;           ///< one step of this worker at a time
  };
  struct state {
    explicit state(asio::any_io_executor executor) : where{std::move(executor)} {}
    const asio::any_io_executor where;
    step_function step;
    std::vector<std::unique_ptr<seat>> seats;
    std::mutex guard;  ///< of what follows, and of the timers
    std::condition_variable idle;
    bool stopping = false;
    int running = 0;
  };

  static void post(const std::shared_ptr<state>& shared, unsigned worker) {
    asio::post(shared->where, [shared, worker] { run(shared, worker); });
  }

  static void run(const std::shared_ptr<state>& shared, unsigned worker) {
    {
      const std::lock_guard lock{shared->guard};
      if (shared->stopping) return;
      ++shared->running;
    }
    seat& one = *shared->seats[worker];
    step_outcome did;
    {
      const std::lock_guard one_at_a_time{one.turn};
      (void)one.called.exchange(false, std::memory_order_seq_cst);  // pairs with wake()
      did = shared->step(worker);
    }
    if (did.busy && !one.called.exchange(true, std::memory_order_seq_cst)) post(shared, worker);
    const std::lock_guard lock{shared->guard};
    if (!did.busy && did.wait.count() >= 0 && !shared->stopping) {
      one.timer.expires_after(did.wait);
      one.timer.async_wait([shared, worker](const asio::error_code& failed) {
        const std::lock_guard again{shared->guard};
        if (failed || shared->stopping) return;
        if (!shared->seats[worker]->called.exchange(true, std::memory_order_seq_cst)) {
          post(shared, worker);
        }
      });
    }
    if (--shared->running == 0) shared->idle.notify_all();
  }

  asio::any_io_executor where_;
  std::shared_ptr<state> state_;
};

}  // namespace cairn
