// A periodic reminder fires, at its actor's home.
#pragma once

#include <string>
#include <utility>

#include "delivery.hpp"

namespace cairn::detail {

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
