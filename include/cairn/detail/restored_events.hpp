// What is told once a snapshot has been read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include "restored_counts.hpp"
#include "world.hpp"

namespace cairn::detail {

/// So many of those that come back suspended are told of, each by an event of its own: all below a
/// supervisor may be, which may be a million. `status` counts the others, too.
inline constexpr std::size_t most_suspended_told = 100;

/// Says what was found, and who handles nothing, though no failure of this run is the cause.
inline void tell_restored(world& all, const restored_counts& counts,
                          const std::vector<cell*>& made) {
  std::vector<cell*> suspended;
  std::ranges::copy_if(made, std::back_inserter(suspended),
                       [](const cell* one) { return one->suspended && !one->type->is_retired; });
  event what;
  what.kind = event_kind::restored;
  what.at = counts.from;
  what.text = std::to_string(counts.actors) + " actors, " + std::to_string(suspended.size()) +
              " of them suspended, " + std::to_string(counts.messages) + " messages in flight, " +
              std::to_string(counts.suspended_handlers) + " suspended handlers";
  all.report(what);
  if (suspended.size() > most_suspended_told) suspended.resize(most_suspended_told);
  for (cell* one : suspended) {
    all.tell_of(event_kind::suspended, *one,
                "was suspended before this start, and still is; it may be resumed");
  }
}

}  // namespace cairn::detail
