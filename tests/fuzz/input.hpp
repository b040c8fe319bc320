// What the fuzzer feeds in: a door, how much of the parts is mended, and the parts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

using bytes = std::span<const std::uint8_t>;

/// Where the parts go.
enum class door : std::uint8_t {
  segment,   ///< the only segment of a good store: its header, then records
  manifest,  ///< the manifest of a good store: its header, then frames
  journal,   ///< a journal's files: header and frames of each, an empty part between
  payloads,  ///< the records of a snapshot, in a good store: a program begins from it
  codec,     ///< one value
};
inline constexpr unsigned doors = 5;

/// What the bits of `input::flags` say. What is mended gets past the checksums, so that what lies
/// behind them is read, too.
enum flag : std::uint8_t {
  mend_header = 1,   ///< the file's header has a good checksum
  mend_frames = 2,   ///< records and frames have a good length and checksum
  mend_extents = 4,  ///< the manifest knows the segment's extents as they are
  mend_kinds = 8,    ///< records are of a known kind
  accept_older = 16,
  go_on = 32,      ///< what was opened is also changed, and opened again
  see_later = 64,  ///< time passes until nothing is left to happen
};

/// A door, flags, and parts behind their lengths of 16 bits. All bytes are an input; written, it is
/// the shortest one.
struct input {
  door where{};
  std::uint8_t flags = 0;
  std::vector<std::string> parts{};

  [[nodiscard]] bool has(flag one) const noexcept { return (flags & one) != 0; }

  [[nodiscard]] static input read(bytes from) {
    input made;
    if (from.size() < 2) return made;
    made.where = static_cast<door>(from[0] % doors);
    made.flags = from[1];
    from = from.subspan(2);
    while (from.size() >= 2) {
      const std::size_t wanted = from[0] + from[1] * std::size_t{256};
      from = from.subspan(2);
      const auto part = from.first(std::min(wanted, from.size()));
      made.parts.emplace_back(part.begin(), part.end());
      from = from.subspan(part.size());
    }
    return made;
  }

  [[nodiscard]] std::string write() const {
    std::string made{static_cast<char>(where), static_cast<char>(flags)};
    for (const auto& each : parts) {
      const auto size = std::min<std::size_t>(each.size(), 0xffff);
      made += static_cast<char>(size % 256);
      made += static_cast<char>(size / 256);
      made.append(each, 0, size);
    }
    return made;
  }
};

}  // namespace fuzz
