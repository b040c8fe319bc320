// What a worker is in, said where the death of the process does not take it.
#pragma once

#include <atomic>
#include <cstdint>

#include "../ids.hpp"

namespace cairn::detail {

/// Written by one worker, in memory that a file shares; read by the next process. Relaxed: nobody
/// reads it while it is written.
struct alignas(64) turn_note {
  std::atomic<std::uint64_t> actor{0};    ///< 0: nobody's turn
  std::atomic<std::uint64_t> at{0};       ///< position of the message that is handled
  std::atomic<std::uint64_t> message{0};  ///< hash of its type; 0: the handler is run again

  void say(actor_id whose, position where, std::uint64_t what) noexcept {
    at.store(raw(where), std::memory_order_relaxed);  // as above, all three
    message.store(what, std::memory_order_relaxed);
    actor.store(raw(whose), std::memory_order_relaxed);
  }
  void rest() noexcept { actor.store(0, std::memory_order_relaxed); }  // as above
};

/// A message that processes have died of, one after the other.
struct deadly_turn {
  std::uint64_t actor = 0;
  std::uint64_t at = 0;
  std::uint64_t message = 0;
  std::uint64_t deaths = 0;

  [[nodiscard]] bool same(const deadly_turn& other) const noexcept {
    return actor == other.actor && at == other.at && message == other.message;
  }
};

}  // namespace cairn::detail
