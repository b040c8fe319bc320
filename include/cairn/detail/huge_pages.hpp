// Memory for a million of something: where the kernel gives it in pages of 2 MiB, it is asked for
// one five hundredth as often, and the processor finds its way in it.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <vector>

namespace cairn::detail {

inline constexpr std::size_t huge_page = std::size_t{2} << 20U;

/// `bytes` at least, aligned to a huge page, not set. A kernel that has no huge pages gives others.
///
/// Errors: throws `std::bad_alloc`.
[[nodiscard]] inline void* take_huge(std::size_t bytes) {
  const std::size_t whole = (bytes + huge_page - 1) / huge_page * huge_page;
  void* room = ::operator new(whole, std::align_val_t{huge_page});
  (void)madvise(room, whole, MADV_HUGEPAGE);  // a hint
  return room;
}
inline void give_huge(void* room) noexcept { ::operator delete(room, std::align_val_t{huge_page}); }

/// What is large comes in huge pages, the rest from the heap.
template <class T>
struct huge_allocator {
  using value_type = T;

  huge_allocator() = default;
  template <class U>
  huge_allocator(const huge_allocator<U>&) noexcept {}  // NOLINT(*explicit*): it has no state

  [[nodiscard]] T* allocate(std::size_t count) {
    if (count < large / sizeof(T)) return std::allocator<T>{}.allocate(count);
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T) - huge_page) {
      throw std::bad_array_new_length{};
    }
    return static_cast<T*>(take_huge(count * sizeof(T)));
  }
  void deallocate(T* room, std::size_t count) noexcept {
    if (count < large / sizeof(T)) return std::allocator<T>{}.deallocate(room, count);
    give_huge(room);
  }
  friend bool operator==(const huge_allocator&, const huge_allocator&) noexcept { return true; }

 private:
  /// Below it a page that is half empty would weigh more than it saves.
  static constexpr std::size_t large = 2 * huge_page;
};

/// For a million of something.
template <class T>
using huge_vector = std::vector<T, huge_allocator<T>>;

}  // namespace cairn::detail
