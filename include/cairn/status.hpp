// What a running system is doing, for programs and, as text, for people.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "event.hpp"
#include "ids.hpp"

namespace cairn {

/// A look at a running system. Each worker says what it sees at one of its own turn boundaries, so
/// figures of different workers are of slightly different moments.
struct status {
  struct mailbox {
    std::string actor{};
    std::string type{};
    std::uint64_t depth = 0;
  };
  /// A worker that did not answer in time, and what it is in the middle of.
  struct silent_worker {
    unsigned number = 0;
    actor_id actor{};    ///< 0: it is between turns
    std::string name{};  ///< the actor's; `#` and its number where it has none or has just gone
    std::string type{};
    std::string message{};  ///< or which code of the actor's between its turns
  };
  static constexpr std::size_t most_names = 5;  ///< mailboxes and suspended actors named

  unsigned workers = 0;
  bool paused = false;  ///< all actors, by `system::pause`
  std::uint64_t actors = 0;
  std::uint64_t dormant = 0;       ///< not woken: their supervisor is not declared, or not yet
  std::uint64_t waiting = 0;       ///< messages in mailboxes
  std::uint64_t asks = 0;          ///< answers that actors wait for
  std::uint64_t outside_asks = 0;  ///< answers that somebody outside waits for
  std::uint64_t messages = 0;      ///< handled since the start
  std::uint64_t restarts = 0;      ///< since the start
  epoch now{};
  epoch committed{};                        ///< the last one; 0: none
  std::chrono::nanoseconds commit_age{-1};  ///< negative: none since the start
  epoch_cost commit_cost{};
  std::vector<mailbox> deepest{};  ///< the fullest first
  std::uint64_t suspended = 0;
  std::vector<std::string> suspended_names{};
  std::vector<silent_worker> silent{};
};

namespace detail {

[[nodiscard]] inline double in_ms(std::chrono::nanoseconds span) {
  return std::chrono::duration<double, std::milli>{span}.count();
}

inline void put_epochs(std::string& to, const status& of) {
  to += fmt::format("epoch     {} open", raw(of.now));
  if (of.committed != epoch{}) to += fmt::format(", {} committed", raw(of.committed));
  if (of.commit_age.count() >= 0) {
    const epoch_cost& cost = of.commit_cost;
    to += fmt::format(" {:.1f} s ago: {} actors, {} bytes, {:.1f} ms", in_ms(of.commit_age) / 1000,
                      cost.visited, cost.bytes, in_ms(cost.whole));
  }
  to += '\n';
}

}  // namespace detail

/// Some lines of text, each with its end.
[[nodiscard]] inline std::string to_text(const status& of) {
  std::string text;
  text += fmt::format("actors    {} on {} workers", of.actors, of.workers);
  if (of.paused) text += ", all paused";
  if (of.dormant != 0) text += fmt::format(", {} more are not awake", of.dormant);
  text += fmt::format("\nmessages  {} handled, {} waiting; {} restarts\n", of.messages, of.waiting,
                      of.restarts);
  text += fmt::format("asks      {} by actors, {} from outside\n", of.asks, of.outside_asks);
  detail::put_epochs(text, of);
  for (const auto& each : of.deepest) {
    text += fmt::format("mailbox   {} of {} ({})\n", each.depth, each.actor, each.type);
  }
  if (of.suspended != 0) {
    text += fmt::format("suspended {}:", of.suspended);
    for (const auto& each : of.suspended_names) text += " " + each;
    text += of.suspended > of.suspended_names.size() ? " ...\n" : "\n";
  }
  for (const auto& each : of.silent) {
    text += fmt::format("worker    {} does not answer", each.number);
    if (each.actor != actor_id{}) {
      text += fmt::format(": actor {} ({}) handles {}", each.name, each.type, each.message);
    }
    text += '\n';
  }
  return text;
}

}  // namespace cairn
