// All cells of a system. A cell's index is part of its actor's identity in snapshots: a restored
// actor gets the cell of the same index, so refs need no directory.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "cell.hpp"

namespace cairn::detail {

/// Slabs that never move and are given back only with the system.
class cell_table {
 public:
  static constexpr std::uint32_t slab_cells = 1024;
  static constexpr std::uint32_t max_slabs = 1U << 18U;
  static constexpr std::uint32_t max_cells = slab_cells * max_slabs;  ///< 268 million actors

  cell_table() : slabs_{std::make_unique<std::atomic<cell*>[]>(max_slabs)} {}
  cell_table(const cell_table&) = delete;
  cell_table& operator=(const cell_table&) = delete;
  ~cell_table() {
    for (std::uint32_t at = 0; at < max_slabs; ++at) {
      cell* slab = slabs_[at].load(std::memory_order_relaxed);  // nobody else is left
      if (slab == nullptr) break;
      delete[] slab;
    }
  }

  /// The cell of this index, null if there never was one. Any thread.
  [[nodiscard]] cell* at(std::uint32_t index) const noexcept {
    if (index / slab_cells >= max_slabs) return nullptr;
    // pairs with the release in grow_to()
    cell* slab = slabs_[index / slab_cells].load(std::memory_order_acquire);
    return slab == nullptr ? nullptr : slab + index % slab_cells;
  }

  /// A cell that was never used. Any thread.
  [[nodiscard]] cell& fresh() {
    const std::lock_guard lock{growing_};
    const std::uint32_t index = used();
    grow_to(index);
    used_.store(index + 1, std::memory_order_release);  // pairs with used()
    return *at(index);
  }

  /// Makes the cells below `count` exist; those that hold nobody are the caller's to give out.
  ///
  /// Precondition: `count` is at most `max_cells`.
  void reserve(std::uint32_t count) {
    const std::lock_guard lock{growing_};
    for (std::uint32_t index = used(); index < count; index += slab_cells) grow_to(index);
    if (count > 0) grow_to(count - 1);
    if (used() < count) used_.store(count, std::memory_order_release);  // pairs with used()
  }

  /// How many cells have ever been used: those exist. Any thread.
  [[nodiscard]] std::uint32_t used() const noexcept {
    return used_.load(std::memory_order_acquire);  // pairs with fresh() and reserve()
  }

 private:
  void grow_to(std::uint32_t index) {
    const std::uint32_t slab = index / slab_cells;
    if (slab >= max_slabs) throw error{errc::no_space, "too many actors for one system"};
    if (slabs_[slab].load(std::memory_order_relaxed) != nullptr) return;  // under the lock
    auto made = std::make_unique<cell[]>(slab_cells);
    for (std::uint32_t at = 0; at < slab_cells; ++at) {
      made[at].slot_index = slab * slab_cells + at;
    }
    slabs_[slab].store(made.release(), std::memory_order_release);  // pairs with at()
  }

  std::unique_ptr<std::atomic<cell*>[]> slabs_;
  std::mutex growing_;
  std::atomic<std::uint32_t> used_{1};  ///< changed under the lock; index 0 names nobody
};

}  // namespace cairn::detail
