// Work that may block, for seats of its own: `self.run`, and commands given from outside.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../scheduler.hpp"
#include "turn.hpp"
#include "turn_note.hpp"

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
  /// Whose work it is, which of its awaits waits for it, and what it is called.
  struct label {
    address by{};
    std::uint64_t number = 0;
    std::string name{};
  };
  using reply_function = std::function<void(envelope_ptr)>;

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

  /// `notes`: where the first of its seats say what they are in; null, and the others: nowhere.
  void start(std::unique_ptr<scheduler> by, std::span<turn_note* const> notes) {
    notes_.assign(notes.begin(), notes.end());
    notes_.resize(seats_.size());
    by_ = std::move(by);
    by_->start(static_cast<unsigned>(seats_.size()), [this](unsigned at) { return step(at); });
  }

  /// Precondition: `start` has returned.
  void post(address by, outside_run work, reply_function deliver) {
    unsigned called = 0;
    {
      const std::lock_guard lock{guard_};
      if (stopping_) return;
      waiting_.push_back({by, std::move(work), std::move(deliver)});
      if (holding_) return;
      // Who is not idle looks here again before it is.
      while (called < seats_.size() && seats_[called].state != seat_state::idle) ++called;
      if (called == seats_.size()) return;
      seats_[called].state = seat_state::called;
    }
    by_->wake(called);
  }

  /// Nothing begins until `go_on`. True: nothing is under way; else `call` is called when it has
  /// ended.
  [[nodiscard]] bool hold(std::function<void()> call) {
    const std::lock_guard lock{guard_};
    holding_ = true;
    if (under_way_ == 0) return true;
    call_ = std::move(call);
    return false;
  }
  /// Drops what has not begun.
  void drop_waiting() { (void)take_waiting(); }
  void go_on() {
    std::vector<unsigned> called;
    {
      const std::lock_guard lock{guard_};
      holding_ = false;
      call_ = nullptr;
      for (unsigned at = 0; at < seats_.size() && called.size() < waiting_.size(); ++at) {
        if (seats_[at].state != seat_state::idle) continue;
        seats_[at].state = seat_state::called;
        called.push_back(at);
      }
    }
    for (const unsigned each : called) by_->wake(each);
  }
  [[nodiscard]] std::vector<label> under_way() {
    const std::lock_guard lock{guard_};
    std::vector<label> found;
    for (const seat& each : seats_) {
      if (each.doing.by.where != nullptr) found.push_back(each.doing);
    }
    return found;
  }

  /// Waits for the work that has begun; the rest is dropped.
  void stop() {
    {
      const std::lock_guard lock{guard_};
      stopping_ = true;
    }
    drop_waiting();
    if (by_) by_->stop();
  }

 private:
  static constexpr unsigned most_seats = 1024;

  enum class seat_state : std::uint8_t { idle, called };

  struct seat {
    seat_state state = seat_state::idle;
    label doing{};  ///< nobody's: nothing
  };
  struct piece {
    address by{};
    outside_run work{};
    reply_function deliver{};
  };

  /// What is taken goes without the guard: what the functions own may post, or ask for a rollback,
  /// when it goes.
  [[nodiscard]] std::deque<piece> take_waiting() {
    const std::lock_guard lock{guard_};
    return std::exchange(waiting_, {});
  }

  static void carry_out(const piece& what) {
    envelope_ptr reply = result_of(what.work);
    reply->to = what.by.where;
    reply->target = what.by.id;
    what.deliver(std::move(reply));
  }

  step_outcome step(unsigned number) {
    piece what;
    seat& own = seats_[number];
    {
      const std::lock_guard lock{guard_};
      if (holding_ || waiting_.empty()) {
        own.state = seat_state::idle;
        return {};
      }
      own.state = seat_state::called;
      what = std::move(waiting_.front());
      waiting_.pop_front();
      own.doing = {what.by, what.work.number, what.work.name};
      ++under_way_;
    }
    turn_note* note = notes_[number];
    if (note != nullptr) note->say(own.doing.by.id, position{own.doing.number}, in_run);
    carry_out(what);
    if (note != nullptr) note->rest();
    what = {};  // what the function owns goes before anybody hears that it has ended
    std::function<void()> call;
    {
      const std::lock_guard lock{guard_};
      own.doing = {};
      if (--under_way_ == 0) call = std::exchange(call_, nullptr);
    }
    if (call) call();
    return {.busy = true};
  }

  std::unique_ptr<scheduler> by_{};
  std::vector<turn_note*> notes_{};  ///< by seat

  std::mutex guard_{};  ///< of what follows
  std::deque<piece> waiting_{};
  std::vector<seat> seats_{};
  bool stopping_ = false;
  bool holding_ = false;
  int under_way_ = 0;
  std::function<void()> call_{};
};

}  // namespace cairn::detail
