// What a worker is in, said where the death of the process does not take it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "../ids.hpp"

namespace cairn::detail {

/// What an actor may be in that is no handler of a message: no type has such a hash. In a function
/// of `self.run`: then the position is the number of its await.
inline constexpr std::uint64_t run_again = 0, in_start = 1, in_serialize = 2, in_run = 3,
                               in_mail = 4;  ///< serializing what waits for it

/// A message that processes have died of, one after the other.
struct deadly_turn {
  std::uint64_t actor = 0;
  std::uint64_t at = 0;
  std::uint64_t message = 0;
  std::uint64_t deaths = 0;

  /// Between turns, where the position says little: a later one may come to the same.
  [[nodiscard]] bool is_between() const noexcept { return message == in_start || is_writing(); }
  [[nodiscard]] bool is_writing() const noexcept {
    return message == in_serialize || message == in_mail;
  }
  /// Whether there is no message to give up: its actor waits for who resumes it.
  [[nodiscard]] bool holds_back() const noexcept { return is_between() || message == run_again; }
  /// Why its actor handles nothing. Precondition: holds_back().
  [[nodiscard]] std::string text() const {
    const std::string what = message == in_start       ? "its on_start"
                             : message == in_mail      ? "serializing its mail"
                             : message == in_serialize ? "serializing it"
                                                       : "running its handler again";
    return "the process has died of " + what + " " + std::to_string(deaths) + " times";
  }
  [[nodiscard]] bool same(const deadly_turn& other) const noexcept {
    return actor == other.actor && (at == other.at || is_between()) && message == other.message;
  }
};

/// Who was resumed is held back no more, neither by the next process nor after a rollback.
inline void strike_out(std::vector<deadly_turn>& from, const std::vector<actor_id>& whose) {
  std::erase_if(from, [&](const deadly_turn& each) {
    return each.holds_back() &&
           std::find(whose.begin(), whose.end(), actor_id{each.actor}) != whose.end();
  });
}

/// Written by one worker, in memory that a file shares; read by the next process. Relaxed: nobody
/// reads it while it is written.
struct alignas(64) turn_note {
  std::atomic<std::uint64_t> actor{0};    ///< 0: nobody's turn
  std::atomic<std::uint64_t> at{0};       ///< position of the message that is handled
  std::atomic<std::uint64_t> message{0};  ///< hash of its type, or one of the numbers above

  [[gnu::always_inline]] void say(actor_id whose, position where, std::uint64_t what) noexcept {
    at.store(raw(where), std::memory_order_relaxed);  // as above, all three
    message.store(what, std::memory_order_relaxed);
    actor.store(raw(whose), std::memory_order_relaxed);
  }
  /// The same but for the position.
  [[gnu::always_inline]] void go_on(position where) noexcept {
    at.store(raw(where), std::memory_order_relaxed);  // as above
  }
  void rest() noexcept { actor.store(0, std::memory_order_relaxed); }  // as above
  /// By who writes it.
  [[nodiscard]] deadly_turn said() const noexcept {
    return {actor.load(std::memory_order_relaxed), at.load(std::memory_order_relaxed),
            message.load(std::memory_order_relaxed), 0};  // as above
  }
};

}  // namespace cairn::detail
