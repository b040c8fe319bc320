// Whether there is room for one more message in an actor's mailbox.
#pragma once

#include <cstddef>

#include "actor_type.hpp"
#include "cell.hpp"

namespace cairn::detail {

/// Whether the hook of its birth is to come: it is in front, and takes no place of a message's.
[[nodiscard]] inline bool waits_for_birth(const cell& one) noexcept {
  const envelope* first = one.box.queue.front();
  return first != nullptr && first->ops == &ops_of<birth_note>;
}

[[nodiscard]] inline bool has_room(const cell& one) noexcept {
  const std::size_t waiting = one.box.queue.size();
  const std::size_t most = one.type->mailbox.capacity;
  return waiting < most || (waiting == most && waits_for_birth(one));
}

/// For how many more there is. A birth that is to come is not thought of.
[[nodiscard]] inline std::size_t places_left(const cell& one) noexcept {
  const std::size_t waiting = one.box.queue.size();
  const std::size_t most = one.type->mailbox.capacity;
  return waiting < most ? most - waiting : 0;
}

}  // namespace cairn::detail
