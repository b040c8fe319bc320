// All cells of a system. A cell's index is part of its actor's identity in snapshots: a restored
// actor gets the cell of the same index, so refs need no directory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#include "cell.hpp"
#include "huge_pages.hpp"

namespace cairn::detail {

/// Slabs that never move and are given back only with the system.
class cell_table {
 public:
  static constexpr std::uint32_t slab_cells = 1024;
  static constexpr std::uint32_t max_slabs = 1U << 18U;
  static constexpr std::uint32_t max_cells = slab_cells * max_slabs;  ///< 268 million actors

  cell_table() : slabs_{static_cast<cell**>(std::calloc(max_slabs, sizeof(cell*)))} {
    if (slabs_ == nullptr) throw std::bad_alloc{};
  }
  cell_table(const cell_table&) = delete;
  cell_table& operator=(const cell_table&) = delete;
  ~cell_table() {
    for (std::uint32_t at = 0; at < max_slabs; ++at) {
      cell* slab = slab_at(at).load(std::memory_order_relaxed);  // nobody else is left
      if (slab == nullptr) break;
      std::destroy_n(slab, slab_cells);
    }
    for (cell* each : small_) std::allocator<cell>{}.deallocate(each, slab_cells);
    for (void* each : large_) give_huge(each);
  }

  /// The cell of this index, null if there never was one. Any thread.
  [[nodiscard]] cell* at(std::uint32_t index) const noexcept {
    if (index / slab_cells >= max_slabs) return nullptr;
    // pairs with the release in grow_to()
    cell* slab = slab_at(index / slab_cells).load(std::memory_order_acquire);
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

  /// The same, but for that each cell is made only when it is asked for, or with the rest of them:
  /// who fills a million of them finds each still in the cache. Until then they may be pointed to.
  void reserve_rooms(std::uint32_t count) {
    const std::lock_guard lock{growing_};
    for (std::uint32_t slab = 0; count > 0 && slab <= (count - 1) / slab_cells; ++slab) {
      if (slab >= max_slabs) throw error{errc::no_space, "too many actors for one system"};
      if (slab_at(slab).load(std::memory_order_relaxed) != nullptr) continue;  // under the lock
      unmade_.resize(slab + std::size_t{1});
      slab_at(slab).store(room_for(slab), std::memory_order_release);  // pairs with at()
      unmade_[slab] = room_alone;
    }
    if (used() < count) used_.store(count, std::memory_order_release);  // pairs with used()
  }
  /// Makes the cell of this index, which has a room, and its neighbours; where another thread is
  /// about to, it waits for that. Any thread, while nobody reserves.
  void make(std::uint32_t index) noexcept {
    const std::uint32_t slab = index / slab_cells;
    if (slab >= unmade_.size()) return;
    const std::atomic_ref<char> state{unmade_[slab]};
    char found = state.load(std::memory_order_acquire);  // pairs with the release below
    if (found == room_alone &&
        state.compare_exchange_strong(found, being_made, std::memory_order_acquire)) {
      construct(slab, slab_at(slab).load(std::memory_order_relaxed));  // its own
      state.store(all_made, std::memory_order_release);
      return state.notify_all();
    }
    // pairs with the release above
    while (state.load(std::memory_order_acquire) != all_made) state.wait(being_made);
  }
  /// By who has reserved them, once nobody else makes any.
  void make_rest() noexcept {
    for (std::uint32_t slab = 0; slab < unmade_.size(); ++slab) make(slab * slab_cells);
    unmade_.clear();
  }
  /// Makes the rest at its end, however that comes.
  class making {
   public:
    explicit making(cell_table& of) noexcept : of_{of} {}
    making(const making&) = delete;
    making& operator=(const making&) = delete;
    ~making() { of_.make_rest(); }

   private:
    cell_table& of_;
  };

  /// How many cells have ever been used: those exist, or are being made. Any thread.
  [[nodiscard]] std::uint32_t used() const noexcept {
    return used_.load(std::memory_order_acquire);  // pairs with fresh() and reserve()
  }

 private:
  [[nodiscard]] std::atomic_ref<cell*> slab_at(std::uint32_t slab) const noexcept {
    return std::atomic_ref<cell*>{slabs_[slab]};
  }

  void grow_to(std::uint32_t index) {
    const std::uint32_t slab = index / slab_cells;
    if (slab >= max_slabs) throw error{errc::no_space, "too many actors for one system"};
    if (slab_at(slab).load(std::memory_order_relaxed) != nullptr) return;  // under the lock
    cell* first = room_for(slab);
    construct(slab, first);
    slab_at(slab).store(first, std::memory_order_release);  // pairs with at()
  }

  static void construct(std::uint32_t slab, cell* first) noexcept {
    for (std::uint32_t at = 0; at < slab_cells; ++at) {
      (::new (first + at) cell)->slot_index = slab * slab_cells + at;
    }
  }

  /// Where some thousand actors live, more are to be expected: room for several slabs at a time.
  [[nodiscard]] cell* room_for(std::uint32_t slab) {
    if (slab < few_slabs) {
      small_.reserve(slab + 1);
      small_.push_back(std::allocator<cell>{}.allocate(slab_cells));
      return small_.back();
    }
    const std::uint32_t in_block = (slab - few_slabs) % block_slabs;
    if (in_block == 0) {
      large_.reserve(large_.size() + 1);
      large_.push_back(take_huge(block_slabs * slab_cells * sizeof(cell)));
    }
    return static_cast<cell*>(large_.back()) + std::size_t{in_block} * slab_cells;
  }

  static constexpr char all_made = 0;
  static constexpr char room_alone = 1;
  static constexpr char being_made = 2;

  static constexpr std::uint32_t few_slabs = 8;
  static constexpr std::uint32_t block_slabs = 32;
  static_assert(block_slabs * slab_cells * sizeof(cell) % huge_page == 0, "what is left is wasted");

  /// Room for all that there may ever be, of which the kernel gives the pages that are used.
  struct give_back {
    void operator()(cell** room) const noexcept { std::free(room); }
  };
  std::unique_ptr<cell*[], give_back> slabs_;
  std::mutex growing_;
  std::vector<char> unmade_{};          ///< how far each slab is, see reserve_rooms()
  std::vector<cell*> small_{};          ///< of one slab each
  std::vector<void*> large_{};          ///< of `block_slabs`
  std::atomic<std::uint32_t> used_{1};  ///< changed under the lock; index 0 names nobody
};

}  // namespace cairn::detail
