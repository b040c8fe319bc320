// What a stage of an epoch does in slices shares the worker with the turns of its actors: they have
// three quarters of its time, however many actors a sweep has to visit. The epoch takes longer
// then, but what an actor does behind its cut is no more work for this sweep, nor is who lives for
// less than an epoch for the next one. Actors that are born to stay are, and messages that pile up:
// so that epochs do not become longer and longer, turns have half of a stage that lasts.
#pragma once

#include <algorithm>
#include <chrono>

#include "../clock.hpp"

namespace cairn::detail {

/// One worker's own.
class slice_share {
 public:
  /// Takes the next slice, which keeps the actors waiting; then it is their turn. Returns what
  /// `next` returns.
  template <class Slice>
  [[nodiscard]] bool take(const clock& time, Slice&& next) {
    const auto began = time.steady();
    const bool done = next();
    looked_ = time.steady();
    if (since_ == std::chrono::nanoseconds{}) since_ = began;
    const int share = looked_ - since_ < patience ? for_turns : 1;
    until_ = looked_ + std::max(least, share * (looked_ - began));
    unseen_ = 1;
    return done;
  }
  /// The stage is done.
  void end() noexcept {
    until_ = since_ = {};
    unseen_ = 1;
  }

  /// After each activation while there is something to do for a stage: whether that comes next.
  [[nodiscard]] bool is_over(const clock& time) {
    if (--unseen_ > 0) return false;
    const auto now = time.steady();
    // To look costs as much as a short turn: after some of those there is one look at several.
    unseen_ = now - looked_ < most_unseen * short_turn ? most_unseen : 1;
    looked_ = now;
    return now >= until_;
  }

 private:
  static constexpr int for_turns = 3;  ///< times what a slice has taken
  static constexpr std::chrono::nanoseconds least{1000};
  static constexpr std::chrono::seconds patience{1};
  static constexpr std::chrono::microseconds short_turn{1};
  static constexpr int most_unseen = 8;

  std::chrono::nanoseconds since_{};  ///< the stage's first slice; 0: there was none
  std::chrono::nanoseconds until_{};
  std::chrono::nanoseconds looked_{};
  int unseen_ = 1;  ///< activations until the next look
};

}  // namespace cairn::detail
