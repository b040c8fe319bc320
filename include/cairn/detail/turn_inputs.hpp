// What a turn is given, before it begins: noted, so that a failure finds it again, and logged where
// the actor has a log.
#pragma once

#include "incarnations.hpp"
#include "watching.hpp"

namespace cairn::detail {

class turn_inputs : public incarnations {
 public:
  using incarnations::incarnations;

  /// Notes what the turn that is about to begin was given.
  void begin_turn(cell& one, const envelope& input) {
    show_turn(mine_, one, input);
    mine_.here.input = nullptr;
    if (input.kind == envelope_kind::message) given_ = &input;
    if (!one.saved) return;
    replay_log& log = one.saved->log;
    entry_ = log.end();
    log.append_input(input);
  }

  /// The same of a message whose bytes stay what they are. False: more than these and the state, or
  /// its log, is to be looked at, and nothing has been done.
  [[nodiscard, gnu::always_inline]] bool begin_plain_turn(worker& mine, cell& one,
                                                          const envelope& input) noexcept {
    if (one.type->raw_base) {
      if (!copy_aside(mine.here, one)) return false;
      entry_ = {};
      mine.here.input = &input;  // a log of it is made when it is needed
    } else {
      if (!keeps_base(one)) return false;
      entry_ = one.saved->log.end();
      if (!one.saved->log.append_at_once(input)) return false;
      mine.here.input = nullptr;
    }
    show_message(mine, one, input);
    given_ = &input;
    return true;
  }
  /// The same of the message behind one with which a turn has begun so and ended as usual.
  [[nodiscard, gnu::always_inline]] bool begin_next_plain_turn(worker& mine, cell& one,
                                                               const envelope& input) noexcept {
    if (!one.type->raw_base) return begin_plain_turn(mine, one, input);
    copy_again(mine.here, one);
    mine.here.input = given_ = &input;
    show_next(mine, one);
    return true;
  }

 protected:
  replay_log::cursor entry_{};       ///< the input of the turn that runs
  const envelope* given_ = nullptr;  ///< the message whose first turn runs, while it does
};

}  // namespace cairn::detail
