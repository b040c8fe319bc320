// What happened, for people and programs: one subscriber is told everything.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "dead_letter.hpp"
#include "error.hpp"
#include "ids.hpp"

namespace cairn {

enum class event_kind : std::uint8_t {
  restored,    ///< the system resumed from a snapshot
  undeclared,  ///< a restored actor whose supervisor the program has not declared
  started,     ///< an actor was spawned; the text is its type
  failed,      ///< a handler threw
  restarted,   ///< the actor is back where it was before the failing turn
  given_up,    ///< a message was abandoned after its attempts
  suspended,   ///< an actor keeps state and mailbox and handles nothing
  resumed,
  stopped,
  timed_out,  ///< an ask had no answer in time; the text says who awaited whom
  diverged,   ///< replay saw other effects than the log holds
  dead_letter,
  slow_turn,  ///< a handler kept its worker from other actors
  stuck,      ///< a turn has not ended for long, and still runs
  epoch_begun,
  committed,
  abandoned,
  store_warning,
  unfinished,         ///< handlers that had not ended before a snapshot at rest
  rolled_back,        ///< the system went back to its latest committed snapshot
  nondeterministic,   ///< an audit came to something else than the actor did
  paused,             ///< no actor but the root task handles anything
  continued,          ///< they do again
  savepoint,          ///< a snapshot is kept under a name
  savepoint_removed,  ///< it is not any more
  cloned,             ///< a snapshot was copied into a new store
  delivered_again,    ///< a dead letter that was kept is a message once more
  letter_dropped,     ///< a dead letter is kept no more
  no_rollback,        ///< not all that came from outside since the latest snapshot would come again
};

[[nodiscard]] constexpr std::string_view to_string(event_kind kind) noexcept {
  constexpr std::string_view names[] = {
      "restored",         "undeclared",      "started",        "failed",     "restarted",
      "given_up",         "suspended",       "resumed",        "stopped",    "timed_out",
      "diverged",         "dead_letter",     "slow_turn",      "stuck",      "epoch_begun",
      "committed",        "abandoned",       "store_warning",  "unfinished", "rolled_back",
      "nondeterministic", "paused",          "continued",      "savepoint",  "savepoint_removed",
      "cloned",           "delivered_again", "letter_dropped", "no_rollback"};
  const auto at = static_cast<std::size_t>(kind);
  return at < std::size(names) ? names[at] : "unknown";
}

/// How much an event matters.
enum class event_level : std::uint8_t {
  detail,   ///< the daily round: epochs, actors that start and stop
  notable,  ///< restarts, what was restored, actors that go on
  warning,  ///< somebody should know
};

[[nodiscard]] constexpr event_level level_of(event_kind kind) noexcept {
  switch (kind) {
    case event_kind::started:
    case event_kind::stopped:
    case event_kind::epoch_begun:
    case event_kind::committed:
      return event_level::detail;
    case event_kind::restored:
    case event_kind::restarted:
    case event_kind::resumed:
    case event_kind::paused:
    case event_kind::continued:
    case event_kind::savepoint:
    case event_kind::savepoint_removed:
    case event_kind::cloned:
    case event_kind::delivered_again:
    case event_kind::letter_dropped:
      return event_level::notable;
    default:
      return event_level::warning;
  }
}

/// What an epoch cost. Of a restart, a rollback and a clone there is the whole time alone.
struct epoch_cost {
  std::uint64_t visited = 0;         ///< actors that the sweep looked at
  std::uint64_t records = 0;         ///< records written
  std::uint64_t bytes = 0;           ///< their bytes
  std::chrono::nanoseconds flip{};   ///< until every worker had acknowledged
  std::chrono::nanoseconds sweep{};  ///< until every actor was cut
  std::chrono::nanoseconds whole{};  ///< from flip to commit; from begin to end
};

struct event {
  event_kind kind{};
  epoch at{};
  actor_id actor{};
  std::string name{};  ///< the actor's name, or of what is concerned
  std::string text{};
  errc code = errc::ok;
  position consumed{};
  epoch_cost cost{};
  std::uint64_t messages = 0;                  ///< replayed, or delivered again after a rollback
  const cairn::dead_letter* letter = nullptr;  ///< lives as long as the call
};

/// Called by whichever thread something happens on, several at once; must not throw or block.
using event_handler = std::function<void(const event&)>;

}  // namespace cairn
