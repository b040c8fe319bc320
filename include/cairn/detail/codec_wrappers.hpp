// What cereal wraps values in, before an archive is given them.
#pragma once

#include <type_traits>

#include <cereal/cereal.hpp>
#include <cereal/types/memory.hpp>

namespace cairn::detail {

/// Such a wrapper: passed over where nesting is counted.
template <class T>
inline constexpr bool is_wrapper = !std::is_class_v<T>;
template <class T>
inline constexpr bool is_wrapper<cereal::NameValuePair<T>> = true;
template <class T>
inline constexpr bool is_wrapper<cereal::SizeTag<T>> = true;
template <class T>
inline constexpr bool is_wrapper<cereal::BinaryData<T>> = true;
template <class T>
inline constexpr bool is_wrapper<cereal::memory_detail::PtrWrapper<T>> = true;
template <class K, class V>
inline constexpr bool is_wrapper<cereal::MapItem<K, V>> = true;

/// The class whose version is read next: a base is wrapped, too.
template <class T>
struct unwrapped_base {
  using type = T;
};
template <class T>
struct unwrapped_base<cereal::base_class<T>> {
  using type = std::remove_cv_t<T>;
};
template <class T>
struct unwrapped_base<cereal::virtual_base_class<T>> {
  using type = std::remove_cv_t<T>;
};

template <class T>
inline constexpr bool is_virtual_base = false;
template <class T>
inline constexpr bool is_virtual_base<cereal::virtual_base_class<T>> = true;

template <class T>
inline constexpr bool is_deferred = false;
template <class T>
inline constexpr bool is_deferred<cereal::DeferredData<T>> = true;

}  // namespace cairn::detail
