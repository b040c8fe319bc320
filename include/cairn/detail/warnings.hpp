// What a program that does not listen is told: warnings, a line each, on standard error.
#pragma once

#include <cstdio>
#include <string>

#include <fmt/core.h>

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
    case event_kind::abandoned:
    case event_kind::store_warning:
    case event_kind::unfinished:
      return true;
    default:
      return false;
  }
}

/// One line, with its end.
[[nodiscard]] inline std::string line_of(const event& what) {
  std::string line = fmt::format("cairn: {}", to_string(what.kind));
  if (what.kind == event_kind::abandoned) line += fmt::format(" epoch {}", raw(what.at));
  if (!what.name.empty()) line += " " + what.name;
  if (!what.text.empty()) line += ": " + what.text;
  for (char& each : line) {
    if (each == '\n' || each == '\r') each = ' ';
  }
  return line + "\n";
}

inline void print_warning(const event& what) {
  if (!is_warning(what.kind)) return;
  const std::string line = line_of(what);
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace cairn::detail
