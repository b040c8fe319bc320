// What is done about a message that the process has died of, again and again: see `deaths`.
#pragma once

#include <string>
#include <utility>

#include "failures.hpp"

namespace cairn::detail {

class deadly_messages {
 public:
  deadly_messages(world& all, worker& mine, delivery& mail, failures& fail) noexcept
      : all_{all}, mine_{mine}, mail_{mail}, fail_{fail} {}

  /// Gives a message up that is about to be handled. False: it is none of those.
  bool take(cell& one, envelope_ptr& message) {
    const auto* deadly = all_.accusation(one, next(one.consumed), message->ops->hash);
    if (deadly == nullptr) return false;
    const std::string text = text_of(*deadly);
    one.consumed = next(one.consumed);
    try {
      renew_base(one);  // a replay knows nothing of it
    } catch (...) {
      const std::string why = "its state could not be serialized: " + text_of_caught();
      one.consumed = previous(one.consumed);
      one.box.put_in_front(std::move(message));
      fail_.suspend(one, why);
      return true;
    }
    sometimes("deadly message given up");
    all_.tell_of(event_kind::given_up, one, text, errc::failed);
    mail_.bury(one, std::move(message), errc::failed, text);
    return true;
  }

  /// The same of a suspended handler, before it goes on. Precondition: what it is handed is logged.
  bool take_handler(cell& one) {
    if (!one.busy()) return false;
    const handler& its = one.type->handlers[one.more->handler.index];
    const auto* deadly = all_.accusation(one, one.consumed, its.message->hash);
    if (deadly == nullptr) return false;
    fail_.give_up_handler(one, errc::failed, text_of(*deadly));
    return true;
  }

  /// Where the process has died in code of the actor's between its turns there is nothing to give
  /// up either. Before anything else is done about it. Who resumes it tries again.
  bool hold_back(cell& one) {
    const bool unwritten = one.careful == caution::unwritten;
    const auto* deadly = all_.accusation(one, one.consumed, unwritten ? in_serialize : in_start);
    if (deadly == nullptr && unwritten) deadly = all_.accusation(one, one.consumed, in_mail);
    if (deadly == nullptr) return false;
    sometimes("actor that is deadly between turns held back");
    if (!unwritten) one.careful = caution::messages;
    fail_.suspend(one, deadly->text());
    return true;
  }

  /// Where the process has died of running a handler again there is nothing to give up: the actor
  /// waits for an operator. Who resumes it tries again.
  bool resume_restored(cell& one) {
    if (one.careful == caution::everything && !one.abandons) {
      if (const auto* deadly = all_.accusation(one, one.consumed, run_again)) {
        sometimes("deadly handler not run again");
        one.careful = caution::messages;
        fail_.suspend(one, "its handler was to be run again: " + text_of(*deadly));
        return false;
      }
    }
    if (mine_.note != nullptr) mine_.note->say(one.self().id, one.consumed, run_again);
    return fail_.resume_restored(one);
  }

 private:
  [[nodiscard]] static std::string text_of(const deadly_turn& deadly) {
    return "the process has died of it " + std::to_string(deadly.deaths) + " times";
  }

  world& all_;
  worker& mine_;
  delivery& mail_;
  failures& fail_;
};

}  // namespace cairn::detail
