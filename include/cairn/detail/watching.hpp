// What a worker lets others see of its progress, and what is told of turns that take long.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "world.hpp"

namespace cairn::detail {

/// A step: the thread has what the worker keeps for it, and its begin and end are counted for who
/// watches whether there is progress. Relaxed: figures.
class stepping {
 public:
  explicit stepping(worker& mine) noexcept
      : of_{mine}, rooms_{current_pool, &mine.rooms}, archives_{current_archives, &mine.archives} {
    worker_counters::add(of_.steps, 1);
  }
  stepping(const stepping&) = delete;
  stepping& operator=(const stepping&) = delete;
  ~stepping() {
    of_.in_turn.store(actor_id{}, std::memory_order_relaxed);
    if (of_.note != nullptr) of_.note->rest();
    worker_counters::add(of_.steps, 1);
  }

 private:
  worker& of_;
  const scoped_current<room_pool> rooms_;
  const scoped_current<archive_keeper> archives_;
};

// What a worker says of itself is for who asks what it is doing.

/// Says whose turns come next.
inline void show_actor(worker& mine, cell& one) noexcept {
  mine.in_cell.store(&one, std::memory_order_relaxed);  // published by `in_turn`
  // pairs with the acquires in watchdog::tell() and look_from_outside(): whose turn it is, has its
  // name
  mine.in_turn.store(one.self().id, std::memory_order_release);
  mine.in_type.store(one.type, std::memory_order_relaxed);  // figures, see worker
  mine.in_message.store(nullptr, std::memory_order_relaxed);
}

/// Says that an actor is in code of its own that is no turn; at the end, what was said before.
class besides {
 public:
  besides(worker& mine, cell& one, std::uint64_t what) noexcept
      : of_{mine},
        cell_{mine.in_cell.load(std::memory_order_relaxed)},  // all: this very worker's
        type_{mine.in_type.load(std::memory_order_relaxed)},
        turn_{mine.in_turn.load(std::memory_order_relaxed)},
        code_{mine.in_code.load(std::memory_order_relaxed)} {
    show(&one, one.type, one.self().id, what == in_start ? "in on_start" : "serializing");
    if (of_.note == nullptr) return;
    said_ = of_.note->said();
    of_.note->say(one.self().id, one.consumed, what);
  }
  besides(const besides&) = delete;
  besides& operator=(const besides&) = delete;
  ~besides() {
    show(cell_, type_, turn_, code_);
    if (of_.note == nullptr) return;
    of_.note->say(actor_id{said_.actor}, position{said_.at}, said_.message);
  }

 private:
  void show(const cell* at, const actor_type* type, actor_id whose, const char* code) noexcept {
    of_.in_cell.store(at, std::memory_order_relaxed);     // published by `in_turn`
    of_.in_turn.store(whose, std::memory_order_release);  // as in show_actor()
    of_.in_type.store(type, std::memory_order_relaxed);   // figures, see worker
    of_.in_code.store(code, std::memory_order_relaxed);
  }

  worker& of_;
  const cell* const cell_;
  const actor_type* const type_;
  const actor_id turn_;
  const char* const code_;
  deadly_turn said_{};
};

/// Says which message is handled.
[[gnu::always_inline]] inline void show_message(worker& mine, cell& one,
                                                const envelope& input) noexcept {
  mine.in_message.store(input.ops, std::memory_order_relaxed);  // a figure, see worker
  if (mine.note == nullptr) return;
  mine.note->say(one.self().id, next(one.consumed), input.ops->hash);
}

/// The same of one more of the same type, where nothing else has been said since.
[[gnu::always_inline]] inline void show_next(worker& mine, const cell& one) noexcept {
  if (mine.note != nullptr) mine.note->go_on(next(one.consumed));
}

/// The turn is over, before what it has begun outside can end the process: that is noted by who
/// runs it.
inline void show_end(worker& mine) noexcept {
  if (mine.note != nullptr) mine.note->rest();
}

/// Says which message is handled, or is what a handler goes on with.
inline void show_turn(worker& mine, cell& one, const envelope& input) noexcept {
  if (input.kind == envelope_kind::message) return show_message(mine, one, input);
  const std::uint16_t index = one.busy() ? one.more->handler.index : input.index;
  const bool known = index < one.type->handlers.size();
  const payload_ops* what = known ? one.type->handlers[index].message : input.ops;
  mine.in_message.store(what, std::memory_order_relaxed);  // a figure, see worker
  if (mine.note != nullptr) mine.note->say(one.self().id, one.consumed, what->hash);
}

/// Looks at the time between activations: says when a slice is over, and, where that is wanted,
/// tells of those that kept their worker from the other actors for too long.
///
/// To look costs a tenth of a short turn. Who is told of is known only where each activation is
/// looked at by itself; the end of a slice is seen early enough at every few of them, as long as no
/// time that the clock would show has passed in so many.
class slice_watch {
 public:
  slice_watch(world& all, worker& mine, std::chrono::nanoseconds slow)
      : all_{all}, mine_{mine}, slow_{slow}, began_{all.time->coarse()}, before_{began_} {}

  /// After each activation. True: the slice goes on.
  [[nodiscard, gnu::always_inline]] bool look(cell& one) { return --unseen_ > 0 || look_now(one); }

 private:
  static constexpr std::chrono::milliseconds longest{2};
  static constexpr int most_unseen = 8;

