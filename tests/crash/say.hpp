// What the program tells the harness, a line at a time.
#pragma once

#include <cstdio>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <cairn/event.hpp>

namespace bank {

template <class... Args>
void say(fmt::format_string<Args...> form, Args&&... args) {
  const auto line = fmt::format(form, std::forward<Args>(args)...) + "\n";
  std::fputs(line.c_str(), stdout);  // in one piece: several threads speak
  std::fflush(stdout);
}

/// What is not an everyday event has its kind in front.
inline void hear(const cairn::event& what) {
  using kind = cairn::event_kind;
  switch (what.kind) {
    case kind::restored:
    case kind::started:
    case kind::restarted:
    case kind::resumed:
    case kind::stopped:
    case kind::epoch_begun:
    case kind::slow_turn:
    case kind::stuck:
    case kind::savepoint:
    case kind::cloned:
    case kind::delivered_again:
    case kind::letter_dropped:
      return;
    case kind::committed:
      return say("committed {}", raw(what.at));
    case kind::abandoned:
      return say("abandoned {}: {}", raw(what.at), what.text);
    default:
      return say("event {} {}: {}", to_string(what.kind), what.name, what.text);
  }
}

}  // namespace bank
