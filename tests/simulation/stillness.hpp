// While all pause, nobody handles anything.
#pragma once

#include <map>

#include "world.hpp"

namespace simulated {

/// How far each actor has come, by its id: those that have stopped leave their cells meanwhile.
using positions = std::map<cairn::actor_id, cairn::position>;

[[nodiscard]] inline positions positions_in(const cairn::detail::program& system) {
  positions all;
  for (std::uint32_t at = 2; at < system.cells.used(); ++at) {
    cairn::detail::cell& one = *system.cells.at(at);
    if (one.type != nullptr) all[one.self().id] = one.consumed;
  }
  return all;
}

inline void check_still(const positions& before, const cairn::detail::program& system) {
  for (const auto& [id, position] : positions_in(system)) {
    const auto found = before.find(id);
    if (found != before.end() && found->second != position) complain("one that pauses handles");
  }
}

}  // namespace simulated
