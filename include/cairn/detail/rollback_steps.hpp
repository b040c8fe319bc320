// How a rollback goes on, once no epoch is open: workers stand still, what runs outside ends,
// another thread undoes, workers go on.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace cairn::detail {

/// The first worker's, but for `request` and `undone`.
class rollback_steps {
 public:
  /// Before the start. `quiet`: true once nothing runs outside that may answer. `undo`: called
  /// while all workers stand still; whoever has done it calls `undone`.
  void prepare(std::function<bool()> quiet, std::function<void()> undo) {
    quiet_ = std::move(quiet);
    undo_ = std::move(undo);
  }
  /// Any thread; it wakes the first worker afterwards, which orders it before that one's look.
  void request() noexcept { wanted_.store(true, std::memory_order_relaxed); }
  /// The root task has ended: nobody would begin anew.
  void end() noexcept { ended_ = true; }

  /// Whether one is to begin now.
  [[nodiscard]] bool begin() noexcept {
    if (ended_ || !wanted_.load(std::memory_order_relaxed)) return false;  // see request()
    wanted_.store(false, std::memory_order_relaxed);
    undoing_ = false;
    return true;
  }
  /// Every worker stands still. True: it is done.
  [[nodiscard]] bool go_on() {
    if (!undoing_ && !quiet_()) return false;
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
  std::function<bool()> quiet_{};
  std::function<void()> undo_{};
};

}  // namespace cairn::detail
