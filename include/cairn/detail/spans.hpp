// Spans of time as a program gives them. "No bound" is said by the longest that there is, and a sum
// with that overflows, as does its conversion to a finer unit.
#pragma once

#include <algorithm>
#include <chrono>

namespace cairn::detail {

/// A century: no sum of times overflows.
inline constexpr std::chrono::nanoseconds as_long_as_it_takes = std::chrono::hours{24 * 36525};

/// A span of any unit, a century at most: what an option's or a caller's becomes before anything
/// is added to it.
template <class Rep, class Period>
[[nodiscard]] constexpr std::chrono::nanoseconds bounded(
    std::chrono::duration<Rep, Period> span) noexcept {
  constexpr auto most = std::chrono::duration_cast<decltype(span)>(as_long_as_it_takes);
  return std::clamp(span, -most, most);
}

/// When that will be, in a century at the latest and not before the clock began.
[[nodiscard]] constexpr std::chrono::nanoseconds due_after(
    std::chrono::nanoseconds now, std::chrono::nanoseconds delay) noexcept {
  return now + std::clamp(delay, -now, as_long_as_it_takes);
}

}  // namespace cairn::detail
