// How long a worker's turns are, and how much of what it sends leaves it: whether others could take
// a part of its work, or had better have all of it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace cairn::detail {

/// One worker's own. It looks once a step, so a message costs nothing.
///
/// A message to another worker costs both of them more than a short handler takes. Actors that talk
/// to each other in short turns are therefore faster together, on one worker, than on two.
class pace {
 public:
  /// What a message between two workers costs, about: cache lines on their way, a wake-up now and
  /// then. Longer turns are worth sharing.
  static constexpr std::chrono::nanoseconds crossing{300};
  /// What one look for others takes, about: to know it better costs more than that.
  static constexpr std::chrono::nanoseconds look_for_others{30};

  /// How much of something there has ever been.
  struct figures {
    std::uint64_t turns = 0;
    std::uint64_t sent_away = 0;
  };

  /// At the beginning of each step. `now`: the time; `ran`: an actor had a turn in the step before;
  /// `lingered`: how often it has looked for others in between, which is no work. True: there is
  /// news.
  bool look(std::chrono::nanoseconds now, bool ran, std::uint64_t lingered, figures all) noexcept {
    if (began_.count() == 0) began_ = before_ = now;
    const auto since = now - before_;
    const std::uint64_t just = all.turns - turns_before_;
    before_ = now;
    turns_before_ = all.turns;
    // Its turns have taken something.
    const auto most_waited = since - std::min(since, for_turns(just));
    const auto waited =
        std::min(look_for_others * static_cast<std::int64_t>(lingered), most_waited);
    if (ran) busy_ += since - waited;
    if (busy_ < window) return false;
    const std::uint64_t took = all.turns - turns_;
    const std::uint64_t left = all.sent_away - sent_away_;
    const std::chrono::nanoseconds worth = for_turns(took + 2 * left);
    // Whoever was interrupted by other processes looks slow once, hardly ever thrice.
    slow_ = busy_ < worth ? 0 : slow_ + 1;
    // Also where each waits for the other most of the time: half of what is long is the waiting.
    const bool idle = busy_ * 4 < (now - began_) * 3;
    scatters_ = left > 0 && 4 * left >= took && (slow_ == 0 || idle);
    busy_ = {};
    began_ = now;
    turns_ = all.turns;
    sent_away_ = all.sent_away;
    return true;
  }

  /// Its turns are long: others should have some of them.
  [[nodiscard]] bool shares() const noexcept { return slow_ >= 3; }
  /// Its turns are short, and what they send goes elsewhere: it should have none of them.
  [[nodiscard]] bool scatters() const noexcept { return scatters_; }

 private:
  static constexpr std::chrono::microseconds window{200};  ///< of work, from one look to the next

  [[nodiscard]] static constexpr std::chrono::nanoseconds for_turns(std::uint64_t count) noexcept {
    return crossing * static_cast<std::int64_t>(count);
  }

  std::chrono::nanoseconds before_{};
  std::uint64_t turns_before_ = 0;
  std::chrono::nanoseconds busy_{};
  std::chrono::nanoseconds began_{};
  std::uint64_t turns_ = 0;
  std::uint64_t sent_away_ = 0;
  unsigned slow_ = 0;
  bool scatters_ = false;
};

}  // namespace cairn::detail
