// The sizes that all contenders of a question share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bench {

/// Counting and fan-in: a sender sends this many messages and goes on when the receiver has told
/// it that it has counted the last of them. Nothing that is unbounded piles up.
inline constexpr std::uint32_t chunk = 1000;
/// With 100 senders, so that about as much is under way.
inline constexpr std::uint32_t small_chunk = 100;
/// Across two workers a sender has this many chunks under way.
inline constexpr std::uint32_t chunks_ahead = 2;

[[nodiscard]] constexpr std::uint32_t chunk_of(std::uint32_t senders) {
  return senders > 10 ? small_chunk : chunk;
}

inline constexpr std::uint32_t big_actors = 200;
/// How many children are spawned before the first of them is waited for.
inline constexpr std::uint32_t spawn_batch = 100;
/// Asks in a row that are timed as one sample.
inline constexpr std::uint32_t ask_batch = 100;
inline constexpr std::uint32_t skynet_leaves = 1'000'000;
inline constexpr std::uint32_t skynet_actors = 1'111'111;  ///< the leaves and who is above them
inline constexpr std::uint32_t skynet_fan = 10;

/// Epochs and recovery: actors with a state of 64 bytes, and what cairn's cut writes of one, which
/// the bare machine writes too. The program that measures cairn checks it.
inline constexpr std::size_t state_bytes = 64;
inline constexpr std::size_t record_bytes = 255;
/// Epochs in which all of them change: so many that a store has to give space back meanwhile.
inline constexpr int epochs_of_all = 9;
inline constexpr std::uint32_t many_actors = 1'000'000;
inline constexpr std::uint32_t quick_actors = 100'000;  ///< in their place, with --quick
inline constexpr std::uint32_t dirty_few = 100;

/// Marsaglia's xorshift: cheap, and the same for every contender.
struct xorshift {
  std::uint64_t state = 0x9e3779b97f4a7c15;
  [[nodiscard]] std::uint64_t next() noexcept {
    state ^= state << 13U;
    state ^= state >> 7U;
    return state ^= state << 17U;
  }
};

}  // namespace bench
