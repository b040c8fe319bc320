// A handler that has not ended: its coroutine's frame, with the type of its result erased.
#pragma once

#include <coroutine>
#include <utility>

namespace cairn::detail {

/// What the actors' rows offer to `co_await`. Anything else could not be recorded in a snapshot.
template <class T>
concept recordable_awaitable = requires { typename T::cairn_awaitable; };

/// Owns a suspended coroutine and all frames below it: they hang together by their tasks.
class coroutine_frame {
 public:
  coroutine_frame() = default;
  explicit coroutine_frame(std::coroutine_handle<> owned) noexcept : handle_{owned} {}
  coroutine_frame(coroutine_frame&& other) noexcept
      : handle_{std::exchange(other.handle_, nullptr)} {}
  coroutine_frame& operator=(coroutine_frame&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~coroutine_frame() { reset(); }

  void reset() noexcept {
    if (auto gone = std::exchange(handle_, nullptr)) gone.destroy();
  }
  [[nodiscard]] explicit operator bool() const noexcept { return handle_ != nullptr; }
  [[nodiscard]] bool done() const noexcept { return handle_.done(); }
  void resume() const { handle_.resume(); }

  /// The promise. Precondition: the frame is of a coroutine with this promise.
  template <class Promise>
  [[nodiscard]] Promise& promise() const noexcept {
    return std::coroutine_handle<Promise>::from_address(handle_.address()).promise();
  }

 private:
  std::coroutine_handle<> handle_{};
};

}  // namespace cairn::detail
