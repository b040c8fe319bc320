// The heap of a worker's timers.
#pragma once

#include <algorithm>
#include <vector>

#include "worker.hpp"

namespace cairn::detail {

/// An ask that is answered leaves its place in time behind. Before such places are most of the
/// heap, it is made anew of the timers that there are.
inline void forget_answered(worker& mine) {
  std::vector<cell*> owners;
  for (const due_timer& each : mine.timers) {
    cell& of = *each.of.where;
    // pairs with the release in give_away(); an actor with timers is never given away
    if (of.is(each.of.id) && of.home.load(std::memory_order_acquire) == &mine) {
      owners.push_back(&of);
    }
  }
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  mine.timers.clear();
  for (cell* of : owners) {
    for (const timer& each : of->rest().timers) {
      mine.add_timer({each.due, of->self(), each.number});
    }
  }
  mine.most_timers = std::max(worker::few_timers, 2 * mine.timers.size());
}

}  // namespace cairn::detail
