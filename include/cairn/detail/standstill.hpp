// All actors but the root task pause, and go on. Any thread asks; each worker follows between two
// of its slices, so that no message costs a look.
//
// A worker that stands still goes on with everything else: it takes in mail, sweeps, lets the root
// task run. Actors that get ready and timers that come due are set aside until it goes on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "world.hpp"

namespace cairn::detail {

class standstill {
 public:
  explicit standstill(world& all) noexcept : all_{all} {}

  /// Wants that all stand still, or go on. The last one to ask counts.
  ///
  /// Thread safety: any thread.
  void request(bool still) {
    {
      const std::lock_guard lock{guard_};
      const std::uint64_t now = number_.load(std::memory_order_relaxed);  // written under the guard
      if (is_still(now) == still) return;
      left_ = all_.workers.size();
      number_.store(now + 1,
                    std::memory_order_relaxed);  // the wake orders it before a worker's look
    }
    for (const auto& each : all_.workers) all_.wake(*each);
  }

  /// Waits until that is so, at most this long. True: it is. What handlers did before is visible.
  /// Any thread but a worker's.
  [[nodiscard]] bool wait(bool still, std::chrono::nanoseconds limit) {
    std::unique_lock lock{guard_};
    return changed_.wait_for(lock, bounded(limit),
                             [&] { return in_effect_ == still && settled(); });
  }

  /// Whether what was asked for last is so, and has been told of. Any thread.
  [[nodiscard]] bool is_settled() {
    const std::lock_guard lock{guard_};
    return settled();
  }

  /// A worker's part, between its turns.
  void take_part(worker& mine) {
    // Relaxed: looked at again under the guard.
    if (number_.load(std::memory_order_relaxed) == mine.still_number) return;
    bool last = false;
    bool changes = false;
    {
      const std::lock_guard lock{guard_};
      mine.still_number = number_.load(std::memory_order_relaxed);  // written under the guard
      mine.still = is_still(mine.still_number);
      if (--left_ == 0) {
        last = telling_ = true;
        changes = std::exchange(in_effect_, mine.still) != mine.still;
        all_.paused.store(mine.still, std::memory_order_relaxed);  // a flag, see world
      }
    }
    if (!mine.still) go_on(mine);
    // Until this returns this worker has not followed a later wish, so the events are in order.
    if (changes) tell(mine.still);
    if (last) {  // who waited for it finds that it has been told of
      const std::lock_guard lock{guard_};
      telling_ = false;
      changed_.notify_all();
    }
    all_.wake(*all_.workers.front());  // the root task may wait for it
  }

  /// What is ready waits until all go on. True: the root task is ready, too.
  [[nodiscard]] static bool set_aside(worker& mine) noexcept {
    bool root = false;
    while (cell* one = mine.ready.pop()) {
      if (one->slot_index == 1) {
        root = true;
      } else {
        mine.set_aside.push(*one);
      }
    }
    mine.load.store(0, std::memory_order_relaxed);  // a hint for beggars
    return root;
  }

 private:
  [[nodiscard]] static bool is_still(std::uint64_t number) noexcept { return number % 2 == 1; }

  /// Precondition: the guard is held.
  [[nodiscard]] bool settled() const noexcept { return left_ == 0 && !telling_; }

  static void go_on(worker& mine) {
    while (cell* one = mine.set_aside.pop()) mine.ready.push(*one);
    for (const due_timer& each : std::exchange(mine.overdue, {})) mine.add_timer(each);
  }

  void tell(bool still) {
    sometimes(still ? "all actors paused" : "all actors go on");
    event what;
    what.kind = still ? event_kind::paused : event_kind::continued;
    what.at = epoch{all_.now_epoch.load(std::memory_order_relaxed)};  // for people
    what.text = still ? "no actor handles anything" : "all actors go on";
    all_.report(what);
  }

  world& all_;
  std::atomic<std::uint64_t> number_{0};  ///< of the last wish; odd: stand still

  std::mutex guard_{};  ///< of what follows
  std::condition_variable changed_{};
  std::size_t left_ = 0;  ///< workers that have not followed yet
  bool in_effect_ = false;
  bool telling_ = false;  ///< the last one to follow is about to tell of it
};

}  // namespace cairn::detail
