// A stack of its own on the same thread: what a simulation runs a thread's code on, and what the
// sanitizers want to be told of it.
#pragma once

#include <cxxabi.h>
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <functional>
#include <utility>

#include "../../detail/engine.hpp"
#include "../../error.hpp"
#include "stack_switch.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define CAIRN_FIBERS_UNDER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CAIRN_FIBERS_UNDER_ASAN 1
#endif
#endif
#if defined(CAIRN_FIBERS_UNDER_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

namespace cairn::detail {

/// What belongs to a thread, and so to each fiber.
class thread_state {
 public:
  /// Exchanges it with the thread's own.
  void swap() noexcept {
    std::swap(worker_, current_worker);
    std::swap(pool_, current_pool);
    std::swap(archives_, current_archives);
    std::swap(turn_, current_turn);
    std::swap(runtime_, current_runtime);
    // The exceptions that are being handled: two words (Itanium C++ ABI, 2.2.2).
    std::array<std::byte, 2 * sizeof(void*)> other;
    void* here = abi::__cxa_get_globals();
    std::memcpy(other.data(), here, other.size());
    std::memcpy(here, exceptions_.data(), exceptions_.size());
    exceptions_ = other;
  }

 private:
  worker* worker_ = nullptr;
  room_pool* pool_ = nullptr;
  archive_keeper* archives_ = nullptr;
  turn* turn_ = nullptr;
  runtime* runtime_ = nullptr;
  std::array<std::byte, 2 * sizeof(void*)> exceptions_{};
};

/// Runs `body` bit by bit. Destroyed only before it has begun or after it has ended.
class fiber {
 public:
  static constexpr std::size_t stack_bytes = 256 * 1024;

  explicit fiber(std::function<void()> body) : body_{std::move(body)} {
    stack_ = ::mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    check(stack_ != MAP_FAILED, "no memory for a stack");
    ::mprotect(stack_, 4096, PROT_NONE);  // an overflow shall not go unnoticed
  }
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber() { ::munmap(stack_, stack_bytes); }

  [[nodiscard]] bool begun() const noexcept { return begun_; }
  [[nodiscard]] bool done() const noexcept { return done_; }

  /// Goes on until `body` pauses or ends.
  void resume() {
    if (!begun_) prepare();
    state_.swap();
    leave(nullptr);
    outside_.go_to(inside_);
    arrive();
    state_.swap();
  }

  /// Within `body`: back to who resumed it.
  void pause() noexcept {
    leave(&inside_fake_);
    inside_.go_to(outside_);
    arrive_inside();
  }

 private:
  void prepare() {
    begun_ = true;
    inside_.prepare(stack_, stack_bytes, &fiber::enter);
    starting() = this;
  }

  static fiber*& starting() noexcept {
    static thread_local fiber* one = nullptr;
    return one;
  }

  static void enter() {
    fiber& self = *starting();
    self.arrive_inside();
    self.body_();
    self.done_ = true;
    self.end();
  }

#if defined(CAIRN_FIBERS_UNDER_ASAN)
  void leave(void** keep) noexcept {
    if (keep == nullptr) {
      __sanitizer_start_switch_fiber(&outside_fake_, stack_, stack_bytes);
    } else {
      __sanitizer_start_switch_fiber(keep, outside_stack_, outside_bytes_);
    }
  }
  void arrive() noexcept { __sanitizer_finish_switch_fiber(outside_fake_, nullptr, nullptr); }
  void arrive_inside() noexcept {
    __sanitizer_finish_switch_fiber(inside_fake_, &outside_stack_, &outside_bytes_);
  }
  void end() noexcept {
    __sanitizer_start_switch_fiber(nullptr, outside_stack_, outside_bytes_);
    stack_switch::leave_for(outside_);
  }
  void* outside_fake_ = nullptr;
  const void* outside_stack_ = nullptr;
  std::size_t outside_bytes_ = 0;
#else
  void leave(void** /*keep*/) noexcept {}
  void arrive() noexcept {}
  void arrive_inside() noexcept {}
  void end() noexcept { stack_switch::leave_for(outside_); }
#endif
  void* inside_fake_ = nullptr;

  std::function<void()> body_;
  void* stack_ = nullptr;
  stack_switch inside_{};
  stack_switch outside_{};
  thread_state state_{};
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace cairn::detail

#undef CAIRN_FIBERS_UNDER_ASAN
