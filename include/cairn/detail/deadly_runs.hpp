// What is told of a function of `self.run` that the process has died of: see `deaths`.
#pragma once

#include <string>

#include "world.hpp"

namespace cairn::detail {

/// Before it is begun, by the actor's home. It is begun nevertheless: it may take long, so that
/// what ended the process may have had nothing to do with it, and it is promised at least once.
inline void warn_of_run(world& all, cell& one, const outside_run& work) {
  if (one.careful == caution::none) return;
  const deadly_turn* deadly = all.accusation(one, position{work.number}, in_run);
  if (deadly == nullptr) return;
  all.tell_of(event_kind::failed, one,
              "the process has died " + std::to_string(deadly->deaths) + " times while \"" +
                  work.name + "\" of self.run ran; it is begun again",
              errc::failed);
}

}  // namespace cairn::detail
