// Over a crash: asks of those who did not survive it.
#pragma once

#include <algorithm>

#include "delivery.hpp"

namespace cairn::detail {

/// An ask that waits for who did not survive ends.
inline void interrupt_lost_asks(const world& all, delivery& mail, cell& one) {
  if (!one.more) return;
  for (const slot& each : one.more->slots) {
    if (each.arrived || each.from.id == actor_id{}) continue;
    if (std::binary_search(all.restored_ids.begin(), all.restored_ids.end(), each.from.id)) {
      continue;
    }
    sometimes("ask interrupted");
    const return_address self{&one, one.self().id, each.number, false};
    mail.refuse(self, errc::interrupted, "lost in a restart of the process", one.at);
  }
}

}  // namespace cairn::detail
