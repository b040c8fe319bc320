// Constants that are shared, in cereal's layout. cereal's own versions believe any number they
// read, whatever its object's type.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "archive.hpp"

namespace cairn::detail {

/// In cereal's layout a number's highest bit says that the object itself follows.
inline constexpr std::uint32_t first_time = 0x80000000;

/// Whether two are one object a replay cannot tell: it begins from what a base holds, and goes on
/// with the messages as they were. So the content alone counts, which is looked at once.
template <class T>
void save_content(output_archive& archive, const std::shared_ptr<T>& shared) {
  save(archive, first_time);
  save(archive, archive.digest_once(shared, [&] { archive(*shared); }));
}

template <class T>
  requires(ownership<std::shared_ptr<T>>::allowed)
void save(output_archive& archive, const std::shared_ptr<T>& shared) {
  if (shared == nullptr) return save(archive, std::uint32_t{0});
  if (archive.is_for() == purpose::digesting) return save_content(archive, shared);
  const auto [number, added] = archive.share(shared);
  save(archive, added ? number | first_time : number);
  if (added) archive(*shared);
}

template <class T>
  requires(ownership<std::shared_ptr<T>>::allowed)
void load(input_archive& archive, std::shared_ptr<T>& shared) {
  const std::uint32_t read = archive.read_u32();
  const std::uint32_t number = read & ~first_time;
  if (read == number) {
    shared = archive.shared<T>(number);
    return;
  }
  archive.expect_shared(number);
  auto made = std::make_shared<std::remove_const_t<T>>();
  archive(*made);
  shared = std::move(made);
  archive.set_shared(number, shared);
}

template <class T>
void save(output_archive&, const std::shared_ptr<T>&) = delete;
template <class T>
void load(input_archive&, std::shared_ptr<T>&) = delete;
template <class T>
void save(output_archive&, const std::weak_ptr<T>&) = delete;
template <class T>
void load(input_archive&, std::weak_ptr<T>&) = delete;

}  // namespace cairn::detail
