// What a supervisor's rules say of an actor that has failed, in a turn or in its `on_start`.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

#include "intensity.hpp"
#include "world.hpp"

namespace cairn::detail {

/// What is to be done about a failure, and who does it.
struct ruling {
  decision what = decision::restart;
  std::uint32_t levels = 0;  ///< whose supervisor, above the actor's own
  bool others = false;       ///< the supervisor acts, for others than the actor
  std::chrono::nanoseconds delay{};
  std::string why{};
};

/// There were too many restarts, or it cannot be run again: the supervisor's rules say what then.
[[nodiscard]] inline ruling exceeded(const supervision& own, std::string why) {
  ruling found{decision::suspend, 0, false, {}, std::move(why)};
  if (own.exceeded == decision::stop) {
    sometimes("actor that failed too often stopped");
    found.what = decision::stop;
  } else if (own.exceeded == decision::escalate && own.above) {
    sometimes("actor that failed too often passed up");
    found = {decision::restart, 1, true, {}, std::move(found.why)};
  }
  return found;
}

/// What the actor's supervisor, or one above it, says of this failure. `tries`: how often what has
/// failed had done so before.
[[nodiscard]] inline ruling judge(world& all, worker& mine, cell& one,
                                  const std::exception_ptr& thrown, const std::string& text,
                                  std::uint32_t& tries) {
  const supervision& own = *one.policy;
  const resolution by = resolve(own, thrown);
  ruling found{by.what, by.levels, by.levels > 0, {}, text};
  const bool retried = tries++ != 0;
  if (found.what != decision::restart) return found;
  if (!found.others && one.rest().declared.restart == temporary) {
    sometimes("temporary actor fails");
    found.what = decision::stop;
    return found;
  }
  const auto now = all.steady_now();
  found.delay = delay_of(own.backoff, failures_in_row(now, one), all.random());
  if (retried) {  // who is above has done what there is to do about it
    found.others = false;
    found.levels = 0;
    return found;
  }
  worker_counters::add(mine.counters.restarts, 1);
  if (found.others || own.groups()) {
    found.others = true;
    found.delay = {};  // the supervisor waits
  } else if (!may_restart(now, one)) {
    found = exceeded(own, exceeded_text(own, text));
  }
  return found;
}

}  // namespace cairn::detail
