// Rooms for messages, coroutine frames and states, kept for the next one: a worker makes and
// destroys millions of each, most of a few sizes, and the machine's heap costs more than sending a
// message.
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>

#include "room_depot.hpp"

namespace cairn::detail {

/// Free rooms by size. One thread at a time; what was taken from one pool may be given to another.
class room_pool {
 public:
  static constexpr std::size_t step = room_depot::step;
  static constexpr std::size_t classes = room_depot::classes;
  static constexpr std::size_t largest = step * room_depot::coarse;

  room_pool() noexcept {
    for (std::size_t at = 0; at < classes; ++at) free_[at].space = most_of(at);
  }
  room_pool(const room_pool&) = delete;
  room_pool& operator=(const room_pool&) = delete;
  ~room_pool() {
    for (std::size_t at = 0; at < classes; ++at) {
      while (free_[at].first != nullptr) depot.give(at, free_[at].take());
    }
  }

  /// Of a room of this size. Precondition: it is from 1 to `largest`.
  [[nodiscard]] static constexpr std::size_t class_of(std::size_t size) noexcept {
    return (size - 1) / step;
  }
  /// The same of a room for an actor's state: there are millions of them, and they stay.
  [[nodiscard]] static constexpr std::size_t class_of_state(std::size_t size) noexcept {
    constexpr auto from = room_depot::coarse;
    constexpr auto finest = room_depot::fine_step;
    return size <= room_depot::fine * finest ? from + (size - 1) / finest : class_of(size);
  }

  [[nodiscard]] void* take(std::size_t which) {
    list& of = free_[which];
    return of.first != nullptr ? of.take() : fetch(which);
  }
  /// Precondition: the room was taken for this class.
  [[gnu::always_inline]] void give(void* room, std::size_t which) noexcept {
    list& of = free_[which];
    if (of.space == 0) [[unlikely]]
      bring(which);
    of.give(room);
  }

  /// Room that any pool may have later.
  [[nodiscard]] static void* from_heap(std::size_t which) {
    return ::operator new(room_depot::size_of(which));
  }

 private:
  /// Some MiB in all.
  [[nodiscard]] static constexpr std::size_t most_of(std::size_t which) noexcept {
    return (which < 4 ? 64 : 16) * room_depot::batch_of(which);
  }

  struct list {
    free_room* first = nullptr;
    std::size_t space = 0;  ///< for so many more

    [[nodiscard]] void* take() noexcept {
      free_room* taken = first;
      first = taken->next;
      __builtin_prefetch(first, 1);
      ++space;
      return taken;
    }
    void give(void* room) noexcept {
      auto* given = ::new (room) free_room;  // `next_batch` says nothing but in the depot
      given->next = std::exchange(first, given);
      --space;
    }
  };

  [[gnu::noinline]] void* fetch(std::size_t which) {
    list& of = free_[which];
    std::size_t count = 0;
    of.first = depot.take(which, count);
    if (of.first == nullptr) return from_heap(which);
    of.space -= count;
    return of.take();
  }

  /// Who only receives would gather what others send: half of it goes where all find it.
  [[gnu::noinline]] void bring(std::size_t which) noexcept {
    for (std::size_t batches = most_of(which) / room_depot::batch_of(which) / 2; batches > 0;
         --batches) {
      bring_batch(free_[which], which);
    }
  }
  static void bring_batch(list& of, std::size_t which) noexcept {
    free_room* batch = nullptr;
    std::size_t count = 0;
    while (count < room_depot::batch_of(which) && of.first != nullptr) {
      void* room = of.take();
      if (!depot.owns(room)) {
        ::operator delete(room);
        continue;
      }
      batch = ::new (room) free_room{batch, nullptr};
      ++count;
    }
    if (count == room_depot::batch_of(which)) return depot.give_batch(which, batch);
    for (; batch != nullptr; of.give(std::exchange(batch, batch->next))) {
    }
  }

  std::array<list, classes> free_{};
};

/// Of the worker that this thread runs; null elsewhere.
inline constinit thread_local room_pool* current_pool = nullptr;

// A pool would hide from the sanitizers who uses what is gone.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool rooms_are_kept = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool rooms_are_kept = false;
#else
inline constexpr bool rooms_are_kept = true;
#endif
#else
inline constexpr bool rooms_are_kept = true;
#endif

/// Room of a class of `room_pool`.
[[nodiscard, gnu::always_inline]] inline void* take_room_of(std::size_t which) {
  room_pool* pool = current_pool;
  return pool != nullptr ? pool->take(which) : room_pool::from_heap(which);
}
/// Precondition: taken for this class.
[[gnu::always_inline]] inline void give_room_of(std::size_t which, void* room) noexcept {
  room_pool* pool = current_pool;
  if (pool == nullptr) return depot.give(which, room);
  pool->give(room, which);
}
[[nodiscard]] constexpr bool has_class(std::size_t size) noexcept {
  return rooms_are_kept && size <= room_pool::largest;
}

/// Room of any size, aligned for everything that `operator new` is.
[[nodiscard]] inline void* take_room(std::size_t size) {
  return has_class(size) ? take_room_of(room_pool::class_of(size)) : ::operator new(size);
}
/// Precondition: taken for this size.
inline void give_room(void* room, std::size_t size) noexcept {
  has_class(size) ? give_room_of(room_pool::class_of(size), room) : ::operator delete(room);
}

}  // namespace cairn::detail
