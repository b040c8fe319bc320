// What is told once a snapshot has been read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "restored_counts.hpp"
#include "world.hpp"

namespace cairn::detail {

/// So many of those that come back suspended are named: all below a supervisor may be, which may be
/// a million. `status` has them all.
inline constexpr std::size_t most_named = 8;

/// No events of their own: nothing has been suspended now, and the program may resume them at once.
[[nodiscard]] inline std::string text_of_suspended(const huge_vector<cell*>& all) {
  std::string text = std::to_string(all.size()) + " of them suspended";
  for (std::size_t at = 0; at < std::min(all.size(), most_named); ++at) {
    text += (at == 0 ? " (" : ", ") + world::label(*all[at]);
  }
  if (all.size() > most_named) text += ", …";
  return all.empty() ? text : text + ")";
}

/// Says what was found, and who handles nothing, though no failure of this run is the cause.
inline void tell_restored(world& all, const restored_counts& counts,
                          const huge_vector<cell*>& suspended) {
  event what;
  what.kind = event_kind::restored;
  what.at = counts.from;
  what.text = std::to_string(counts.actors) + " actors, " + text_of_suspended(suspended) + ", " +
              std::to_string(counts.messages) + " messages in flight, " +
              std::to_string(counts.suspended_handlers) + " suspended handlers";
  all.report(what);
}

}  // namespace cairn::detail
