// The places between which other threads may do something that matters. In production these are
// nothing; a simulation lets another thread go on there.
#pragma once

namespace cairn::detail {

struct pauser {
  virtual ~pauser() = default;
  /// Returns later. Nothing else of this thread happens meanwhile.
  virtual void pause() noexcept = 0;
};

/// Who simulates the thread, null in production.
inline constinit thread_local pauser* current_pauser = nullptr;

/// Precondition: no lock is held.
inline void pause_point() noexcept {
  if (current_pauser != nullptr) [[unlikely]] current_pauser->pause();
}

}  // namespace cairn::detail
