// What the process began with, for who asks and for an event.
#pragma once

#include <cstdint>

#include "../ids.hpp"

namespace cairn::detail {

/// What a snapshot held.
struct restored_counts {
  epoch from{};
  std::uint64_t actors = 0;
  std::uint64_t messages = 0;  ///< in flight
  std::uint64_t suspended_handlers = 0;
  std::uint64_t timers = 0;
};

}  // namespace cairn::detail
