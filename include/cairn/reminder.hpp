// Reminders: messages that an actor sends itself at a time, or every so often.
#pragma once

#include <chrono>
#include <cstdint>

namespace cairn {

/// What becomes of a reminder's times that passed while the program was down, or between the
/// snapshot that it rolls back to and then.
enum class overdue : std::uint8_t {
  once,  ///< one message for all of them, at once
  all,   ///< a message for each, at once, `most_overdue` of them at most
  skip,  ///< none
};

/// How many of them `overdue::all` makes up for: after a year nobody wants them all.
inline constexpr std::uint32_t most_overdue = 1000;

/// How often, and what becomes of what was missed: `{.period = 1h, .missed =
/// cairn::overdue::skip}`.
struct every {
  std::chrono::nanoseconds period{};
  overdue missed = overdue::once;
};

/// When, and whether it is still wanted where that has passed: `{.when = noon, .missed =
/// cairn::overdue::skip}`. There is one time, so `all` is the same as `once`.
struct once_at {
  std::chrono::system_clock::time_point when{};
  overdue missed = overdue::once;
};

/// The same after a while. What a process is down does not count, so it is overdue only where it is
/// declared to be skipped: if it would have come by the wall clock.
struct once_after {
  std::chrono::nanoseconds delay{};
  overdue missed = overdue::once;
};

/// Names a reminder, so that the actor that made it can cancel it. May be kept in its state.
class reminder {
 public:
  reminder() = default;
  /// For cairn itself.
  explicit reminder(std::uint64_t number) noexcept : number_{number} {}

  [[nodiscard]] explicit operator bool() const noexcept { return number_ != 0; }
  /// For cairn itself.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  friend bool operator==(const reminder&, const reminder&) = default;

  void serialize(auto& archive, std::uint32_t /*version*/) { archive(number_); }

 private:
  std::uint64_t number_ = 0;
};

}  // namespace cairn