  [[nodiscard]] bool look_now(cell& one) {
    const auto after = mine_.looked.count() != 0 ? mine_.looked : all_.time->coarse();
    const bool tells = slow_.count() != 0;
    if (after == before_) [[likely]] {  // as it was the last time
      unseen_ = tells ? 1 : most_unseen;
      return true;
    }
    unseen_ = 1;
    const auto took = after - std::exchange(before_, after);
    if (tells && took >= slow_) [[unlikely]]
      tell(one, took);
    return after - began_ < longest;
  }

  void tell(cell& one, std::chrono::nanoseconds took) {
    std::string text = "kept worker " + std::to_string(mine_.index) + " for " +
                       std::to_string(took / std::chrono::milliseconds{1}) + " ms";
    // Relaxed: this very worker has set it.
    const payload_ops* last = mine_.in_message.load(std::memory_order_relaxed);
    if (last != nullptr) text += ", at last with " + std::string{last->name};
    // Relaxed, as above.
    const actor_id whose = mine_.in_turn.load(std::memory_order_relaxed);
    one.is(whose) ? all_.tell_of(event_kind::slow_turn, one, text) : tell_of_left(whose, text);
  }

  /// It stopped itself, and nothing needs its tombstone.
  void tell_of_left(actor_id whose, std::string& text) {
    if (!all_.tells_of(event_kind::slow_turn)) return;
    event what;
    what.kind = event_kind::slow_turn;
    what.actor = whose;
    what.name = "#" + std::to_string(raw(whose));
    what.text = std::move(text);
    if (const leaver& last = mine_.left; last.id == whose) {
      what.at = last.at;
      what.consumed = last.consumed;
      if (!last.name.empty()) what.name = last.name;
    }
    all_.report(what);
  }

  world& all_;
  worker& mine_;
  const std::chrono::nanoseconds slow_;
  const std::chrono::nanoseconds began_;
  std::chrono::nanoseconds before_;
  int unseen_ = 1;  ///< activations until the next look
};

/// The name of who is in a turn, for a thread outside: its number where it has none, or has gone on
/// just now and is not there any more.
[[nodiscard]] inline std::string name_in_turn(world& all, const worker& one, actor_id whose) {
  // Relaxed: published by `in_turn`, which the caller has read.
  if (const cell* at = one.in_cell.load(std::memory_order_relaxed)) {
    if (at->slot_index == 1) return "root";  // constant
    const name_view::look held{all.names_aloud, *at, whose};
    if (held.name() != nullptr && !held.name()->empty()) return *held.name();
  }
  return "#" + std::to_string(raw(whose));
}

/// Tells of a worker that has been in one turn for too long, while it is in it: from the writer's
/// thread, since there may be one worker alone.
class watchdog {
 public:
  watchdog(world& all, std::chrono::nanoseconds bound) noexcept : all_{all}, bound_{bound} {}

  /// Returns how long it may be until the next look; negative: for ever.
  [[nodiscard]] std::chrono::nanoseconds look() {
    if (bound_.count() <= 0) return std::chrono::nanoseconds{-1};
    const auto now = all_.steady_now();
    if (now < next_) return next_ - now;
    seen_.resize(all_.workers.size());
    for (std::size_t at = 0; at < seen_.size(); ++at) look_at(*all_.workers[at], seen_[at], now);
    next_ = now + bound_ / 2;
    return bound_ / 2;
  }

 private:
  struct sight {
    std::uint64_t steps = 0;
    std::uint64_t turns = 0;
    std::chrono::nanoseconds since{};
    bool told = false;
  };

  void look_at(const worker& one, sight& last, std::chrono::nanoseconds now) {
    // Relaxed, all: figures. They have stood still for as long as it takes to tell of them.
    const std::uint64_t steps = one.steps.load(std::memory_order_relaxed);
    const std::uint64_t turns = one.counters.turns();
    const bool rests = steps % 2 == 0;  // a step that has begun and not ended is odd
    if (rests || steps != last.steps || turns != last.turns) {
      last = {steps, turns, now, false};
      return;
    }
    if (last.told || now - last.since < bound_) return;
    last.told = true;
    tell(one, now - last.since);
  }

  void tell(const worker& one, std::chrono::nanoseconds span) {
    // pairs with the release in show_actor(): the name was written before, and the cell
    const actor_id actor = one.in_turn.load(std::memory_order_acquire);
    const actor_type* type = one.in_type.load(std::memory_order_relaxed);  // see look_at(), both
    const payload_ops* message = one.in_message.load(std::memory_order_relaxed);
    const char* code = one.in_code.load(std::memory_order_relaxed);
    event what;
    what.kind = event_kind::stuck;
    what.actor = actor;
    if (actor != actor_id{}) what.name = name_in_turn(all_, one, actor);
    what.text = "has kept worker " + std::to_string(one.index) + " for " +
                std::to_string(span / std::chrono::milliseconds{1}) + " ms";
    if (actor != actor_id{} && type != nullptr) {
      what.text = std::string{type->name} + " " + what.text + " and still does";
      if (code != nullptr) {
        what.text += ", " + std::string{code};
      } else if (message != nullptr) {
        what.text += ", with " + std::string{message->name};
      }
    }
    all_.report(what);
  }

  world& all_;
  const std::chrono::nanoseconds bound_;
  std::chrono::nanoseconds next_{};
  std::vector<sight> seen_{};
};

}  // namespace cairn::detail
