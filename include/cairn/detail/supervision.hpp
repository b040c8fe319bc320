// What a supervisor was told to do about its children's failures. Data: `supervisor_actor` and
// `failures` act on it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "spans.hpp"

namespace cairn {

/// Who is restarted when one child fails, as in Erlang/OTP.
enum class restart_strategy : std::uint8_t {
  one_for_one,   ///< only the child that failed
  one_for_all,   ///< all of them
  rest_for_one,  ///< it, and those that were spawned after it
};
inline constexpr restart_strategy one_for_one = restart_strategy::one_for_one;
inline constexpr restart_strategy one_for_all = restart_strategy::one_for_all;
inline constexpr restart_strategy rest_for_one = restart_strategy::rest_for_one;

/// What a child's end comes to, as in Erlang/OTP.
enum class restart_type : std::uint8_t {
  transient,  ///< restarted when it fails; stays stopped when it stops itself
  permanent,  ///< begins afresh also when it has stopped itself
  temporary,  ///< never restarted: a failure stops it, with its state, and so does a restart of
              ///< its siblings with it
};
inline constexpr restart_type transient = restart_type::transient;
inline constexpr restart_type permanent = restart_type::permanent;
inline constexpr restart_type temporary = restart_type::temporary;

/// What is done to the siblings of a child that failed, where the strategy restarts them too.
enum class sibling_restart : std::uint8_t {
  restored,  ///< brought back to the present by replay: their resources are opened anew
  fresh,     ///< back to the state that they were spawned with, which is recorded
};

/// More than `restarts` within `within` are too many.
struct restart_intensity {
  std::uint32_t restarts = 3;
  std::chrono::nanoseconds within = std::chrono::seconds{5};
  /// Under `one_for_one`: of all children together, as in Erlang/OTP, not of each by itself.
  bool together = false;
};

/// How long a restart waits: `first`, then twice as long each time, `most` at most, and by a random
/// share of up to `jitter` longer. 0: not at all.
struct restart_backoff {
  std::chrono::nanoseconds first{};
  std::chrono::nanoseconds most = std::chrono::seconds{30};
  double jitter = 0.2;
};

/// What is done about a handler that throws. In each case the failing turn has had no effect.
enum class decision : std::uint8_t {
  restart,   ///< back to before the turn, which is tried again, and then given up
  resume,    ///< its message is given up at once; it does not count as a restart
  stop,      ///< the message is given up, and the actor retired with its state
  suspend,   ///< state and mailbox are kept, the message in front; handles nothing until resumed
  escalate,  ///< the supervisor above decides, as if this one had failed with all its children
  rollback,  ///< the whole system goes back to its latest committed snapshot, once for each one
};

/// What a program says of one child.
struct child_options {
  restart_type restart = transient;
  /// How long its supervisor, where it is stopped, waits for this child to stop. Of a supervisor
  /// for which nothing is said: for as long as it takes.
  std::chrono::nanoseconds shutdown = std::chrono::seconds{5};
};

namespace detail {

/// Whether this is an `E`.
template <class E>
[[nodiscard]] bool is_thrown(const std::exception_ptr& what) {
  try {
    std::rethrow_exception(what);
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

struct exception_rule {
  bool (*fits)(const std::exception_ptr& thrown) = nullptr;
  decision then = decision::restart;
};

struct supervision {
  restart_strategy strategy = one_for_one;
  restart_intensity intensity{};
  /// How often a failing turn is tried again before its message is given up.
  std::uint32_t attempts = 1;
  restart_backoff backoff{};
  sibling_restart siblings = sibling_restart::restored;
  /// Where there were too many restarts: `suspend`, `stop` or `escalate`.
  decision exceeded = decision::suspend;
  /// Made by `on`. Of the program, not of the store: each run declares them.
  std::vector<exception_rule> rules{};
  /// Whom this one's supervisor obeys; null: nobody. For cairn itself.
  std::shared_ptr<const supervision> above{};

  /// The same with a rule for handlers that throw an `E`, or what derives from it. The first rule
  /// that fits counts; where none does it is `restart`.
  template <class E>
  [[nodiscard]] supervision on(decision then) const {
    supervision more = *this;
    more.rules.push_back({&is_thrown<E>, then});
    return more;
  }
  [[nodiscard]] decision decide(const std::exception_ptr& thrown) const {
    for (const exception_rule& each : rules) {
      if (each.fits(thrown)) return each.then;
    }
    return decision::restart;
  }
  /// Whether the supervisor itself acts on each failure: others are concerned, or it counts them.
  [[nodiscard]] bool groups() const noexcept {
    return strategy != one_for_one || intensity.together;
  }
  /// Whether children may have to begin again as they were spawned.
  [[nodiscard]] bool needs_first_state(restart_type of) const noexcept {
    return of == permanent || (strategy != one_for_one && siblings == sibling_restart::fresh) ||
           (above && above->resets_below());
  }
  /// Whether a supervisor below that passes a failure up may be told to begin afresh.
  [[nodiscard]] bool resets_below() const noexcept {
    return siblings == sibling_restart::fresh || (above && above->resets_below());
  }

  /// How long nothing must fail that a row of failures ends: the row, by which the backoff grows,
  /// outlasts the period in which restarts count.
  [[nodiscard]] std::chrono::nanoseconds quiet() const noexcept {
    const auto most = std::min(backoff.most, std::chrono::nanoseconds::max() / 2);
    return std::max(intensity.within, 2 * most);
  }

  /// In what the store keeps of them.
  [[nodiscard]] bool same_as(const supervision& other) const noexcept {
    const auto all = [](const supervision& of) {
      return std::tuple{of.strategy,         of.intensity.restarts,
                        of.intensity.within, of.intensity.together,
                        of.attempts,         of.backoff.first,
                        of.backoff.most,     of.backoff.jitter,
                        of.siblings,         of.exceeded};
    };
    return all(*this) == all(other);
  }

  /// In the byte of the strategy.
  static constexpr std::uint8_t together_bit = 4;

  void save(auto& archive) const {
    const std::uint8_t together = intensity.together ? together_bit : 0;
    archive(static_cast<std::uint8_t>(static_cast<std::uint8_t>(strategy) | together),
            intensity.restarts, static_cast<std::int64_t>(intensity.within.count()), attempts,
            static_cast<std::int64_t>(backoff.first.count()),
            static_cast<std::int64_t>(backoff.most.count()), backoff.jitter,
            static_cast<std::uint8_t>(siblings), static_cast<std::uint8_t>(exceeded));
  }
  void load(auto& archive) {
    std::uint8_t kind = 0;
    std::uint8_t mode = 0;
    std::uint8_t then = 0;
    std::int64_t within = 0;
    std::int64_t first = 0;
    std::int64_t most = 0;
    archive(kind, intensity.restarts, within, attempts, first, most, backoff.jitter, mode, then);
    intensity.together = (kind & together_bit) != 0;
    kind = static_cast<std::uint8_t>(kind & ~together_bit);
    if (kind > 2 || mode > 1 || then > 4) throw error{errc::damaged, "a supervisor's rules"};
    strategy = restart_strategy{kind};
    intensity.within = std::chrono::nanoseconds{within};
    backoff.first = std::chrono::nanoseconds{first};
    backoff.most = std::chrono::nanoseconds{most};
    siblings = sibling_restart{mode};
    exceeded = decision{then};
  }
};

/// A child's options as one number, for records and words.
[[nodiscard]] constexpr std::uint64_t bits_of(const child_options& of) noexcept {
  const auto shutdown = static_cast<std::uint64_t>(std::max<std::int64_t>(0, of.shutdown.count()));
  return shutdown << 2U | static_cast<std::uint64_t>(of.restart);
}
[[nodiscard]] constexpr child_options options_of(std::uint64_t bits) {
  if (bits % 4 > 2) throw error{errc::damaged, "a child's options"};
  return {restart_type{static_cast<std::uint8_t>(bits % 4)},
          std::chrono::nanoseconds{static_cast<std::int64_t>(bits >> 2U)}};
}

/// What actors that ordinary actors spawn are supervised by.
inline const supervision default_rules{};
/// Owns nothing, so that to copy it counts nothing.
inline const std::shared_ptr<const supervision> default_supervision{std::shared_ptr<void>{},
                                                                    &default_rules};

/// A decision, and how many supervisors above the child's own have made it.
struct resolution {
  decision what = decision::restart;
  std::uint32_t levels = 0;
  /// Who has made it.
  const supervision* by = nullptr;
};

/// Who decides about a failure of an actor under `own`, and what. At the top nobody is left to
/// escalate to: the failing subtree is suspended.
[[nodiscard]] inline resolution resolve(const supervision& own, const std::exception_ptr& thrown) {
  resolution found{own.decide(thrown), 0, &own};
  while (found.what == decision::escalate) {
    if (!found.by->above) return {decision::suspend, found.levels + 1, found.by};
    found.by = found.by->above.get();
    ++found.levels;
    found.what = found.by->decide(thrown);
  }
  return found;
}

[[nodiscard]] constexpr bool is_share(double value) noexcept { return value >= 0 && value <= 1; }

/// How long the `n`th restart in a row waits, `n` from 1 on; `chance` is 64 random bits.
[[nodiscard]] inline std::chrono::nanoseconds delay_of(const restart_backoff& how, std::uint32_t n,
                                                       std::uint64_t chance) noexcept {
  if (how.first.count() <= 0) return {};
  const auto first = std::min(how.first, as_long_as_it_takes);  // sums must not overflow
  const auto most = std::clamp(how.most, first, as_long_as_it_takes);
  auto delay = first;
  for (std::uint32_t at = 1; at < n && delay < most; ++at) delay = std::min(2 * delay, most);
  const double jitter = is_share(how.jitter) ? how.jitter : 0;  // an older program's may be none
  const double share = static_cast<double>(chance >> 11U) * 0x1.0p-53 * jitter;
  return delay + std::chrono::nanoseconds{
                     static_cast<std::int64_t>(static_cast<double>(delay.count()) * share)};
}

/// Why an actor is suspended that failed too often.
[[nodiscard]] inline std::string exceeded_text(const supervision& by, const std::string& last) {
  return "more restarts than " + std::to_string(by.intensity.restarts) +
         "; the last failure: " + last;
}

}  // namespace detail
}  // namespace cairn
