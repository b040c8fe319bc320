// The places between which other threads may do something that matters. In production these are
// nothing; a simulation lets another thread go on there, a probe decides who goes on.
#pragma once

#include <functional>
#include <memory>

namespace cairn::detail {

struct cell;
struct envelope;
struct runtime;

struct pauser {
  /// One that is played. Destroyed, it first goes on to its end.
  struct thread {
    thread() = default;
    thread(const thread&) = delete;
    thread& operator=(const thread&) = delete;
    virtual ~thread() = default;
  };

  virtual ~pauser() = default;
  /// Returns later. Nothing else of this thread happens meanwhile.
  virtual void pause() noexcept = 0;
  /// The same, before an actor's next turn. False: it goes on when it is made ready again.
  virtual bool may_go_on(cell& /*next*/) noexcept {
    pause();
    return true;
  }
  /// Whether it looks at what waits in mailboxes while the system takes its steps.
  [[nodiscard]] virtual bool reads_mail() const noexcept { return false; }
  /// Plays one thread more. Null: it shall be a real one.
  [[nodiscard]] virtual std::unique_ptr<thread> play(const std::function<void()>& /*body*/) {
    return nullptr;
  }
  /// By a thread that is played: returns once `done()` holds.
  virtual void wait(const std::function<bool()>& /*done*/) {}
  /// A thread outside sends. True: the message is the pauser's, which sends it later.
  virtual bool takes_from_outside(runtime& /*to*/, envelope* /*message*/) { return false; }
  /// A path of the code that runs seldom has been reached.
  virtual void reached(const char* what) noexcept = 0;
};

/// Who simulates the thread, null in production.
inline constinit thread_local pauser* current_pauser = nullptr;

/// Precondition: no lock is held.
inline void pause_point() noexcept {
  if (current_pauser != nullptr) [[unlikely]]
    current_pauser->pause();
}

/// The same before an actor's next turn. False: it shall not have one now.
[[nodiscard]] inline bool pause_before(cell& next) noexcept {
  if (current_pauser != nullptr) [[unlikely]]
    return current_pauser->may_go_on(next);
  return true;
}

/// Whether what comes is to stand in mailboxes at once, each message by itself.
[[nodiscard]] inline bool mail_is_read() noexcept {
  return current_pauser != nullptr && current_pauser->reads_mail();
}

/// Whether a message from outside comes later, or again, as a simulation has it.
[[nodiscard]] inline bool is_taken_from_outside(runtime& to, envelope* message) {
  if (current_pauser != nullptr) [[unlikely]]
    return current_pauser->takes_from_outside(to, message);
  return false;
}

/// Marks a path that a simulation must have reached at some time, or it proves nothing about it.
inline void sometimes(const char* what) noexcept {
  if (current_pauser != nullptr) [[unlikely]]
    current_pauser->reached(what);
}

}  // namespace cairn::detail
