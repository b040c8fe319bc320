// What a thread says to its processor while it waits in a loop.
#pragma once

namespace cairn::detail {

/// Leaves more of the core to others for an instant, and less to be undone when the loop ends.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");  // `yield` is over at once on most of them
#endif
}

}  // namespace cairn::detail
