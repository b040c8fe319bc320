// What waits for an actor that handles nothing: asks of a suspended one fail, tells wait, and an
// operator's word gets through. One that waits for its restart lets asks wait too.
//
// Runs on the worker `mine`, between turns.
#pragma once

#include <utility>

#include "delivery.hpp"
#include "words.hpp"

namespace cairn::detail {

class waiting_mail {
 public:
  waiting_mail(worker& mine, delivery& mail, control_words& obeyed) noexcept
      : mine_{mine}, mail_{mail}, words_{obeyed} {}

  /// True: there was such a word.
  bool look(cell& one) {
    mailbox& box = one.box;
    envelope_ptr word;
    for (;;) {
      envelope* last = box.attended();  // a mailbox that fills up is not gone through again
      envelope* each = last != nullptr ? last->next : box.queue.front();
      if (each == nullptr) break;
      if (is_operators_word(*each)) {
        word = box.take_within(last);
        box.queue.put_after(last, in_place_of(*word, mine_.seen));
        box.attend_anew();
        break;  // what comes after it is for whom it makes of the actor
      }
      if (is_notice(*each)) {  // a later commit tells it again; what waits before it is not done
        box.take_within(last).reset();
        continue;
      }
      if (one.suspended && each->answer.wanted() && each->code == errc::ok &&
          each->kind != envelope_kind::control) {
        mail_.cuts().meet(one, *each);
        sometimes("ask of a suspended actor refused");
        each->code = errc::failed;
        box.made_marks().attended = each;  // first: who hears of it may lead to its being dropped
        mail_.refuse(std::exchange(each->answer, {}), errc::failed,
                     world::label(one) + " is suspended", one.at);
        continue;
      }
      box.made_marks().attended = each;
    }
    if (!word) return false;
    sometimes("word to a suspended actor");
    mail_.cuts().meet(one, *word);
    one.changed = true;
    words_.obey(one, *word);
    return true;
  }

 private:
  /// What a suspended actor obeys. A dead letter only joins what waits.
  [[nodiscard]] static bool is_operators_word(const envelope& each) noexcept {
    if (each.kind != envelope_kind::control) return false;
    const control what{each.index};
    return what == control::resume || what == control::stop || what == control::deliver;
  }

  worker& mine_;
  delivery& mail_;
  control_words& words_;
};

}  // namespace cairn::detail
