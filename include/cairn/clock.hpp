// Time is a parameter: nothing below asks the operating system what time it is.
#pragma once

#include <chrono>
#include <concepts>

#include <time.h>

namespace cairn {

/// Where a system's time comes from. Any thread asks.
struct clock {
  clock() = default;
  clock(const clock&) = delete;
  clock& operator=(const clock&) = delete;
  virtual ~clock() = default;

  /// Never goes back. Timers and timeouts follow it.
  [[nodiscard]] virtual std::chrono::nanoseconds steady() const = 0;
  /// The same, read more cheaply and up to some milliseconds behind. Not comparable with `steady`.
  [[nodiscard]] virtual std::chrono::nanoseconds coarse() const { return steady(); }
  /// What a calendar shows.
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall() const = 0;
};

/// The machine's clocks.
struct machine_clock final : clock {
  [[nodiscard]] std::chrono::nanoseconds steady() const override {
    return std::chrono::steady_clock::now().time_since_epoch();
  }
  [[nodiscard]] std::chrono::nanoseconds coarse() const override {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::now();
  }
};

}  // namespace cairn
