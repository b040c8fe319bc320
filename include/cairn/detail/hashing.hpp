// xxHash over bytes. Inline, so that cairn stays header-only: nothing of xxHash is linked.
#pragma once

#include <cstdint>

#define XXH_INLINE_ALL
#include <xxhash.h>
#undef XXH_INLINE_ALL

#include "buffer.hpp"

namespace cairn::detail {

/// XXH3-64: protects against accident, not against someone who chooses the bytes.
[[nodiscard]] inline std::uint64_t hash_bytes(bytes_view bytes) noexcept {
  // Of one word, by far the most frequent here, no more is left than how such a one is hashed.
  if (bytes.size() == sizeof(std::uint64_t))
    return XXH3_64bits(bytes.data(), sizeof(std::uint64_t));
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace cairn::detail
