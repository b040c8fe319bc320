// How much has been consumed since the last flip, against the bounds at which an epoch is due.
//
// Each worker writes its own figures with every message, and who reads those of all takes their
// lines of the cache away from them. So a worker looks once it has itself done a part of what a
// bound says, or when it comes to rest.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include "../epoch.hpp"
#include "pausing.hpp"
#include "world.hpp"

namespace cairn::detail {

class consumption {
 public:
  consumption(const world& all, const epoch_policy& policy) noexcept
      : all_{all}, messages_{policy.messages}, bytes_{policy.bytes} {}

  /// At a flip, by the first worker.
  void begin() noexcept {
    reached_.store(false, std::memory_order_relaxed);  // as below
    messages_.before.store(sum(&worker_counters::messages), std::memory_order_relaxed);
    bytes_.before.store(sum(&worker_counters::bytes), std::memory_order_relaxed);
  }

  /// By a worker in each of its steps. True: it has found that an epoch is due, as the first one.
  [[nodiscard]] bool look(worker& mine) noexcept {
    if (is_reached()) return false;
    consumed& seen = mine.consumed_at_look;
    const consumed now{mine.counters.messages.load(std::memory_order_relaxed),  // its own
                       mine.counters.bytes.load(std::memory_order_relaxed)};
    const bool much = now.messages - seen.messages >= part_of(messages_.most) ||
                      now.bytes - seen.bytes >= part_of(bytes_.most);
    const bool rests = !mine.ran && now.messages != seen.messages;
    if (!much && !rests) return false;
    seen = now;
    if (!is_enough()) return false;
    pause_point();
    return !reached_.exchange(true, std::memory_order_release);  // pairs with is_reached_still()
  }

  /// Whether somebody has found that. Any thread: who has then wakes the first worker.
  [[nodiscard]] bool is_reached() const noexcept {
    return reached_.load(std::memory_order_relaxed);  // the wake orders it
  }

  /// The same by the first worker, which begins an epoch then. Who has found it may have looked
  /// while the one before began. Cleared first: who consumes more meanwhile looks again.
  [[nodiscard]] bool is_reached_still() noexcept {
    // pairs with the exchange in look(): what was found then is in the sum. A worker that comes to
    // rest after this looks by itself.
    if (!is_reached() || !reached_.exchange(false, std::memory_order_seq_cst)) return false;
    pause_point();
    return is_enough();
  }

 private:
  struct bound {
    explicit bound(std::uint64_t at_most) noexcept : most{at_most} {}
    const std::uint64_t most;              ///< 0: there is none
    std::atomic<std::uint64_t> before{0};  ///< the last flip
  };

  /// An epoch comes that much too late, at most.
  [[nodiscard]] std::uint64_t part_of(std::uint64_t most) const noexcept {
    constexpr std::uint64_t parts = 64;
    if (most == 0) return std::numeric_limits<std::uint64_t>::max();
    return std::max<std::uint64_t>(1, most / (parts * all_.workers.size()));
  }
  [[nodiscard]] bool is_enough() const noexcept {
    return is_beyond(messages_, &worker_counters::messages) ||
           is_beyond(bytes_, &worker_counters::bytes);
  }
  // Relaxed: figures. The sum is read last, so the difference is never below zero.
  [[nodiscard]] bool is_beyond(const bound& of,
                               std::atomic<std::uint64_t> worker_counters::* which) const noexcept {
    const std::uint64_t from = of.before.load(std::memory_order_relaxed);
    return of.most != 0 && sum(which) - from >= of.most;
  }
  [[nodiscard]] std::uint64_t sum(
      std::atomic<std::uint64_t> worker_counters::* which) const noexcept {
    std::uint64_t all = 0;
    for (const auto& each : all_.workers) {
      all += (each->counters.*which).load(std::memory_order_relaxed);  // as above
    }
    return all;
  }

  const world& all_;
  bound messages_;
  bound bytes_;
  std::atomic<bool> reached_{false};
};

}  // namespace cairn::detail
