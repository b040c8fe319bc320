// What becomes of a handler that another version of the program has left suspended.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace cairn {

enum class version_answer : std::uint8_t {
  refuse,   ///< the start ends with an error that names the actor
  abandon,  ///< the handler is given up, and its message with it
  rerun,    ///< it is run again as if this program had suspended it
};

/// A handler that a snapshot holds as suspended, written by a program of another version.
struct recorded_handler {
  std::string actor{};     ///< its name
  std::string type{};      ///< the actor's
  std::string message{};   ///< the type of the message that it handles
  std::string recorded{};  ///< the version of the program that wrote it
  std::string present{};   ///< this program's
};

/// Asked at start, once for each such handler, before anything runs. What it throws ends the start.
using version_handler = std::function<version_answer(const recorded_handler&)>;

}  // namespace cairn
