// A restored subtree is dormant until the program declares its supervisor.
#pragma once

#include <utility>
#include <vector>

#include "delivery.hpp"

namespace cairn::detail {

/// Wakes a restored actor and every one below it. On the worker that is `top`'s home.
inline void wake_restored(delivery& mail, const worker& mine, cell& top) {
  std::vector<cell*> below;  // noted first: the actor may run as soon as it is told
  if (top.more) {
    for (const auto& [name, each] : top.more->children) below.push_back(each.where.where);
  }
  auto word = make_envelope(unit{});
  word->kind = envelope_kind::reply;
  word->answer.number = wake_number;
  word->to = &top;
  word->target = top.self().id;
  word->sent = mine.seen;
  mail.send(std::move(word));
  for (cell* each : below) wake_restored(mail, mine, *each);
}

}  // namespace cairn::detail
