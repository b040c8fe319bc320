// A worker that has no ready actor left, just after it has sent to another one: what it gets back
// often comes within a microsecond. For about as long it stays in its step and looks for that
// alone. To end the step, look at the clock and at all else there is, and begin another one takes
// longer than the message is on its way.
//
// It is over where an epoch wants something, or somebody outside. The bounds of a step hold for
// what it finds as they do for actors that are ready by themselves.
#pragma once

#include <cstdint>

#include "delivery.hpp"
#include "relax.hpp"

namespace cairn::detail {

/// The ready actors of one step, on their worker.
class lingering {
 public:
  lingering(const world& all, worker& mine, delivery& mail) noexcept
      : all_{all}, mine_{mine}, mail_{mail}, sent_away_{mine.sent_away} {}

  /// Null: there is none, and the step is over.
  [[nodiscard, gnu::always_inline]] cell* next() {
    cell* one = mine_.ready.pop();
    if (one == nullptr && mine_.sent_away != sent_away_) [[unlikely]]
      return next_of_others();
    return one;
  }

 private:
  /// After so many times in vain there is one attempt in as many.
  static constexpr unsigned most_vain = 64;

  /// What others have queued here meanwhile, or do in a moment.
  [[nodiscard, gnu::noinline]] cell* next_of_others() {
    sent_away_ = mine_.sent_away;
    show_end(mine_);  // who receives it may end the process: that is no matter of who has sent it
    if (mine_.vain >= most_vain && ++mine_.vain % most_vain != 0) return nullptr;
    for (int left = all_.lingers; left > 0; --left) {
      ++mine_.lingered;
      pause_point();
      // Relaxed: the next step's take_part() reads it again, with acquire.
      if (all_.stage.load(std::memory_order_relaxed) != mine_.stage_done) return nullptr;
      if (mine_.is_queued_for()) {
        sometimes("actors queued for a worker that lingers");
        mine_.vain = 0;
        mail_.take_wakes();
        return mine_.ready.pop();
      }
      if (!mine_.lane.empty()) return nullptr;
      relax();
    }
    ++mine_.vain;
    return nullptr;
  }

  const world& all_;
  worker& mine_;
  delivery& mail_;
  std::uint64_t sent_away_;  ///< when it last looked for others
};

}  // namespace cairn::detail
