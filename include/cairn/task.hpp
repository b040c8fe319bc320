// `task<T>`: what a handler returns that may suspend.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "detail/frame.hpp"
#include "detail/room_pool.hpp"
#include "error.hpp"

namespace cairn {

template <class T>
class task;

namespace detail {

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<task<T>> = true;

/// What every promise has: who goes on when this coroutine ends, and what it threw.
struct promise_base {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr thrown{};

  // Of the frames.
  [[nodiscard]] static void* operator new(std::size_t size) { return take_room(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { give_room(frame, size); }

  struct to_continuation {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
      return ended.promise().continuation;
    }
    void await_resume() const noexcept {}
  };

  [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
  [[nodiscard]] to_continuation final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { thrown = std::current_exception(); }

  template <class Awaited>
  Awaited&& await_transform(Awaited&& awaited) const noexcept {
    using bare = std::remove_cvref_t<Awaited>;
    static_assert(is_task<bare> || recordable_awaitable<bare>,
                  "a handler awaits what cairn can record: an ask, a task, self.sleep(...) or "
                  "self.run(...); any other asynchronous operation goes through "
                  "self.run(\"name\", fn, args...)");
    return std::forward<Awaited>(awaited);
  }

 protected:
  void rethrow() {
    if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
  }
};

template <class T>
struct task_promise : promise_base {
  std::optional<T> value{};

  [[nodiscard]] task<T> get_return_object() noexcept;
  template <class U = T>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& returned) {
    value.emplace(std::forward<U>(returned));
  }
  /// What the coroutine returned. Throws what it threw.
  [[nodiscard]] T take() {
    rethrow();
    check(value.has_value(), "a task ended without a value");
    return std::move(*value);
  }
};

template <>
struct task_promise<void> : promise_base {
  [[nodiscard]] task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() { rethrow(); }
};

}  // namespace detail

/// A coroutine that starts when it is awaited, and gives its result to who awaited it. A handler
/// that returns one may suspend; its actor handles nothing else until it ends.
///
/// Preconditions: awaited at most once. Parameters are taken by value: a reference may dangle at
/// the first suspension. Never a capturing lambda: the closure dies before the frame does.
/// Thread safety: belongs to the actor whose handler it runs in.
template <class T = void>
class [[nodiscard]] task {
 public:
  using promise_type = detail::task_promise<T>;
  using value_type = T;

  task(task&&) noexcept = default;
  task& operator=(task&&) noexcept = default;

  auto operator co_await() && noexcept {
    struct awaiter {
      detail::coroutine_frame& callee;

      [[nodiscard]] bool await_ready() const {
        if (callee && !callee.done()) return false;
        throw error{errc::misuse, "a task is awaited twice, or after it was moved away"};
      }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) const noexcept {
        auto& promise = callee.promise<promise_type>();
        promise.continuation = caller;
        return std::coroutine_handle<promise_type>::from_promise(promise);
      }
      T await_resume() const { return callee.promise<promise_type>().take(); }
    };
    return awaiter{frame_};
  }

  /// For who drives the outermost coroutine.
  [[nodiscard]] detail::coroutine_frame release() && noexcept { return std::move(frame_); }

 private:
  friend promise_type;
  explicit task(std::coroutine_handle<promise_type> handle) noexcept : frame_{handle} {}

  detail::coroutine_frame frame_;
};

namespace detail {

template <class T>
task<T> task_promise<T>::get_return_object() noexcept {
  return task<T>{std::coroutine_handle<task_promise>::from_promise(*this)};
}
inline task<void> task_promise<void>::get_return_object() noexcept {
  return task<void>{std::coroutine_handle<task_promise>::from_promise(*this)};
}

}  // namespace detail
}  // namespace cairn
