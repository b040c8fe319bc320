// What becomes of a suspended handler that cannot simply go on: another version of the program has
// recorded it, or it does something else when it is run again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace cairn {

enum class version_answer : std::uint8_t {
  refuse,         ///< the start ends with an error that names the actor
  abandon,        ///< the handler is given up, and its message with it
  rerun,          ///< it is run again as if this program had suspended it
  suspend_actor,  ///< its actor is suspended, durably; who resumes it has it run again
};

/// A handler that a snapshot holds as suspended.
struct recorded_handler {
  std::string actor{};     ///< its name
  std::string type{};      ///< the actor's
  std::string message{};   ///< the type of the message that it handles
  std::string recorded{};  ///< the version of the program that wrote it
  std::string present{};   ///< this program's
  std::string differs{};   ///< what it did otherwise, run again; empty: it was not run yet
};

/// Asked at start, once for each handler of another version, before anything runs; and by a worker,
/// of each that did something else when it was run again. What it throws ends the start.
using version_handler = std::function<version_answer(const recorded_handler&)>;

}  // namespace cairn
