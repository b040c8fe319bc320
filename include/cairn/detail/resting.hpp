// What a snapshot at rest asks of a worker's actors.
#pragma once

#include <atomic>
#include <string>

#include "world.hpp"

namespace cairn::detail {

/// Counts the handlers of this worker's persistent actors that have not ended, and names some.
inline void count_unfinished(world& all, worker& mine) {
  mine.unfinished.clear();
  mine.unfinished_count = 0;
  for (std::uint32_t index = 2, end = all.cells.used(); index < end; ++index) {
    cell& one = *all.cells.at(index);
    // pairs with the release in give_away(); one that this worker has yet to take counts here
    if (one.home.load(std::memory_order_acquire) != &mine) continue;
    if (one.type == nullptr || !one.type->persistent || !one.busy()) continue;
    ++mine.unfinished_count;
    if (mine.unfinished.size() < 5) {
      mine.unfinished.push_back(world::label(one) + " (" + std::string{one.more->handler.what} +
                                ")");
    }
  }
}

/// Before a snapshot at rest only asks begin handlers: others may wait for their answers.
/// Precondition: something waits.
[[nodiscard]] inline bool must_rest(const cell& one) noexcept {
  if (one.box.queue.front()->kind != envelope_kind::message) return false;
  if (one.more && !one.more->waiting_for_room.empty()) return false;  // handlers wait for it
  for (const envelope* each = one.box.queue.front(); each != nullptr; each = each->next) {
    if (each->answer.wanted() || each->reserved) return false;  // it, and what is before it
  }
  return true;
}

}  // namespace cairn::detail
