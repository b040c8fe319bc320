// Events as lines on standard error, ready-made.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "event.hpp"
#include "status.hpp"

namespace cairn {

namespace detail {

inline void put_cost(std::string& to, const epoch_cost& cost) {
  to += fmt::format(
      " ({} actors, {} records, {} bytes; flip {:.3f} ms, sweep {:.3f} ms, whole {:.3f} ms)",
      cost.visited, cost.records, cost.bytes, in_ms(cost.flip), in_ms(cost.sweep),
      in_ms(cost.whole));
}

/// Whether it is about an epoch rather than within one.
[[nodiscard]] constexpr bool is_of_epoch(event_kind kind) noexcept {
  switch (kind) {
    case event_kind::epoch_begun:
    case event_kind::committed:
    case event_kind::abandoned:
    case event_kind::restored:
    case event_kind::rolled_back:
    case event_kind::savepoint:
    case event_kind::cloned:
      return true;
    default:
      return false;
  }
}

inline void put_again(std::string& to, const event& what, std::string_view how) {
  to += fmt::format(" ({} messages {}, {:.3f} ms)", what.messages, how, in_ms(what.cost.whole));
}

}  // namespace detail

/// One line with its end: the kind, what or who is concerned, the text, then what there is to
/// count.
[[nodiscard]] inline std::string to_line(const event& what) {
  std::string line = fmt::format("cairn: {}", to_string(what.kind));
  const bool of_epoch = detail::is_of_epoch(what.kind) && what.at != epoch{};
  if (of_epoch) line += fmt::format(" epoch {}", raw(what.at));
  if (!what.name.empty()) line += " " + what.name;
  if (!what.text.empty()) line += ": " + what.text;
  if (what.kind == event_kind::committed || what.kind == event_kind::abandoned) {
    detail::put_cost(line, what.cost);
  }
  if (what.kind == event_kind::restarted) detail::put_again(line, what, "replayed");
  if (what.kind == event_kind::rolled_back) detail::put_again(line, what, "delivered again");
  if (what.kind == event_kind::cloned) {
    line += fmt::format(" ({:.3f} ms)", detail::in_ms(what.cost.whole));
  }
  if (what.letter != nullptr) {
    line += fmt::format(" ({}, {} bytes, position {}, epoch {})", to_string(what.letter->code),
                        what.letter->payload.size(), raw(what.letter->at), raw(what.letter->in));
  }
  for (char& each : line) {
    if (static_cast<unsigned char>(each) < 0x20 || each == 0x7f) each = ' ';
  }
  return line + "\n";
}

/// A subscriber that prints each event from `least` on as one line on standard error:
/// `options.on_event = cairn::print_events{cairn::event_level::detail};`.
///
/// Thread safety: any thread, several at once; each line is one write.
struct print_events {
  event_level least = event_level::warning;

  void operator()(const event& what) const {
    if (level_of(what.kind) < least) return;
    const std::string line = to_line(what);
    (void)std::fwrite(line.data(), 1, line.size(), stderr);  // unbuffered, and locked by itself
  }
};

}  // namespace cairn
