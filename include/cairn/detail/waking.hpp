// A restored subtree is dormant until the program declares its supervisor.
#pragma once

#include <utility>
#include <vector>

#include "delivery.hpp"

namespace cairn::detail {

/// The word that wakes `one`.
[[nodiscard]] inline envelope_ptr wake_word(cell& one, epoch at) {
  auto word = make_envelope(unit{});
  word->kind = envelope_kind::reply;
  word->answer.number = wake_number;
  word->to = &one;
  word->target = one.self().id;
  word->sent = at;
  return word;
}

/// Calls `each(cell&)` for a restored actor and every one below it, parents first, except for those
/// that `skip(cell&)`. Not by recursion: a subtree may be as deep as it likes. Children are noted
/// before: the actor may run as soon as it is told.
template <class Skip, class Each>
void for_subtree(cell& top, Skip&& skip, Each&& each) {
  std::vector<cell*> left{&top};
  while (!left.empty()) {
    cell& one = *left.back();
    left.pop_back();
    if (&one != &top && skip(one)) continue;
    if (one.more) {
      one.more->children.for_each([&](const std::string&, const child& each_child) {
        left.push_back(each_child.where.where);
      });
    }
    each(one);
  }
}

/// Wakes a restored supervisor and what is below it, but for the supervisors there: each is to be
/// declared. On the worker that is `top`'s home.
inline void wake_restored(delivery& mail, const worker& mine, cell& top) {
  for_subtree(
      top, [](const cell& one) { return is_supervisor(one.type); },
      [&](cell& one) { mail.send(wake_word(one, mine.seen)); });
}

}  // namespace cairn::detail
