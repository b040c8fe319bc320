// One thread that plays all threads of a system: seats of schedulers and threads outside are
// fibers, and a seeded choice says which of those that could go on does. Time is the machine's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "../../clock.hpp"
#include "../../detail/envelope.hpp"
#include "../../detail/record.hpp"
#include "../../scheduler.hpp"
#include "fiber.hpp"

namespace cairn::detail {

/// Numbers from a seed, the same on every machine. Each use has a stream of its own, so that more
/// of one kind does not change another.
class sim_random {
 public:
  sim_random(std::uint64_t seed, std::string_view stream)
      : engine_{XXH3_64bits_withSeed(stream.data(), stream.size(), seed)} {}

  [[nodiscard]] std::uint64_t next() { return engine_(); }
  /// Below `bound`, which is not 0. Slightly uneven, which is of no moment here.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  [[nodiscard]] bool one_in(std::uint64_t times) { return below(times) == 0; }

 private:
  std::mt19937_64 engine_;  // its numbers are fixed by the standard
};

/// A thread as the machine sees it.
struct sim_thread {
  explicit sim_thread(std::function<void()> body) : stack{std::move(body)} {}

  fiber stack;
  bool within = false;                           ///< paused in the middle of something
  bool asleep = false;                           ///< the same, until `due`
  bool outside = false;                          ///< plays a thread outside the system
  bool called = false;                           ///< there is something to do
  std::chrono::nanoseconds due{-1};              ///< else to be called then; negative: never
  std::uint64_t weight = 1;                      ///< how often it is chosen, against the others
  std::uint64_t held_until = 0;                  ///< a step; until then others go first
  const std::function<bool()>* until = nullptr;  ///< what it waits for, null: nothing

  [[nodiscard]] bool ready(std::chrono::nanoseconds now) const {
    if (until != nullptr) return (*until)();
    const bool is_due = due.count() >= 0 && due <= now;
    return asleep ? is_due : within || called || is_due;
  }
};

class sim_machine final : public pauser {
 public:
  using counter = std::function<void(std::string_view)>;
  using outside_function = std::function<bool(runtime&, envelope*)>;

  explicit sim_machine(std::uint64_t seed)
      : schedule_{seed, "schedule"}, before_{std::exchange(current_pauser, this)} {
    // Some seeds let a thread go on for long, some starve a few of them, some stop one in the
    // middle of something, as a machine's scheduler does, until others have done much.
    stay_ = std::uint64_t{1} << schedule_.below(5);
    uneven_ = schedule_.one_in(2);
    if (!schedule_.one_in(3)) hold_one_in_ = std::uint64_t{16} << (2 * schedule_.below(3));
  }
  sim_machine(const sim_machine&) = delete;
  sim_machine& operator=(const sim_machine&) = delete;
  ~sim_machine() override { current_pauser = before_; }

  [[nodiscard]] std::chrono::nanoseconds now() const noexcept { return now_; }
  void advance(std::chrono::nanoseconds by) noexcept { now_ += by; }
  [[nodiscard]] std::chrono::nanoseconds wall() const noexcept { return now_ + wall_ahead_; }
  void jump(std::chrono::nanoseconds by) noexcept { wall_ahead_ += by; }
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  [[nodiscard]] std::uint64_t trace() const noexcept { return trace_; }
  /// Adds to the trace: two runs that differ in what they note differ in its value.
  void note(std::string_view what) noexcept {
    trace_ = XXH3_64bits_withSeed(what.data(), what.size(), trace_);
  }
  void on_reached(counter call) { reached_ = std::move(call); }
  /// Asked of every message that a thread outside sends: see `pauser::takes_from_outside`.
  void on_outside(outside_function call) { outside_ = std::move(call); }

  void add(sim_thread& one) {
    one.weight = uneven_ ? std::uint64_t{1} << (2 * schedule_.below(5)) : 1;
    threads_.push_back(&one);
  }
  void remove(sim_thread& one) {
    std::erase(threads_, &one);
    if (last_ == &one) last_ = nullptr;
  }

  /// Lets one thread that is ready go on to its next pause. Where none is, time goes on to the next
  /// deadline; false: there is none.
  bool step() {
    sim_thread* one = choose();
    if (one == nullptr && let_go()) one = choose();
    if (one == nullptr) {
      if (!advance_to_deadline()) return false;
      one = choose();
      if (one == nullptr) return false;
    }
    ++steps_;
    const auto at = static_cast<std::uint64_t>(std::find(threads_.begin(), threads_.end(), one) -
                                               threads_.begin());
    note({reinterpret_cast<const char*>(&at), sizeof at});
    run(*one);
    return true;
  }

  /// Lets this thread go on until it is between two things to do, or has ended.
  void finish(sim_thread& one) {
    while (one.within && !one.stack.done()) run(one);
  }

