// What the root task may do with the dead letters that are kept.
#pragma once

#include <string_view>
#include <utility>

#include "../context.hpp"
#include "../dead_letter.hpp"
#include "letter_keeper.hpp"
#include "world.hpp"

namespace cairn::detail {

/// A part of `root`: used within the root task's turns.
class letter_door : public context_base {
 public:
  using context_base::context_base;

  /// The messages that persistent actors have given up and that are kept, `options::dead_letters`
  /// of them at most.
  [[nodiscard]] asking<kept_letters> dead_letters() {
    turn& here = mine("dead_letters()");
    const address keeper = letters().keeper();
    if (keeper.where != nullptr) {
      return cairn::ref<letter_keeper>{keeper}.template ask<list_letters>();
    }
    const auto number = open_slot(here, {}, "dead_letters");
    answer_self(here, number, make_envelope(kept_letters{}), errc::ok);
    return asking<kept_letters>{awaited_slot{self_, number}};
  }

  /// Sends a letter's message to its actor again, as a new message. Goes on when it stands in the
  /// mailbox there: it is handled once, over crashes too, and is no dead letter any more.
  ///
  /// Errors: `ask_error` with `not_found` where no such letter is kept; `stopped`; `unknown_type`,
  /// `newer_schema` or `damaged` where the actor's type does not read it any more. The letter is
  /// kept then. `timeout`: its actor is busy, or restored and not declared; it still comes.
  [[nodiscard]] asking<void> deliver_again(letter_id which) {
    return order(letter_verb::deliver, which, "deliver_again");
  }
  /// Forgets a letter. Throws `ask_error{errc::not_found}` where no such letter is kept.
  [[nodiscard]] asking<void> drop_letter(letter_id which) {
    return order(letter_verb::drop, which, "drop_letter");
  }
  /// Forgets all of them.
  [[nodiscard]] asking<void> drop_letters() {
    return order(letter_verb::drop_all, {}, "drop_letters");
  }

 private:
  [[nodiscard]] letter_box& letters() const noexcept {
    return static_cast<world&>(*self_->owner).letters;
  }

  [[nodiscard]] asking<void> order(letter_verb verb, letter_id which, std::string_view what) {
    turn& here = mine("a dead letter");
    const address keeper = letters().keeper();
    const auto number = open_slot(here, keeper, what);
    if (keeper.where != nullptr) {
      cairn::ref<letter_keeper>{keeper}.template tell<letter_order>(verb, raw(which), number);
      here.also().timers.push_back({number, here.system->ask_timeout(), nullptr, true});
    } else if (verb == letter_verb::drop_all) {
      answer_self(here, number, make_envelope(unit{}), errc::ok);
    } else {
      answer_self(here, number, make_envelope(letter_keeper::no_such(raw(which))), errc::not_found);
    }
    return asking<void>{awaited_slot{self_, number}};
  }

  /// There is no keeper, for there was no letter yet.
  void answer_self(turn& here, std::uint64_t number, envelope_ptr reply, errc code) const {
    reply->kind = envelope_kind::reply;
    reply->code = code;
    reply->answer = {self_, id(), number, false};
    here.send(std::move(reply), self_->self());
  }
};

}  // namespace cairn::detail
