// Which timer fires next, and how a periodic one does, at its actor's home.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "delivery.hpp"

namespace cairn::detail {

/// The actor's first timer; the end of them where there is none. While it waits for a restart, what
/// would be sent to it waits as well: it would fill its mailbox.
[[nodiscard]] inline std::vector<timer>::iterator first_due(cell& one) {
  auto& all = one.more->timers;
  const auto waits = [&](const timer& each) { return one.paused && each.message; };
  const auto first = std::ranges::min_element(
      all, {}, [&](const timer& each) { return waits(each) ? no_look : each.next(); });
  return first == all.end() || waits(*first) ? all.end() : first;
}

/// The timer stays, and a copy of its message is sent. Precondition: the actor has been cut.
inline void fire_again(world& all, delivery& mail, cell& one, timer& due) {
  one.changed = true;
  next_time(due, all.steady_now());
  envelope_ptr message;
  try {
    message = copy_of(*due.message);
  } catch (...) {
    const std::string text = "a periodic message could not be copied: " + text_of_caught();
    all.tell_of(event_kind::failed, one, text, errc::misuse);
    return;
  }
  message->to = &one;
  message->target = one.self().id;
  message->sent = one.at;
  mail.enqueue(one, std::move(message));
}

}  // namespace cairn::detail
