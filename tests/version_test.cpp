#include "cairn/version.hpp"

#include <string>

#include "catch.hpp"

TEST_CASE("the version's text and numbers agree") {
  const auto [major_number, minor_number, patch_number] = cairn::version;
  CHECK(cairn::version_text == std::to_string(major_number) + "." + std::to_string(minor_number) +
                                   "." + std::to_string(patch_number));
  CHECK(cairn::version > cairn::version_number{0, 0, 9});
}
