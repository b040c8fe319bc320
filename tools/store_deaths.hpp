// What the program's process has died of so often that an actor is held back for it: an operator
// who resumes such an actor says that it is to be tried again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <cairn/detail/deaths.hpp>
#include <cairn/file_store.hpp>

#include "store_request.hpp"

namespace cairn_store {

class noted_deaths {
 public:
  /// Without the file nobody is held back. Warns where it cannot be said who is.
  explicit noted_deaths(const request& what) {
    std::ifstream file{what.directory + "/TURNS", std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{file}, {}};
    auto found = file_type::read(std::as_bytes(std::span{bytes}));
    if (!found.lost.empty()) warn(what, what.directory + "/" + found.lost);
    counted_ = std::move(found.counted);
  }

  /// Whether the next process would suspend the actor when it comes to it.
  [[nodiscard]] bool hold_back(std::uint64_t actor, std::uint64_t position) const {
    return find(actor, position) != counted_.end();
  }
  /// Why it would; empty where it would not.
  [[nodiscard]] std::string why(std::uint64_t actor, std::uint64_t position) const {
    const auto found = find(actor, position);
    return found == counted_.end() ? std::string{} : found->text();
  }

  /// What was counted of these actors counts no more.
  static void forget(cairn::file_store& store, const std::set<std::uint64_t>& actors) {
    (void)store.turn_page([&](cairn::bytes_view file) {
      auto [begun, counted, lost] = file_type::read(file);
      std::erase_if(counted, [&](const auto& each) { return actors.contains(each.actor); });
      return file_type::make(begun, counted);
    });
  }

 private:
  using file_type = cairn::detail::turn_file;
  using turns = std::vector<cairn::detail::deadly_turn>;

  [[nodiscard]] turns::const_iterator find(std::uint64_t actor, std::uint64_t position) const {
    return std::find_if(counted_.begin(), counted_.end(), [&](const auto& each) {
      return each.actor == actor && each.deaths >= file_type::enough && position <= each.at &&
             each.holds_back();
    });
  }

  turns counted_;
};

}  // namespace cairn_store
