// The version of cairn, as a constant and as text.
#pragma once

#include <compare>
#include <string_view>

namespace cairn {

/// A version after semver.org: compatible within one major number.
struct version_number {
  int major_number;
  int minor_number;
  int patch_number;

  friend constexpr auto operator<=>(const version_number&, const version_number&) = default;
};

/// The version of the headers that are included.
inline constexpr version_number version{0, 1, 0};

/// The same as text. CMake reads it from this line.
inline constexpr std::string_view version_text = "0.1.0";

}  // namespace cairn
