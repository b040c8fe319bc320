// Two flows of control on one thread, each on a stack of its own. POSIX contexts begin one; their
// `swapcontext` asks the kernel for the signal mask each time, which is half of what a simulation
// costs: where the compiler knows how, it switches without (as QEMU's coroutines do, with `setjmp`,
// which a checking C library takes for an error where stacks change).
#pragma once

#include <ucontext.h>

#include <array>
#include <cstddef>

#include "../../error.hpp"

// The thread sanitizer counts who calls whom, and a jump as a call without end: what it keeps of
// that would grow with each switch, and all that allocates with it.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define CAIRN_STACKS_JUMP 1
#endif
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#undef CAIRN_STACKS_JUMP
#endif
#endif

namespace cairn::detail {

/// Where one of them goes on.
class stack_switch {
 public:
  /// It begins in `entry`, which must not return, on this stack.
  void prepare(void* stack, std::size_t bytes, void (*entry)()) {
    check(::getcontext(&posix_) == 0, "no context");
    posix_.uc_stack.ss_sp = stack;
    posix_.uc_stack.ss_size = bytes;
    posix_.uc_link = nullptr;
    ::makecontext(&posix_, entry, 0);
  }

#if defined(CAIRN_STACKS_JUMP)
  /// Notes where this one is, and goes on with `other`. Returns when somebody comes back.
  [[gnu::noinline]] void go_to(stack_switch& other) noexcept {
    begun_ = true;
    if (__builtin_setjmp(words_.data()) == 0) leave_for(other);
  }
  /// Without return. Never inlined: a function that has `__builtin_setjmp` must not jump itself.
  [[noreturn, gnu::noinline]] static void leave_for(stack_switch& other) noexcept {
    if (!other.begun_) ::setcontext(&other.posix_);
    __builtin_longjmp(other.words_.data(), 1);
  }

 private:
  std::array<void*, 5> words_{};  // what the builtins want
  bool begun_ = false;
#else
  void go_to(stack_switch& other) noexcept { ::swapcontext(&posix_, &other.posix_); }
  [[noreturn]] static void leave_for(stack_switch& other) noexcept {
    ::setcontext(&other.posix_);
    __builtin_unreachable();
  }

 private:
#endif
  ucontext_t posix_{};
};

}  // namespace cairn::detail

#undef CAIRN_STACKS_JUMP
