// A message that nobody will handle, and why.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "detail/buffer.hpp"
#include "error.hpp"
#include "ids.hpp"

namespace cairn {

struct dead_letter {
  actor_id target{};
  std::string name{};                ///< of the target, where it is known
  std::string message{};             ///< the message's type
  std::vector<std::byte> payload{};  ///< encoded; empty where the handler had already taken it
  std::uint32_t schema = 0;  ///< in which it is encoded: 0 without a version, else that and one
  errc code = errc::ok;
  std::string text{};  ///< what the handler threw
  position at{};       ///< of the target when it gave the message up
  epoch in{};

  void save(auto& archive) const {
    archive(raw(target), name, message, schema, code, text, raw(at), raw(in));
    archive(std::string{reinterpret_cast<const char*>(payload.data()), payload.size()});
  }
  void load(auto& archive) {
    std::uint64_t whom = 0;
    std::uint64_t consumed = 0;
    std::uint64_t when = 0;
    std::string bytes;
    archive(whom, name, message, schema, code, text, consumed, when, bytes);
    target = actor_id{whom};
    at = position{consumed};
    in = epoch{when};
    const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
    payload.assign(first, first + bytes.size());
  }
};

/// A dead letter that the store keeps, under a number of its own.
struct kept_letter {
  letter_id id{};
  dead_letter letter{};

  void save(auto& archive) const { archive(raw(id), letter); }
  void load(auto& archive) {
    std::uint64_t number = 0;
    archive(number, letter);
    id = letter_id{number};
  }
};

/// All of them, the oldest first.
struct kept_letters {
  std::vector<kept_letter> letters{};
  std::uint64_t displaced = 0;  ///< older ones that had to go at the bound, since ever

  void serialize(auto& archive) { archive(letters, displaced); }
};

}  // namespace cairn
