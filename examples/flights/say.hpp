// What the program says, a line at a time.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <cairn/event.hpp>

#include "actors.hpp"

namespace flights {

template <class... Args>
void say(fmt::format_string<Args...> form, Args&&... args) {
  const auto line = fmt::format(form, std::forward<Args>(args)...) + "\n";
  std::fputs(line.c_str(), stderr);  // in one piece: several threads speak
}

/// What the event of an actor, or of a snapshot, comes to for who has never heard of either.
[[nodiscard]] inline std::string words_of(const cairn::event& what) {
  using kind = cairn::event_kind;
  switch (what.kind) {
    case kind::failed:
      return fmt::format("the actor {} failed", what.name);
    case kind::given_up:
      return fmt::format("the actor {} gives up", what.name);
    case kind::suspended:
      return fmt::format("the actor {} is suspended", what.name);
    case kind::diverged:
      return fmt::format("the actor {} cannot be brought back", what.name);
    case kind::abandoned:
      return fmt::format("snapshot {} failed", raw(what.at));
    default:
      return fmt::format("{}{}{}", to_string(what.kind), what.name.empty() ? "" : " ", what.name);
  }
}

[[nodiscard]] inline std::string line_of(const cairn::event& what) {
  return fmt::format("{}{}{}", words_of(what), what.text.empty() ? "" : ": ", what.text);
}

/// Why the store's job is not the one that is asked for; empty where it is.
[[nodiscard]] inline std::string difference(const job& has, const job& asked) {
  std::vector<std::string> all;
  if (has.input != asked.input) {
    all.push_back(fmt::format("its INPUT is {}, not {}", has.input, asked.input));
  } else if (has.bytes != asked.bytes || has.lines != asked.lines) {
    all.push_back(fmt::format("its INPUT {} had {} bytes in {} lines, not {} in {}", has.input,
                              has.bytes, has.lines + 1, asked.bytes, asked.lines + 1));
  }
  if (has.repeat != asked.repeat) {
    all.push_back(fmt::format("its --repeat is {}, not {}", has.repeat, asked.repeat));
  }
  if (has.alerts != asked.alerts) {
    all.push_back(fmt::format("its --alerts is {}, not {}", has.alerts, asked.alerts));
  }
  return fmt::format("{}", fmt::join(all, ", and "));
}

/// Those malformed lines that are new since `said` of them had been met.
inline void say_skipped(const std::string& input, const skipped& bad, std::uint64_t said) {
  for (auto at = said; at < bad.first.size(); ++at) {
    say("flights: {}:{}: skipped: {}", input, bad.first[at].number, bad.first[at].why);
  }
  if (said <= bad.first.size() && bad.count > bad.first.size()) {
    say("flights: {}: more malformed lines are counted, and not named", input);
  }
}

}  // namespace flights
