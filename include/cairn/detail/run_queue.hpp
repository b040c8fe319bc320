// Work that may block, for seats of its own: `self.run`, and commands given from outside.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../scheduler.hpp"
#include "turn.hpp"

namespace cairn::detail {

/// Does the work; the reply holds what it returned, or why it did not.
[[nodiscard]] inline envelope_ptr result_of(const outside_run& work) {
  envelope_ptr reply;
  try {
    reply = work.work();
  } catch (...) {
    reply = make_envelope(work.name + ": " + text_of_caught());
    reply->code = errc::failed;
  }
  reply->kind = envelope_kind::reply;
  reply->answer.number = work.number;
  return reply;
}

/// Each seat does one piece at a time, first come first served. Any thread posts.
class run_queue {
 public:
  using work_function = std::function<void()>;

  /// `seats`: as `options::run_threads`.
  ///
  /// Errors: throws `errc::misuse` where that is no number of threads that anybody means.
  explicit run_queue(unsigned seats) {
    if (seats < 1 || seats > most_seats) {
      throw error{errc::misuse, "options::run_threads is a number from 1 to " +
                                    std::to_string(most_seats) + ", not " + std::to_string(seats)};
    }
    seats_.resize(seats);
  }

  void start(std::unique_ptr<scheduler> by) {
    by_ = std::move(by);
    by_->start(static_cast<unsigned>(seats_.size()), [this](unsigned seat) { return step(seat); });
  }

  /// Precondition: `start` has returned.
  void post(work_function work) {
    unsigned called = 0;
    {
      const std::lock_guard lock{guard_};
      if (stopping_) return;
      waiting_.push_back(std::move(work));
      // Who is not idle looks here again before it is.
      while (called < seats_.size() && seats_[called] != seat_state::idle) ++called;
      if (called == seats_.size()) return;
      seats_[called] = seat_state::called;
    }
    by_->wake(called);
  }

  /// Drops what has not begun. True: nothing is under way; else `call` is called when it has ended.
  [[nodiscard]] bool quiet(std::function<void()> call) {
    const std::lock_guard lock{guard_};
    waiting_.clear();
    if (under_way_ == 0) return true;
    call_ = std::move(call);
    return false;
  }

  /// Waits for the work that has begun; the rest is dropped.
  void stop() {
    {
      const std::lock_guard lock{guard_};
      stopping_ = true;
      waiting_.clear();
    }
    if (by_) by_->stop();
  }

 private:
  static constexpr unsigned most_seats = 1024;

  enum class seat_state : std::uint8_t { idle, called };

  step_outcome step(unsigned seat) {
    work_function work;
    {
      const std::lock_guard lock{guard_};
      if (waiting_.empty()) {
        seats_[seat] = seat_state::idle;
        return {};
      }
      seats_[seat] = seat_state::called;
      work = std::move(waiting_.front());
      waiting_.pop_front();
      ++under_way_;
    }
    work();
    std::function<void()> call;
    {
      const std::lock_guard lock{guard_};
      if (--under_way_ == 0) call = std::exchange(call_, nullptr);
    }
    if (call) call();
    return {.busy = true};
  }

  std::unique_ptr<scheduler> by_{};

  std::mutex guard_{};  ///< of what follows
  std::deque<work_function> waiting_{};
  std::vector<seat_state> seats_{};
  bool stopping_ = false;
  int under_way_ = 0;
  std::function<void()> call_{};
};

}  // namespace cairn::detail
