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
#include <vector>

#include <cairn/detail/deaths.hpp>
#include <cairn/file_store.hpp>

namespace cairn_store {

class noted_deaths {
 public:
  /// Without the file nobody is held back.
  explicit noted_deaths(const std::string& directory) {
    std::ifstream file{directory + "/TURNS", std::ios::binary};
    const std::vector<char> bytes{std::istreambuf_iterator<char>{file}, {}};
    counted_ = file_type::read(std::as_bytes(std::span{bytes})).counted;
  }

  /// Whether the next process would suspend the actor when it comes to it.
  [[nodiscard]] bool hold_back(std::uint64_t actor, std::uint64_t position) const {
    return std::any_of(counted_.begin(), counted_.end(), [&](const auto& each) {
      return each.actor == actor && each.deaths >= file_type::enough && position <= each.at &&
             each.holds_back();
    });
  }

  /// What was counted of these actors counts no more.
  static void forget(cairn::file_store& store, const std::set<std::uint64_t>& actors) {
    (void)store.turn_page([&](cairn::bytes_view file) {
      auto [begun, counted] = file_type::read(file);
      std::erase_if(counted, [&](const auto& each) { return actors.contains(each.actor); });
      return file_type::make(begun, counted);
    });
  }

 private:
  using file_type = cairn::detail::turn_file;
  std::vector<cairn::detail::deadly_turn> counted_;
};

}  // namespace cairn_store
