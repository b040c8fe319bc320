// Mutations that keep what an input is made of: they change one part, or which parts there are.
#pragma once

#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <utility>

#include "input.hpp"

namespace fuzz {

/// Changes some bytes, which may become more or fewer, up to a bound.
using change_function = std::function<void(std::string& text, std::size_t most)>;

class mutator {
 public:
  mutator(std::uint32_t seed, change_function change) : chance_{seed}, change_{std::move(change)} {}

  void mutate(input& one, std::size_t most) {
    if (one.parts.empty()) one.parts.emplace_back();
    const auto size = one.write().size();
    const auto room = size < most ? most - size : 0;
    switch (below(16)) {
      case 0:
        one.flags = static_cast<std::uint8_t>(one.flags ^ (1U << below(7)));
        return;
      case 1:
        if (one.parts[any(one)].size() <= room) one.parts.insert(place(one), one.parts[any(one)]);
        return;
      case 2:
        one.parts.erase(place(one));
        return;
      case 3:
        std::swap(one.parts[any(one)], one.parts[any(one)]);
        return;
      default:
        change(one.where, one.parts[any(one)], room);
    }
  }

  /// Some parts of `other` come in, or take the place of others.
  void cross(input& one, const input& other) {
    if (one.where != other.where || other.parts.empty()) return;
    const auto first = below(other.parts.size());
    const auto count = 1 + below(std::min<std::size_t>(4, other.parts.size() - first));
    for (std::size_t at = first; at < first + count; ++at) {
      if (one.parts.empty() || below(2) == 0) {
        one.parts.insert(one.parts.begin() + offset(below(one.parts.size() + 1)), other.parts[at]);
      } else {
        one.parts[any(one)] = other.parts[at];
      }
    }
  }

 private:
  [[nodiscard]] std::size_t below(std::size_t bound) { return chance_() % bound; }
  [[nodiscard]] std::size_t any(const input& one) { return below(one.parts.size()); }
  [[nodiscard]] static std::ptrdiff_t offset(std::size_t at) {
    return static_cast<std::ptrdiff_t>(at);
  }
  [[nodiscard]] std::vector<std::string>::iterator place(input& one) {
    return one.parts.begin() + offset(any(one));
  }

  [[nodiscard]] static std::size_t header_size(door where) {
    switch (where) {
      case door::segment:
      case door::payloads:
        return 64;
      case door::manifest:
      case door::journal:
        return 24;
      case door::codec:
        return 1;
    }
    return 0;
  }

  /// A header, what follows it, or in there what stands behind its own length.
  void change(door where, std::string& part, std::size_t room) {
    const auto head = header_size(where);
    const auto how = below(8);
    if (part.size() <= head || how == 0) {
      std::string text = part.substr(0, std::min(head, part.size()));
      change_(text, text.size() + (part.size() <= head ? room : 0));
      part.replace(0, std::min(head, part.size()), text);
    } else if (how < 4 || !change_sized(part, head, room)) {
      std::string text = part.substr(head);
      change_(text, text.size() + room);
      part.replace(head, part.size() - head, text);
    }
  }

  /// Looks for a length of 32 or 64 bits. What is found by chance does no harm.
  [[nodiscard]] bool change_sized(std::string& part, std::size_t from, std::size_t room) {
    constexpr std::size_t tries = 64;
    for (std::size_t left = tries; left > 0 && part.size() > from + 8; --left) {
      const auto at = from + below(part.size() - from - 4);
      std::uint32_t size = 0;
      std::memcpy(&size, part.data() + at, sizeof size);
      std::uint32_t more = 1;
      if (at + 8 <= part.size()) std::memcpy(&more, part.data() + at + 4, sizeof more);
      const auto begin = at + (more == 0 && below(2) == 0 ? 8 : 4);
      if (size == 0 || begin + size > part.size()) continue;
      std::string text = part.substr(begin, size);
      change_(text, text.size() + room);
      part.replace(begin, size, text);
      size = static_cast<std::uint32_t>(text.size());
      std::memcpy(part.data() + at, &size, sizeof size);
      return true;
    }
    return false;
  }

  std::minstd_rand chance_;
  change_function change_;
};

}  // namespace fuzz
