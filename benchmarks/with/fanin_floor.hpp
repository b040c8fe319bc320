// Counting and fan-in on the bare machine: a chunk of nodes from each sender is pushed to a plain
// queue, and then popped.
#pragma once

#include "floor.hpp"

namespace bench {

template <std::uint32_t Senders>
double fan_in(const settings& how) {
  constexpr std::uint64_t waiting = std::uint64_t{Senders} * chunk_of(Senders);
  std::vector<node> nodes(waiting);
  return repeat(how, waiting, [&](std::uint64_t rounds) {
    queue inbox;
    std::uint64_t counted = 0;
    for (std::uint64_t left = rounds; left > 0; left -= waiting) {
      for (node& each : nodes) {
        each.value = 1;
        inbox.push(each);
      }
      while (!inbox.empty()) counted += inbox.pop().value;
    }
    require(counted == rounds, "not every node was counted once");
  });
}

}  // namespace bench
