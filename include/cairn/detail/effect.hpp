// What left a turn, as replay compares it: order-free sums over the turn's effects.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cairn::detail {

/// One of a turn's effects, as the sums see it.
struct effect {
  std::uint64_t what = 0;   ///< the origin of the message's type; 0 stop or answer, 1 run, 2 cancel
  std::uint64_t whom = 0;   ///< or a number; of a spawn, `what` is the child and this its type
  std::uint64_t value = 0;  ///< the digest of what it carries

  // The factors that spread the two over a word, and those that undo it.
  static constexpr std::uint64_t spread = 0x9e3779b97f4a7c15U, spread_back = 0xf1de83e19937733dU;
  static constexpr std::uint64_t mix = 0xff51afd7ed558ccdU, mix_back = 0x4f74430c22a54005U;
  static_assert(spread * spread_back == 1 && mix * mix_back == 1);

  [[nodiscard]] constexpr std::uint64_t mixed() const noexcept {
    std::uint64_t made = (what ^ (whom * spread)) * mix;
    made ^= made >> 32U;
    return made;
  }
  /// `what ^ whom * spread` of what was mixed.
  [[nodiscard]] static constexpr std::uint64_t unmixed(std::uint64_t made) noexcept {
    return (made ^ (made >> 32U)) * mix_back;
  }

  /// Of which effect it is the value counts, too. There are two of these so that from the
  /// difference of two sums each it can be told whose value it was.
  [[nodiscard]] static constexpr std::uint64_t weight(std::uint64_t mixed) noexcept {
    return mixed | 1U;
  }
  [[nodiscard]] static constexpr std::uint64_t other_weight(std::uint64_t mixed) noexcept {
    return ((mixed * spread) ^ (mixed >> 29U)) | 1U;
  }
};

/// Of how many of a turn's effects, from the first one on, the log has each by itself.
inline constexpr std::size_t first_effects = 8;

/// What hashing a value takes, kept for the next one; see `codec_digest.hpp`.
struct digest_room {
  digest_room() = default;
  digest_room(const digest_room&) = delete;
  digest_room& operator=(const digest_room&) = delete;
  virtual ~digest_room() = default;
};

/// One word of two.
[[nodiscard]] constexpr std::uint64_t mixed_of(std::uint64_t one, std::uint64_t other) noexcept {
  const std::uint64_t made = (one ^ (other * effect::spread)) * effect::mix;
  return made ^ (made >> 32U);
}

}  // namespace cairn::detail
