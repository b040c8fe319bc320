// How often an actor may be restarted within a period.
#pragma once

#include <chrono>
#include <vector>

#include "../supervisor.hpp"
#include "cell.hpp"

namespace cairn::detail {

/// Notes a restart; whether its supervisor allows it. Retries of one turn count as one.
[[nodiscard]] inline bool may_restart(std::chrono::nanoseconds now, cell& one) {
  auto& restarts = one.rest().restarts;
  std::erase_if(restarts,
                [&](const auto when) { return now - when > one.policy->intensity.within; });
  restarts.push_back(now);
  return restarts.size() <= one.policy->intensity.restarts;
}

/// Counts a failure; how many there were, each within the period after the one before.
[[nodiscard]] inline std::uint32_t failures_in_row(std::chrono::nanoseconds now, cell& one) {
  extra& rest = one.rest();
  if (now - rest.failed_at > one.policy->quiet()) rest.failures = 0;
  rest.failed_at = now;
  return ++rest.failures;
}

}  // namespace cairn::detail
