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
  void begin_turn(cell& one, envelope& input) {
    show_turn(mine_, one, input);
    mine_.here.input = nullptr;
    const bool message = input.kind == envelope_kind::message;
    if (message) given_ = &input;
    if (!one.saved) return;
    replay_log& log = one.saved->log;
    entry_ = log.end();
    const handler* meant = message ? handler_of(*one.type, input) : nullptr;
    append(mine_.here, log, meant != nullptr && meant->reads_logged, input);
  }

  /// The same where the handler is `direct`. False: more than the message and the state, or its
  /// log, is to be looked at, and nothing has been done.
  [[nodiscard, gnu::always_inline]] bool begin_directly(worker& mine, cell& one,
                                                        const handler& meant,
                                                        envelope& input) noexcept {
    show_message(mine, one, input);  // first: to copy it is user code
    if (one.type->raw_base) {
      if (!copy_aside(mine.here, one)) return false;
      entry_ = {};
      mine.here.input = &input;  // a log of it is made when it is needed
    } else {
      if (!keeps_base(one)) return false;
      entry_ = one.saved->log.end();
      if (!append_now(mine.here, one.saved->log, meant, input)) return false;
      mine.here.input = nullptr;
    }
    given_ = &input;
    return true;
  }
  /// The same of the message behind one with which a turn has begun so and ended as usual.
  [[nodiscard, gnu::always_inline]] bool begin_next_directly(worker& mine, cell& one,
                                                             const handler& meant,
                                                             envelope& input) noexcept {
    if (!one.type->raw_base) return begin_directly(mine, one, meant, input);
    copy_again(mine.here, one);
    given_ = mine.here.input = &input;
    show_next(mine, one);
    return true;
  }

 private:
  /// What cannot be copied is tried again, and given up, by who looks at more.
  [[nodiscard, gnu::always_inline]] static bool append_now(turn& here, replay_log& log,
                                                           const handler& meant,
                                                           envelope& input) noexcept {
    return input.ops->trivial ? log.append_at_once(input) : append_owning(here, log, meant, input);
  }
  [[nodiscard, gnu::noinline]] static bool append_owning(turn& here, replay_log& log,
                                                         const handler& meant,
                                                         envelope& input) noexcept {
    try {
      append(here, log, meant.reads_logged, input);
      return true;
    } catch (...) {
      return false;
    }
  }
  static void append(turn& here, replay_log& log, bool is_read_there, envelope& input) {
    if (is_read_there) {
      here.logged = log.take_input(input);
    } else {
      log.append_input(input);
    }
  }

 protected:
  replay_log::cursor entry_{};       ///< the input of the turn that runs
  const envelope* given_ = nullptr;  ///< the message whose first turn runs, while it does
};

}  // namespace cairn::detail
