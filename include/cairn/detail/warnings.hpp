// Which events are warnings: what a program that does not listen is told, too.
#pragma once

#include "../event.hpp"

namespace cairn::detail {

[[nodiscard]] constexpr bool is_warning(event_kind kind) noexcept {
  switch (kind) {
    case event_kind::undeclared:
    case event_kind::failed:
    case event_kind::given_up:
    case event_kind::suspended:
    case event_kind::timed_out:
    case event_kind::diverged:
    case event_kind::dead_letter:
    case event_kind::slow_turn:
    case event_kind::stuck:
    case event_kind::abandoned:
    case event_kind::store_warning:
    case event_kind::unfinished:
    case event_kind::rolled_back:
      return true;
    default:
      return false;
  }
}

}  // namespace cairn::detail
