// Rooms for messages and coroutine frames, kept for the next one: a worker makes and destroys
// millions of each, most of a few sizes, and the machine's heap costs more than sending a message.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace cairn::detail {

/// Free rooms by size. One thread at a time; what was taken from one pool may be given to another,
/// since all of it comes from the heap.
class room_pool {
 public:
  static constexpr std::size_t step = 64;
  static constexpr std::size_t classes = 20;
  static constexpr std::size_t largest = step * classes;

  room_pool() noexcept {
    for (std::size_t at = 0; at < classes; ++at) free_[at].space = most_of(at);
  }
  room_pool(const room_pool&) = delete;
  room_pool& operator=(const room_pool&) = delete;
  ~room_pool() {
    for (list& each : free_) {
      while (each.first != nullptr) ::operator delete(each.take());
    }
  }

  /// Of a room of this size. Precondition: it is from 1 to `largest`.
  [[nodiscard]] static constexpr std::size_t class_of(std::size_t size) noexcept {
    return (size - 1) / step;
  }

  [[nodiscard]] void* take(std::size_t which) {
    list& of = free_[which];
    return of.first != nullptr ? of.take() : from_heap(which);
  }
  /// Precondition: the room was taken for this class.
  void give(void* room, std::size_t which) noexcept {
    list& of = free_[which];
    // Who only receives would gather what others allocate: then the heap has it back.
    if (of.space == 0) return ::operator delete(room);
    of.give(room);
  }

  /// Room that any pool may have later.
  [[nodiscard]] static void* from_heap(std::size_t which) {
    return ::operator new((which + 1) * step);
  }

 private:
  /// Some MiB in all.
  [[nodiscard]] static constexpr std::size_t most_of(std::size_t which) noexcept {
    return which < 4 ? 4096 : 256;
  }

  struct list {
    struct node {
      node* next;
    };
    node* first = nullptr;
    std::size_t space = 0;  ///< for so many more

    [[nodiscard]] void* take() noexcept {
      node* taken = first;
      first = taken->next;
      ++space;
      return taken;
    }
    void give(void* room) noexcept {
      first = ::new (room) node{first};
      --space;
    }
  };

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
  if (pool == nullptr) return ::operator delete(room);
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