  void pause() noexcept override {
    if (running_ == nullptr) return;  // nobody's code: the machine itself calls
    running_->within = true;
    if (hold_one_in_ != 0 && schedule_.one_in(hold_one_in_)) {
      running_->held_until = steps_ + schedule_.below(longest_hold);
    }
    running_->stack.pause();
    running_->within = false;
  }
  /// The running thread waits, as for a slow disk.
  void sleep(std::chrono::nanoseconds span) noexcept {
    if (running_ == nullptr) return;
    sim_thread& self = *running_;
    self.asleep = self.within = true;
    self.due = now_ + span;
    self.stack.pause();
    self.asleep = self.within = false;
    self.due = std::chrono::nanoseconds{-1};
  }
  void wait(const std::function<bool()>& done) override {
    sim_thread& self = *running_;
    self.within = true;
    self.until = &done;
    do self.stack.pause();
    while (!done());
    self.until = nullptr;
    self.within = false;
  }
  [[nodiscard]] std::unique_ptr<thread> play(const std::function<void()>& body) override {
    return std::make_unique<played>(*this, body);
  }
  bool takes_from_outside(runtime& to, envelope* message) override {
    return running_ != nullptr && running_->outside && outside_ && outside_(to, message);
  }
  void reached(const char* what) noexcept override {
    if (reached_) reached_(what);
  }

  void run(sim_thread& one) {
    sim_thread* before = std::exchange(running_, &one);
    one.stack.resume();
    running_ = before;
    last_ = &one;
  }

 private:
  struct played final : thread {
    played(sim_machine& machine, std::function<void()> body) : on{machine}, one{std::move(body)} {
      one.called = true;
      on.add(one);
    }
    ~played() override {
      on.finish(one);
      on.remove(one);
    }
    sim_machine& on;
    sim_thread one;
  };
  static constexpr std::uint64_t longest_hold = 400;  // steps

  [[nodiscard]] bool can_run(const sim_thread& one) const {
    return !one.stack.done() && one.held_until <= steps_ && one.ready(now_);
  }

  [[nodiscard]] sim_thread* choose() {
    if (last_ != nullptr && can_run(*last_) && !schedule_.one_in(stay_)) return last_;
    std::uint64_t all = 0;
    for (const auto* each : threads_) {
      if (can_run(*each)) all += each->weight;
    }
    if (all == 0) return nullptr;
    std::uint64_t at = schedule_.below(all);
    for (auto* each : threads_) {
      if (!can_run(*each)) continue;
      if (at < each->weight) return each;
      at -= each->weight;
    }
    return nullptr;
  }

  /// Nobody else can do anything: those that were held go on. False: there are none.
  [[nodiscard]] bool let_go() noexcept {
    bool any = false;
    for (auto* each : threads_) any |= std::exchange(each->held_until, 0) > steps_;
    return any;
  }

  [[nodiscard]] bool advance_to_deadline() {
    std::chrono::nanoseconds next{-1};
    for (const auto* each : threads_) {
      if (each->stack.done() || each->due.count() < 0) continue;
      if (next.count() < 0 || each->due < next) next = each->due;
    }
    if (next.count() < 0) return false;
    now_ = std::max(now_, next);
    return true;
  }

  sim_random schedule_;
  pauser* before_;
  std::vector<sim_thread*> threads_{};
  sim_thread* running_ = nullptr;
  sim_thread* last_ = nullptr;
  std::chrono::nanoseconds now_{std::chrono::hours{1}};
  std::uint64_t steps_ = 0;
  std::uint64_t trace_ = 0;
  std::uint64_t stay_ = 1;
  bool uneven_ = false;
  std::uint64_t hold_one_in_ = 0;  ///< pauses; 0: nobody is held
  counter reached_{};
  outside_function outside_{};
  std::chrono::nanoseconds wall_ahead_{};
};

/// Seats that the machine steps.
class sim_scheduler final : public scheduler {
 public:
  explicit sim_scheduler(sim_machine& on) noexcept : on_{on} {}
  ~sim_scheduler() override { stop(); }

  void start(unsigned seats, step_function step) override {
    step_ = std::move(step);
    for (unsigned at = 0; at < seats; ++at) {
      seats_.push_back(nullptr);
      seats_.back() = std::make_unique<sim_thread>([this, at] { live(*seats_[at], at); });
      on_.add(*seats_.back());
    }
  }
  void wake(unsigned seat) noexcept override {
    if (seat < seats_.size()) seats_[seat]->called = true;  // else it has stopped
  }
  void stop() override {
    stopping_ = true;
    for (auto& each : seats_) {
      each->within = true;
      on_.finish(*each);
      on_.remove(*each);
    }
    seats_.clear();
  }

 private:
  void live(sim_thread& self, unsigned seat) {
    while (!stopping_) {
      self.called = false;
      const step_outcome did = step_(seat);
      self.called = self.called || did.busy;
      self.due = did.wait.count() < 0 ? did.wait : on_.now() + did.wait;
      if (stopping_) break;
      self.stack.pause();
    }
    self.within = false;
  }

  sim_machine& on_;
  step_function step_{};
  std::vector<std::unique_ptr<sim_thread>> seats_{};
  bool stopping_ = false;
};

struct sim_clock final : clock {
  explicit sim_clock(const sim_machine& on) noexcept : by{on} {}
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return by.now(); }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(by.wall())};
  }
  const sim_machine& by;
};

}  // namespace cairn::detail
