// What is awaited: the answer to an ask, the end of a sleep, the result of a run, room in a
// mailbox.
#pragma once

#include <chrono>
#include <coroutine>
#include <string>
#include <type_traits>
#include <utility>

#include "../error.hpp"
#include "turn.hpp"
#include "unreadable.hpp"

namespace cairn::detail {

/// The answer of a handler that returns nothing.
struct unit {
  friend bool operator==(unit, unit) = default;
};

template <class R>
using stored_reply = std::conditional_t<std::is_void_v<R>, unit, R>;

/// A reason that a snapshot gave back: a handler may keep what the error says, so it says the same.
[[nodiscard]] inline std::string encoded_reason(const buffer& bytes) {
  if (bytes.empty() || ops_of<std::string>.decode == nullptr) return {};  // a timeout has none
  std::string reason;
  std::destroy_at(&reason);
  try {
    ops_of<std::string>.decode(&reason, bytes.view(), 0);
  } catch (...) {
    std::construct_at(&reason);
    throw;
  }
  return ": " + reason;
}

[[noreturn]] inline void throw_ask_error(const slot& failed) {
  std::string text = "ask";
  if (!failed.what.empty()) text += " of " + std::string{failed.what};
  if (failed.from.id != actor_id{}) text += " to actor " + std::to_string(raw(failed.from.id));
  text += ": " + std::string{to_string(failed.code)};
  if (failed.value && failed.value->ops == &ops_of<std::string>) {
    text += ": " + *static_cast<const std::string*>(failed.value->payload());
  } else if (failed.value && failed.value->ops == &ops_of<encoded_value>) {
    text += encoded_reason(static_cast<const encoded_value*>(failed.value->payload())->bytes);
  }
  throw ask_error{failed.code, text};
}

/// Moves the value out of an arrived answer, decoding it where a snapshot gave it back as bytes.
template <class T>
[[nodiscard]] T take_value(const cell& one, slot& arrived) {
  if (arrived.code != errc::ok) throw_ask_error(arrived);
  if constexpr (std::is_same_v<T, unit>) {
    return {};
  } else {
    check(arrived.value != nullptr, "an answer without a value");
    if (arrived.value->ops == &ops_of<encoded_value>) {
      union room {
        room() {}
        ~room() {}
        T value;
      } made;
      const auto* bytes = static_cast<const encoded_value*>(arrived.value->payload());
      check(ops_of<T>.decode != nullptr, "an answer of a type that is not registered");
      decode_kept(one, [&] { ops_of<T>.decode(&made.value, bytes->bytes.view(), bytes->schema); });
      T value = std::move(made.value);
      std::destroy_at(&made.value);
      return value;
    }
    if (arrived.value->ops != &ops_of<T>) {  // to a return address from forged bytes
      throw error{errc::damaged, "an answer of another type than was asked for"};
    }
    return std::move(*static_cast<T*>(arrived.value->payload()));
  }
}

/// Owns the place where one answer is awaited. Belongs to the actor that opened it.
class awaited_slot {
 public:
  awaited_slot(cell* self, std::uint64_t number) noexcept : self_{self}, number_{number} {}
  awaited_slot(awaited_slot&& other) noexcept
      : self_{other.self_}, number_{std::exchange(other.number_, 0)} {}
  awaited_slot& operator=(awaited_slot&&) = delete;
  ~awaited_slot() { forget(); }

  [[nodiscard]] bool arrived() const {
    check_owner();
    const slot* found = self_->find_slot(number_);
    return found == nullptr || found->arrived;
  }
  void wait(std::coroutine_handle<> waiter) const {
    slot& awaited = *self_->find_slot(number_);
    awaited.waiter = waiter;
    // Relaxed: a hint for who traces a timeout.
    self_->awaits.store(awaited.from.where != nullptr ? awaited.from.where->slot_index : 0,
                        std::memory_order_relaxed);
  }

  /// Takes the answer. Throws `ask_error` where there is none.
  template <class T>
  [[nodiscard]] T take() {
    check_owner();
    slot* found = self_->find_slot(number_);
    if (found == nullptr) throw error{errc::misuse, "an answer is awaited twice"};
    const forgotten at_end{*this};
    return take_value<T>(*self_, *found);
  }

  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }

 private:
  /// The answer has been taken, or thrown: its place goes.
  struct forgotten {
    awaited_slot& of;
    ~forgotten() { of.self_->forget_slot(std::exchange(of.number_, 0)); }
  };

  void check_owner() const {
    if (current_turn == nullptr || current_turn->self != self_) {
      throw error{errc::misuse, "an answer is awaited by another actor than the one that asked"};
    }
  }
  void forget() noexcept {
    if (number_ == 0) return;
    // An answer to it will be dropped. Another actor, whose frame this was moved into by mistake,
    // may not touch the slot: its owner may be at work.
    if (current_turn != nullptr && current_turn->self == self_) self_->forget_slot(number_);
  }

  cell* self_;
  std::uint64_t number_;
};

}  // namespace cairn::detail

namespace cairn {

/// An answer on its way that `co_await` gives as a `result`.
template <class R>
class [[nodiscard]] asking_result {
 public:
  using cairn_awaitable = void;

  explicit asking_result(detail::awaited_slot slot) noexcept : slot_{std::move(slot)} {}

  [[nodiscard]] bool await_ready() const { return slot_.arrived(); }
  void await_suspend(std::coroutine_handle<> waiter) const { slot_.wait(waiter); }
  result<R> await_resume() {
    try {
      if constexpr (std::is_void_v<R>) {
        (void)slot_.take<detail::unit>();
        return {};
      } else {
        return slot_.take<R>();
      }
    } catch (const ask_error& why) {
      return failure{why.code(), why.what()};
    }
  }

 private:
  detail::awaited_slot slot_;
};

/// An answer on its way. It was asked for when this was made; several may be under way at once.
///
/// `co_await` gives the answer, or throws `cairn::ask_error` with the code timeout, stopped,
/// failed, interrupted or mailbox_full. `co_await std::move(it).as_result()` gives a `result`.
/// Preconditions: awaited at most once, by the actor that asked.
template <class R>
class [[nodiscard]] asking {
 public:
  using cairn_awaitable = void;

  explicit asking(detail::awaited_slot slot) noexcept : slot_{std::move(slot)} {}

  /// Waits at most this long instead of the system's default. In the turn that asks only.
  asking&& within(std::chrono::nanoseconds limit) && {
    for (auto& timer : detail::turn_here("within()").timers()) {
      if (timer.number == slot_.number()) timer.delay = limit;
    }
    return std::move(*this);
  }

  [[nodiscard]] bool await_ready() const { return slot_.arrived(); }
  void await_suspend(std::coroutine_handle<> waiter) const { slot_.wait(waiter); }
  R await_resume() { return static_cast<R>(slot_.take<detail::stored_reply<R>>()); }

  /// The same without exceptions.
  [[nodiscard]] asking_result<R> as_result() && noexcept {
    return asking_result<R>{std::move(slot_)};
  }

 private:
  detail::awaited_slot slot_;
};

}  // namespace cairn
