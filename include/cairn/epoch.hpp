// When epochs are begun, and how many snapshots are kept.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace cairn {

struct adaptive;

/// An epoch is begun when something has changed and one of these is reached, whichever comes
/// first; 0 switches a bound off.
struct epoch_policy {
  std::chrono::nanoseconds every = std::chrono::milliseconds{100};
  std::uint64_t messages = 1'000'000;      ///< consumed since the last flip
  std::uint64_t bytes = 64 * 1024 * 1024;  ///< of message objects consumed since the last flip:
                                           ///< their sizeof, without what they own elsewhere
  std::chrono::nanoseconds min_pause{};    ///< from the end of an epoch to the next flip
  std::size_t retain = 3;                  ///< snapshots kept, savepoints aside
  std::size_t max_abandoned = 5;           ///< so many in a row stop the system
  std::size_t write_buffer = 64 * 1024 * 1024;  ///< bytes of records ahead of the disk
  std::chrono::nanoseconds mtbf{};              ///< see `adaptive`; 0: `every` stays as it is
  std::chrono::nanoseconds at_least{};          ///< the bounds of an adaptive interval
  std::chrono::nanoseconds at_most{};
};

/// Chooses the interval from the measured cost of epochs and the mean time between failures:
/// sqrt(2 * cost * mtbf), after Young (1974) and Daly (2006), "A higher order estimate of the
/// optimum checkpoint interval for restart dumps". Before the first measurement it is a second.
struct adaptive {
  std::chrono::nanoseconds mtbf = std::chrono::hours{24};
  std::chrono::nanoseconds at_least = std::chrono::milliseconds{10};
  std::chrono::nanoseconds at_most = std::chrono::minutes{10};

  operator epoch_policy() const {  // NOLINT(*explicit*): `.epoch = cairn::adaptive{…}`
    epoch_policy made;
    made.every = std::clamp<std::chrono::nanoseconds>(std::chrono::seconds{1}, at_least, at_most);
    made.mtbf = mtbf;
    made.at_least = at_least;
    made.at_most = at_most;
    return made;
  }
};

namespace detail {

/// The interval after an epoch that cost `cost`.
[[nodiscard]] inline std::chrono::nanoseconds young_daly(const epoch_policy& by,
                                                         std::chrono::nanoseconds cost) {
  if (by.mtbf.count() == 0) return by.every;
  const double span = std::sqrt(2.0 * static_cast<double>(std::max<std::int64_t>(1, cost.count())) *
                                static_cast<double>(by.mtbf.count()));
  const double longest = static_cast<double>(by.at_most.count());
  const std::chrono::nanoseconds chosen{static_cast<std::int64_t>(std::min(span, longest))};
  return std::max(chosen, by.at_least);
}

}  // namespace detail
}  // namespace cairn
