// A message that nobody will handle, and why.
#pragma once

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
  errc code = errc::ok;
  std::string text{};  ///< what the handler threw
  position at{};       ///< of the target when it gave the message up
  epoch in{};
};

}  // namespace cairn
