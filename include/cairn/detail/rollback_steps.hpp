// How a rollback goes on, once no epoch is open: what runs outside ends, while the system goes on;
// then workers stand still, another thread undoes, workers go on.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <utility>

#include "cell.hpp"
#include "pausing.hpp"

namespace cairn::detail {

/// The first worker's, but for `request`, `forget` and `undone`.
class rollback_steps {
 public:
  /// Before the start. `quiet`: begins nothing outside any more, true once nothing runs there that
  /// may answer. That is waited for this long at most. `undo`: called while all workers stand
  /// still; whoever has done it calls `undone`.
  void prepare(std::function<bool()> quiet, std::chrono::nanoseconds patience,
               std::function<void()> undo) {
    quiet_ = std::move(quiet);
    patience_ = patience;
    undo_ = std::move(undo);
  }
  /// Any thread; it wakes the first worker afterwards, which orders it before that one's look.
  void request() noexcept { wanted_.store(true, std::memory_order_relaxed); }
  /// While every worker stands still: all that was asked for until now is this one.
  void forget() noexcept { wanted_.store(false, std::memory_order_relaxed); }
  /// The root task has ended: nobody would begin anew.
  void end() noexcept { ended_ = true; }

  /// Whether one is to come: no epoch begins before it, which might commit what led to it.
  [[nodiscard]] bool is_wanted() const noexcept {
    return !ended_ && wanted_.load(std::memory_order_relaxed);  // see request()
  }
  /// Whether it is to begin now. `ends`: the program's last epoch is to come, which waits for
  /// nothing that runs outside. Precondition: one is wanted.
  [[nodiscard]] bool begin(std::chrono::nanoseconds now, bool ends) {
    if (until_.count() == 0) until_ = due_after(now, patience_);
    ends_ = ends;
    late_ = !quiet_();
    if (late_ && !ends && now < until_) return sometimes("rollback waits for a run"), false;
    until_ = {};
    undoing_ = false;
    return true;
  }
  /// When it is not waited for any longer; 0: nothing is.
  [[nodiscard]] std::chrono::nanoseconds until() const noexcept { return until_; }
  /// Whether what runs outside had not ended when it began. While every worker stands still.
  [[nodiscard]] bool is_late() const noexcept { return late_; }
  [[nodiscard]] bool is_last() const noexcept { return ends_; }

  /// Every worker stands still. True: it is done.
  [[nodiscard]] bool go_on() {
    if (!std::exchange(undoing_, true)) undo_();
    return undone_.exchange(false, std::memory_order_acquire);  // pairs with undone()
  }
  /// By the thread that has done it; it wakes the first worker afterwards.
  void undone() noexcept { undone_.store(true, std::memory_order_release); }

 private:
  std::atomic<bool> wanted_{false};
  std::atomic<bool> undone_{false};
  bool undoing_ = false;
  bool ended_ = false;
  bool late_ = false;
  bool ends_ = false;
  std::chrono::nanoseconds until_{};
  std::chrono::nanoseconds patience_{};
  std::function<bool()> quiet_{};
  std::function<void()> undo_{};
};

}  // namespace cairn::detail
