// An incarnation in memory: an actor's state, and the context that its handlers are given.
#pragma once

#include <type_traits>
#include <utility>

#include "../fwd.hpp"
#include "cell.hpp"

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

/// Precondition: the cell holds no incarnation. The cell owns what is made.
template <class A, class... Args>
void make_incarnation(cell& self, Args&&... args) {
  self.state = new holder<A>{self, std::forward<Args>(args)...};
}

template <class A>
void drop_incarnation(cell& self) noexcept {
  delete static_cast<holder<A>*>(std::exchange(self.state, nullptr));
}

}  // namespace cairn::detail
