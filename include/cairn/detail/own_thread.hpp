// A thread of the system's own that waits by itself, and how it waits where a simulation plays it.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "pausing.hpp"

namespace cairn::detail {

/// Waits on `changed` until `done()`, which is called under the lock.
template <class Done>
void wait_for_change(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                     Done done) {
  if (current_pauser == nullptr) [[likely]] {
    changed.wait(lock, done);
    return;
  }
  lock.unlock();
  current_pauser->wait([&] {
    const std::lock_guard again{*lock.mutex()};
    return done();
  });
  lock.lock();
}

/// A thread that no scheduler steps, such as a journal's. A simulation plays it like the others.
class own_thread {
 public:
  void start(std::function<void()> body) {
    if (current_pauser != nullptr) [[unlikely]]
      played_ = current_pauser->play(body);
    if (!played_) real_ = std::thread{std::move(body)};
  }
  [[nodiscard]] bool started() const noexcept { return played_ != nullptr || real_.joinable(); }
  void join() {
    played_.reset();
    if (real_.joinable()) real_.join();
  }

 private:
  std::thread real_{};
  std::unique_ptr<pauser::thread> played_{};
};

}  // namespace cairn::detail
