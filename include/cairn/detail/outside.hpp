// Asks from outside the system, and the answers that go back there.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "envelope.hpp"

namespace cairn::detail {

/// Called once, by any thread, with the answer. Where the code is not `ok` there is no value; the
/// envelope may then be null, or hold a text that says why.
using answer_handler = std::function<void(envelope_ptr answer, errc code)>;

/// Who outside waits for what. Any thread.
class outside_asks {
 public:
  struct added {
    std::uint64_t number = 0;  ///< 0: closed, and the handler has been told
    bool nearest = false;      ///< no deadline is before this one: the first worker must look again
  };

  [[nodiscard]] added add(std::chrono::nanoseconds deadline, answer_handler handler) {
    {
      const std::lock_guard lock{guard_};
      if (!closed_) {
        const std::uint64_t number = ++last_;
        waiting_.emplace(number, one{deadline, std::move(handler)});
        deadlines_.emplace(deadline, number);
        note_nearest();
        return {number, deadlines_.begin()->second == number};
      }
    }
    handler(nullptr, errc::stopped);
    return {};
  }

  void answer(envelope_ptr reply) {
    const auto found = take(reply->answer.number);
    if (!found) return;  // it has timed out; a second answer is dropped
    const errc code = reply->code;
    found(std::move(reply), code);
  }

  /// Ends the asks whose time is over.
  void expire(std::chrono::nanoseconds now) {
    const auto first = next_deadline();
    if (first.count() < 0 || first > now) return;
    std::vector<answer_handler> late;
    {
      const std::lock_guard lock{guard_};
      while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        late.push_back(take_locked(deadlines_.begin()->second));
      }
    }
    for (const auto& each : late) each(nullptr, errc::timeout);
  }

  /// The next deadline; negative: nobody waits.
  [[nodiscard]] std::chrono::nanoseconds next_deadline() const noexcept {
    // Relaxed: who brings a nearer one wakes the first worker, which orders it.
    return std::chrono::nanoseconds{nearest_.load(std::memory_order_relaxed)};
  }

  /// Ends all of them, and those that come later.
  void close(errc code) {
    std::unordered_map<std::uint64_t, one> left;
    {
      const std::lock_guard lock{guard_};
      closed_ = true;
      left.swap(waiting_);
      deadlines_.clear();
      note_nearest();
    }
    for (auto& [number, each] : left) each.handler(nullptr, code);
  }

  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock{guard_};
    return waiting_.size();
  }

 private:
  struct one {
    std::chrono::nanoseconds deadline{};
    answer_handler handler{};
  };

  [[nodiscard]] answer_handler take(std::uint64_t number) {
    const std::lock_guard lock{guard_};
    return take_locked(number);
  }
  [[nodiscard]] answer_handler take_locked(std::uint64_t number) {
    const auto found = waiting_.find(number);
    if (found == waiting_.end()) return {};
    answer_handler handler = std::move(found->second.handler);
    deadlines_.erase({found->second.deadline, number});
    waiting_.erase(found);
    note_nearest();
    return handler;
  }
  void note_nearest() noexcept {
    nearest_.store(deadlines_.empty() ? -1 : deadlines_.begin()->first.count(),
                   std::memory_order_relaxed);  // see next_deadline()
  }

  mutable std::mutex guard_;
  std::unordered_map<std::uint64_t, one> waiting_;
  std::set<std::pair<std::chrono::nanoseconds, std::uint64_t>> deadlines_;
  std::uint64_t last_ = 0;
  bool closed_ = false;
  std::atomic<std::int64_t> nearest_{-1};
};

}  // namespace cairn::detail
