// Memory for a million of something: where the kernel gives it in pages of 2 MiB, it is asked for
// one five hundredth as often, and the processor finds its way in it.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory_resource>
#include <new>

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

/// What is large comes in huge pages, the rest from the heap. One thread at a time.
class huge_pages final : public std::pmr::memory_resource {
 private:
  /// Below it a page that is half empty would weigh more than it saves.
  static constexpr std::size_t large = 2 * huge_page;

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (bytes >= large) return take_huge(bytes);
    return ::operator new(bytes, std::align_val_t{alignment});
  }
  void do_deallocate(void* room, std::size_t bytes, std::size_t alignment) override {
    if (bytes >= large) return give_huge(room);
    ::operator delete(room, std::align_val_t{alignment});
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }
};

}  // namespace cairn::detail
