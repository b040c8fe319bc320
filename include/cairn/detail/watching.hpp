// What a worker lets others see of its progress, and what it tells of turns that take long.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "world.hpp"

namespace cairn::detail {

/// Counts a step's begin and end, for who watches whether there is progress. Relaxed: figures.
class stepping {
 public:
  explicit stepping(worker& mine) noexcept : of_{mine} { worker_counters::add(of_.steps, 1); }
  stepping(const stepping&) = delete;
  stepping& operator=(const stepping&) = delete;
  ~stepping() {
    of_.in_turn.store(actor_id{}, std::memory_order_relaxed);
    if (of_.note != nullptr) of_.note->rest();
    worker_counters::add(of_.steps, 1);
  }

 private:
  worker& of_;
};

/// Says whose turn begins and what it handles, for who asks what this worker is doing.
inline void show_turn(worker& mine, cell& one, const envelope& input) noexcept {
  const bool message = input.kind == envelope_kind::message;
  const std::uint16_t index = message || !one.busy() ? input.index : one.more->handler.index;
  const bool known = index < one.type->handlers.size();
  mine.in_turn.store(one.self().id, std::memory_order_relaxed);  // figures, see worker
  mine.in_type.store(one.type, std::memory_order_relaxed);
  const payload_ops* what = known ? one.type->handlers[index].message : input.ops;
  mine.in_message.store(what, std::memory_order_relaxed);
  if (mine.note == nullptr) return;
  mine.note->say(one.self().id, message ? next(one.consumed) : one.consumed, what->hash);
}

/// Tells of activations that kept their worker from the other actors for too long.
class slow_watch {
 public:
  slow_watch(world& all, const worker& mine, std::chrono::nanoseconds bound)
      : all_{all}, mine_{mine}, bound_{bound}, before_{now()} {}

  /// After each activation.
  void look(cell& one) {
    const auto after = now();
    const auto took = after - std::exchange(before_, after);
    if (bound_.count() == 0 || took < bound_) return;
    std::string text = "kept worker " + std::to_string(mine_.index) + " for " +
                       std::to_string(took / std::chrono::milliseconds{1}) + " ms";
    // Relaxed: this very worker has set it.
    const payload_ops* last = mine_.in_message.load(std::memory_order_relaxed);
    if (last != nullptr) text += ", at last with " + std::string{last->name};
    all_.tell_of(event_kind::slow_turn, one, std::move(text));
  }

 private:
  [[nodiscard]] std::chrono::nanoseconds now() const {
    return bound_.count() == 0 ? bound_ : all_.time->coarse();
  }

  world& all_;
  const worker& mine_;
  const std::chrono::nanoseconds bound_;
  std::chrono::nanoseconds before_;
};

}  // namespace cairn::detail
