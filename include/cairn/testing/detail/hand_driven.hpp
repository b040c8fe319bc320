// Time and threads that go on when a test says so: a clock that is set, seats that are stepped.
#pragma once

#include <chrono>
#include <utility>
#include <vector>

#include "../../clock.hpp"
#include "../../scheduler.hpp"

namespace cairn::detail {

/// Shows what somebody else sets.
struct hand_clock final : clock {
  explicit hand_clock(const std::chrono::nanoseconds& set_elsewhere) noexcept
      : now{set_elsewhere} {}
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return now; }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(now)};
  }
  const std::chrono::nanoseconds& now;
};

/// Seats whose step is called by who drives them, all on one thread.
class hand_scheduler final : public scheduler {
 public:
  void start(unsigned seats, step_function step) override {
    step_ = std::move(step);
    called_.assign(seats, true);
  }
  void wake(unsigned seat) noexcept override {
    if (seat < called_.size()) called_[seat] = true;  // else it has stopped
  }
  void stop() override { called_.clear(); }

  /// Steps each seat that was called, once. False: none was.
  bool step() {
    bool any = false;
    for (std::size_t seat = 0; seat < called_.size(); ++seat) {
      if (!called_[seat]) continue;
      any = true;
      called_[seat] = false;
      if (step_(static_cast<unsigned>(seat)).busy) called_[seat] = true;
    }
    return any;
  }

 private:
  step_function step_{};
  std::vector<bool> called_{};
};

}  // namespace cairn::detail
