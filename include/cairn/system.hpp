// `cairn::system`: actors inside a service, on its threads or its Asio executor.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "memory_store.hpp"
#include "print_events.hpp"
#include "root.hpp"
#include "status.hpp"

namespace cairn {

/// How an orderly end came out.
struct ended {
  int code = 0;            ///< what the root task returned
  bool finished = false;   ///< it has returned; else it was destroyed where it stood
  bool committed = false;  ///< the last epoch is in the store
  std::string text{};      ///< why not
};

/// A running set of actors of the listed types.
///
/// Thread safety: any thread calls its members.
template <class Actors>
class system {
 public:
  /// Opens the store and restores what it holds; nothing runs yet.
  ///
  /// Errors: throws `cairn::error` that names what is wrong; the store is as it was.
  explicit system(options chosen = {}) {
    if (!chosen.store) chosen.store = memory_store{};
    if (!chosen.on_event) chosen.on_event = print_events{};
    if (const auto* printed = chosen.on_event.target<print_events>()) {
      chosen.least_event = std::max(chosen.least_event, printed->least);
    }
    detail::registry types;
    Actors::describe(types);
    deadline_ = detail::bounded(chosen.shutdown);
    program_ = std::make_unique<detail::program>(std::move(chosen), std::move(types));
    program_->on_failure([this] {
      const std::lock_guard lock{guard_};
      failed_ = true;
      changed_.notify_all();
    });
  }
  system(const system&) = delete;
  system& operator=(const system&) = delete;
  ~system() { program_.reset(); }

  /// Starts the workers and the root task.
  void start(application app) {
    program_->begin(std::move(app), [this](int code, std::exception_ptr why) {
      const std::lock_guard lock{guard_};
      code_ = code;
      thrown_ = std::move(why);
      done_ = true;
      changed_.notify_all();
    });
  }

  /// Asks the root task to end: `root.until_stopped()` goes on.
  void request_stop() noexcept {
    program_->request_stop();
    const std::lock_guard lock{guard_};
    if (!end_by_) end_by_ = std::chrono::steady_clock::now() + deadline_;
    changed_.notify_all();
  }

  /// Takes all persistent actors back to the latest committed snapshot, once no epoch is open, and
  /// begins the root task anew. What was sent from outside since then is delivered again. The event
  /// `rolled_back` says when it is done.
  void rollback() { program_->roll_back("it was asked for"); }

  /// Pauses all actors but the root task: turns that run end, and then nobody handles anything
  /// until `resume()`. Mail keeps arriving, timers that come due wait, epochs go on. Waits at most
  /// this long until it is so, by default not at all; the event `paused` says when it is. It does
  /// not outlast the process; `stop()` commits all as it stands.
  ///
  /// Returns: whether it is so. Thread safety: any thread; where it waits, not one that the system
  /// runs on.
  bool pause(std::chrono::nanoseconds limit = {}) {
    program_->pauses().request(true);
    return program_->pauses().wait(true, limit);
  }
  /// All actors go on. The event `continued` says when they do.
  void resume() { program_->pauses().request(false); }

  /// Waits until the root task has ended or the system cannot go on. Not on a thread that the
  /// system runs on.
  void wait() {
    std::unique_lock lock{guard_};
    changed_.wait(lock, [&] { return done_ || failed_; });
  }
  /// The same, but once a stop was requested at most half of `.shutdown` from then, and not at all
  /// for a root task that has begun and never asked whether it shall end.
  void wait_orderly() {
    std::unique_lock lock{guard_};
    while (!done_ && !failed_) {
      if (!end_by_) {
        changed_.wait(lock);
      } else if ((started_ && !program_->minds_stop()) ||
                 changed_.wait_until(lock, *end_by_ - deadline_ / 2) == std::cv_status::timeout) {
        return;
      }
    }
  }
  /// The same, at most this long. True: it has ended.
  bool wait_for(std::chrono::nanoseconds limit) {
    std::unique_lock lock{guard_};
    return changed_.wait_for(lock, detail::bounded(limit), [&] { return done_ || failed_; });
  }

