// What an orderly end waits for besides the last epoch: notices of commits, and what they led to.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace cairn::detail {

/// Counts as long as it lives. It lies in a notice while that waits, then in the handler that the
/// notice began, so that nothing which ends either of them needs to know of the count. A copy, such
/// as a log keeps, counts nothing.
class notice_token {
 public:
  notice_token() = default;
  explicit notice_token(std::atomic<std::int64_t>& counter) noexcept : counter_{&counter} {
    counter_->fetch_add(1, std::memory_order_relaxed);  // a count; the end reads it at rest
  }
  notice_token(const notice_token& /*counted*/) noexcept {}
  notice_token(notice_token&& other) noexcept : counter_{std::exchange(other.counter_, nullptr)} {}
  notice_token& operator=(notice_token other) noexcept {
    std::swap(counter_, other.counter_);
    return *this;
  }
  ~notice_token() {
    if (counter_ != nullptr) counter_->fetch_sub(1, std::memory_order_relaxed);  // as above
  }

  [[nodiscard]] explicit operator bool() const noexcept { return counter_ != nullptr; }

 private:
  std::atomic<std::int64_t>* counter_ = nullptr;
};

}  // namespace cairn::detail
