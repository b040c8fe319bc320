// What is left when nobody runs any more.
#pragma once

#include <utility>

#include "replay.hpp"
#include "world.hpp"

namespace cairn::detail {

inline void destroy_all(envelope* each) noexcept {
  while (each != nullptr) destroy_envelope(std::exchange(each, each->next));
}

/// What was sent from outside and not taken.
inline void drop_lanes(world& all) noexcept {
  for (const auto& each : all.workers) {
    if (envelope* left = each->lane.take_all()) destroy_all(left);
  }
}

/// Destroys every incarnation, frames before states, and what waits in mailboxes.
inline void tear_down_all(world& all, stop_reason why = stop_reason::shutdown) noexcept {
  replayer gone{all, *all.workers.front()};
  for (std::uint32_t index = 1; index < all.cells.used(); ++index) {
    cell& one = *all.cells.at(index);
    if (one.type != nullptr) gone.tear_down(one, why);
    while (envelope* each = one.box.incoming.take_all()) destroy_all(each);
    one.box.queue.clear();
    one.box.replies.clear();
  }
  for (const auto& each : all.workers) {
    each->held.clear();
    each->unopened = {};
  }
}

}  // namespace cairn::detail