  /// An orderly end: a last epoch, its outputs released, then every thread stopped.
  ///
  /// Errors: throws what the root task threw, or why the system could not go on. A system that does
  /// not run has nothing to commit: `text` says so.
  ended stop() {
    ended how;
    if (auto why = program_->failure()) {
      program_->halt();
      std::rethrow_exception(why);
    }
    if (program_->is_running()) {
      commit_last(how);
    } else {
      how.text = "the system does not run: it was not started, or it has ended";
    }
    program_->halt();
    if (auto why = program_->failure(); why && !how.committed) std::rethrow_exception(why);
    const std::lock_guard lock{guard_};
    if (thrown_) std::rethrow_exception(thrown_);
    how.finished = done_;
    how.code = code_;
    return how;
  }

  [[nodiscard]] bool restored() const noexcept { return program_->was_restored(); }
  [[nodiscard]] const detail::restored_counts& restored_counts() const noexcept {
    return program_->restored();
  }
  /// What the system is doing. Waits at most this long for workers that are in the middle of
  /// something, and names those that did not answer. Any thread that the system does not run on.
  [[nodiscard]] cairn::status status(std::chrono::nanoseconds limit = std::chrono::seconds{1}) {
    cairn::status found = program_->board().collect(limit);
    found.outside_asks = program_->asks().size();
    found.paused = program_->paused.load(std::memory_order_relaxed);  // a flag: see world
    return found;
  }
  /// Before the start: called once by a worker, when the root task's first turn has ended.
  void on_started(std::function<void()> call) {
    program_->on_started([this, call = std::move(call)] {
      {
        const std::lock_guard lock{guard_};
        started_ = true;
        changed_.notify_all();
      }
      if (call) call();
    });
  }
  /// For cairn itself.
  [[nodiscard]] detail::program& inner() noexcept { return *program_; }

 private:
  void commit_last(ended& how) {
    const auto now = std::chrono::steady_clock::now();
    const auto until = [&] {
      const std::lock_guard lock{guard_};
      return end_by_.value_or(now + deadline_);
    }();
    auto last = std::make_shared<std::optional<detail::epoch_end>>();
    // Handlers may take half of what is left to end, and no more: the epoch itself comes after.
    program_->request_last_epoch(
        [this, last](const detail::epoch_end& end) {
          const std::lock_guard lock{guard_};
          *last = end;
          changed_.notify_all();
        },
        (until - now) / 2);
    {
      std::unique_lock lock{guard_};
      changed_.wait_until(lock, until, [&] { return last->has_value() || failed_; });
      if (!last->has_value()) {
        if (failed_) return;  // stop() throws why
        how.text = "the last epoch did not end within the deadline";
        return;
      }
      how.committed = (*last)->committed;
      how.text = (*last)->text;
    }
    // Sinks publish what has just been committed; those that pause do it in the next process.
    while (program_->notices.load(std::memory_order_acquire) > 0) {  // a count: see world
      if (program_->paused.load(std::memory_order_relaxed)) return;  // a flag: see world
      std::unique_lock lock{guard_};
      changed_.wait_for(lock, std::chrono::milliseconds{1});
      if (failed_ || std::chrono::steady_clock::now() > until) return;
    }
  }

  std::unique_ptr<detail::program> program_;
  std::chrono::nanoseconds deadline_{};

  // Who waits here is a thread outside, and waits by the machine's time whatever clock the actors
  // were given.
  std::mutex guard_;  ///< of what follows
  std::condition_variable changed_;
  std::optional<std::chrono::steady_clock::time_point> end_by_;  ///< since a stop was requested
  bool started_ = false;
  bool done_ = false;
  bool failed_ = false;
  int code_ = 0;
  std::exception_ptr thrown_;
};

}  // namespace cairn
