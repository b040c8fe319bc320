// An incarnation in memory: an actor's state, and the context that its handlers are given.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "../fwd.hpp"
#include "cell.hpp"
#include "room_pool.hpp"

namespace cairn::detail {

template <class A>
struct holder {
  template <class... Args>
  explicit holder(cell& self, Args&&... args)
      : context_here{self}, state(make(std::forward<Args>(args)...)) {}

  context<A> context_here;
  A state;

 private:
  template <class... Args>
  static A make(Args&&... args) {
    if constexpr (std::is_aggregate_v<A>) {
      return A{std::forward<Args>(args)...};
    } else {
      return A(std::forward<Args>(args)...);
    }
  }
};

template <class A>
[[nodiscard]] holder<A>& held(cell& self) noexcept {
  return *static_cast<holder<A>*>(self.state);
}
template <class A>
[[nodiscard]] const holder<A>& held(const cell& self) noexcept {
  return *static_cast<const holder<A>*>(self.state);
}

/// Where the state stands in there, which `make_incarnation` checks.
template <class A>
inline constexpr std::size_t state_offset =
    (sizeof(context<A>) + alignof(A) - 1) / alignof(A) * alignof(A);

/// A million states lie close together, in huge pages, which the machine's heap has none of.
template <class A>
struct state_room {
  static constexpr std::size_t size = sizeof(holder<A>);
  static constexpr bool is_kept = has_class(size) && alignof(holder<A>) <= room_depot::fine_step;

  [[nodiscard]] static void* take() {
    if constexpr (is_kept) return take_room_of(room_pool::class_of_state(size));
    return ::operator new(size, std::align_val_t{alignof(holder<A>)});
  }
  static void give(void* room) noexcept {
    if constexpr (is_kept) return give_room_of(room_pool::class_of_state(size), room);
    ::operator delete(room, std::align_val_t{alignof(holder<A>)});
  }
};

/// Precondition: the cell holds no incarnation. The cell owns what is made.
template <class A, class... Args>
void make_incarnation(cell& self, Args&&... args) {
  void* room = state_room<A>::take();
  try {
    auto* made = ::new (room) holder<A>{self, std::forward<Args>(args)...};
    check(reinterpret_cast<std::byte*>(&made->state) ==
              static_cast<std::byte*>(room) + state_offset<A>,
          "a state in another place");
    self.state = made;
  } catch (...) {
    state_room<A>::give(room);
    throw;
  }
}

template <class A>
void drop_incarnation(cell& self) noexcept {
  auto* gone = static_cast<holder<A>*>(std::exchange(self.state, nullptr));
  if (gone == nullptr) return;
  std::destroy_at(gone);
  state_room<A>::give(gone);
}

}  // namespace cairn::detail
