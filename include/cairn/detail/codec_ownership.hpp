// Which owners of other objects may lie in what is written.
#pragma once

#include <memory>
#include <type_traits>

namespace cairn::detail {

template <class T>
struct ownership {
  static constexpr bool allowed = true;
};
template <class T>
struct ownership<std::shared_ptr<T>> {
  static constexpr bool allowed = std::is_const_v<T> && !std::is_polymorphic_v<T>;
};
template <class T>
struct ownership<std::weak_ptr<T>> {
  static constexpr bool allowed = false;
};
template <class T, class D>
struct ownership<std::unique_ptr<T, D>> {
  static constexpr bool allowed = !std::is_polymorphic_v<T>;
};

template <class T>
consteval bool check_ownership() {
  static_assert(ownership<T>::allowed,
                "shared ownership is of constants only: write std::shared_ptr<const T>, without "
                "virtual functions (write a std::variant), or hold the value itself");
  return true;
}

}  // namespace cairn::detail
