// Where the workers' pools of rooms have new ones from, and bring what they have too many of.
#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>

#include "huge_pages.hpp"

namespace cairn::detail {

/// A room that nobody lives in.
struct free_room {
  free_room* next;
  free_room* next_batch;  ///< of the first one of a batch
};

/// Free rooms of all sizes, in batches, and a region of the address space that new ones are cut
/// from. What lies in the region is never given back to the machine, only to who asks next: where
/// the region is used up, rooms come from the heap and return to it. Any thread.
///
/// Batches as in Bonwick and Adams, "Magazines and Vmem" (USENIX ATC 2001): a worker that only
/// receives what another one sends takes the lock once for each of them.
class room_depot {
 public:
  static constexpr std::size_t step = 64;
  static constexpr std::size_t coarse = 20;  ///< classes of these steps, for what comes and goes
  /// For small states, which stay: behind the others come classes that lie closer together.
  static constexpr std::size_t fine_step = 16;
  static constexpr std::size_t fine = 16;
  static constexpr std::size_t classes = coarse + fine;
  static constexpr std::size_t region_bytes = std::size_t{1} << 30U;

  constexpr room_depot() = default;
  room_depot(const room_depot&) = delete;
  room_depot& operator=(const room_depot&) = delete;

  [[nodiscard]] static constexpr std::size_t size_of(std::size_t which) noexcept {
    return which < coarse ? (which + 1) * step : (which - coarse + 1) * fine_step;
  }
  [[nodiscard]] static constexpr std::size_t batch_of(std::size_t which) noexcept {
    return size_of(which) <= 4 * step ? 64 : 16;
  }

  /// A list of free rooms, at most `batch_of(which)` and at least one; `count` is set to how many.
  /// Null where the region is used up.
  [[nodiscard]] free_room* take(std::size_t which, std::size_t& count) noexcept {
    shelf& of = shelves_[which];
    const std::lock_guard lock{of.busy};
    if (of.batches != nullptr) {
      free_room* first = of.batches;
      of.batches = first->next_batch;
      count = batch_of(which);
      return first;
    }
    count = 0;
    free_room* first = nullptr;
    while (of.loose != nullptr && count < batch_of(which)) {
      free_room* one = of.loose;
      of.loose = one->next;
      one->next = first;
      first = one;
      ++count;
    }
    return first != nullptr ? first : cut(of, which, count);
  }

  /// Precondition: `first` is the first one of exactly `batch_of(which)` rooms of the region.
  void give_batch(std::size_t which, free_room* first) noexcept {
    shelf& of = shelves_[which];
    const std::lock_guard lock{of.busy};
    first->next_batch = of.batches;
    of.batches = first;
  }
  /// One room, of the region or of the heap.
  void give(std::size_t which, void* room) noexcept {
    if (!owns(room)) return ::operator delete(room);
    shelf& of = shelves_[which];
    const std::lock_guard lock{of.busy};
    of.loose = ::new (room) free_room{of.loose, nullptr};
  }

  /// Whether it lies in the region.
  [[nodiscard]] bool owns(const void* room) const noexcept {
    // Relaxed: who has a room of the region was handed it after the region was made.
    const auto first = region_.load(std::memory_order_relaxed);
    return first != 0 && reinterpret_cast<std::uintptr_t>(room) - first < region_bytes;
  }

 private:
  static constexpr std::size_t piece = std::size_t{64} << 10U;

  /// The lock guards all of it.
  struct shelf {
    std::mutex busy{};
    free_room* batches = nullptr;
    free_room* loose = nullptr;  ///< not enough for a batch
    std::byte* next = nullptr;   ///< of the piece that rooms are cut from
    std::size_t left = 0;
  };

  [[nodiscard]] free_room* cut(shelf& of, std::size_t which, std::size_t& count) noexcept {
    const std::size_t size = size_of(which);
    if (of.left < size) {
      count = 0;
      // Relaxed: who does not see it yet finds the same.
      if (used_up_.load(std::memory_order_relaxed)) return nullptr;
      of.next = next_piece();
      of.left = of.next != nullptr ? piece : 0;
    }
    free_room* first = nullptr;
    for (count = 0; count < batch_of(which) && of.left >= size; ++count) {
      first = ::new (of.next) free_room{first, nullptr};
      of.next += size;
      of.left -= size;
    }
    return first;
  }

  [[nodiscard]] std::byte* next_piece() noexcept {
    const std::lock_guard lock{cutting_};
    if (!tried_) {
      tried_ = true;
      region_.store(reserve(), std::memory_order_relaxed);  // as in owns()
    }
    const auto first = region_.load(std::memory_order_relaxed);
    if (first == 0 || used_ + piece > region_bytes) {
      used_up_.store(true, std::memory_order_relaxed);  // a hint
      return nullptr;
    }
    auto* made = reinterpret_cast<std::byte*>(first) + used_;
    used_ += piece;
    return made;
  }

  /// Costs address space alone, until rooms are used.
  [[nodiscard]] static std::uintptr_t reserve() noexcept {
    void* all = mmap(nullptr, region_bytes + huge_page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return 0;
    const auto first = (reinterpret_cast<std::uintptr_t>(all) + huge_page - 1) & ~(huge_page - 1);
    // A small program keeps small pages.
    (void)madvise(reinterpret_cast<void*>(first + huge_page), region_bytes - huge_page,
                  MADV_HUGEPAGE);
    return first;
  }

  std::array<shelf, classes> shelves_{};
  std::mutex cutting_{};
  std::atomic<std::uintptr_t> region_{0};  ///< changed once, under the lock
  std::atomic<bool> used_up_{false};
  std::size_t used_ = 0;
  bool tried_ = false;
};

/// The process's. It is never destroyed: a message may outlive its system.
inline constinit room_depot depot{};

}  // namespace cairn::detail
