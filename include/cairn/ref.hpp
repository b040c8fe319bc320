// `ref<A>`: the door to an actor.
#pragma once

#include <compare>
#include <concepts>
#include <functional>
#include <string>
#include <utility>

#include "detail/asking.hpp"
#include "detail/control.hpp"
#include "detail/telling.hpp"
#include "message.hpp"
#include "type_name.hpp"

namespace cairn {

namespace detail {

template <class M, class P, class... Args>
consteval void check_message() {
  static_assert(in_protocol<M, P>, "the actor's protocol does not list this message");
  static_assert(buildable_from<M, Args...>, "the message cannot be built from these arguments");
  static_assert((safe_argument<Args> && ...),
                "build the message in place: tell<M>(args...), ask<M>(args...)");
}

/// Set before `main`: a type that the program does not list any more may still be sent by what it
/// replays.
template <class M>
inline const bool is_sent = (ops_of<M>.sent_as = origin_hash<M>, true);

/// Its place in the protocol, and in the table of its actor's handlers.
template <class M, class P>
inline constexpr auto index_in = static_cast<std::uint16_t>(index_of<M, P>);

template <class M, class P, class... Args>
[[nodiscard, gnu::always_inline]] inline envelope_ptr build_message_to(const address& to,
                                                                       Args&&... args) {
  check_message<M, P, Args...>();
  (void)&is_sent<M>;
  return build_envelope<M>(
      [&](void* where) { construct_message<M>(where, std::forward<Args>(args)...); }, to.where,
      to.id, index_in<M, P>);
}
template <class M, class P, class... Args>
[[nodiscard]] envelope_ptr build_message(Args&&... args) {
  return build_message_to<M, P>({}, std::forward<Args>(args)...);
}

[[noreturn, gnu::noinline]] inline void throw_empty() {
  throw error{errc::misuse, "a message to an empty ref"};
}
[[gnu::always_inline]] inline void require(const address& to) {
  if (to.where == nullptr) [[unlikely]]
    throw_empty();
}

[[gnu::noinline]] inline void dispatch_from_outside(envelope_ptr message) {
  runtime& system = *message->to->owner;
  system.send_from_outside(std::move(message));
}

/// Within a turn the message leaves when the turn ends, else at once. Precondition: it says for
/// whom it is.
[[gnu::always_inline]] inline void dispatch(envelope_ptr message) {
  if (turn* here = current_turn) [[likely]] {
    here->outbox.push_back(std::move(message));
  } else {
    dispatch_from_outside(std::move(message));
  }
}
inline void dispatch(envelope_ptr message, const address& to) {
  require(to);
  message->to = to.where;
  message->target = to.id;
  dispatch(std::move(message));
}

/// Opens a slot, sends `message` with this actor as the asker, and arms the timeout.
[[nodiscard]] inline awaited_slot start_ask(envelope_ptr message, const address& to,
                                            std::string_view what) {
  require(to);
  turn& here = turn_here("ask (use cairn::async_ask outside of actors)");
  if (to == here.self->self()) throw error{errc::misuse, "an actor asks itself"};
  const std::uint64_t number = open_slot(here, to, what);
  message->answer = {here.self, here.self->self().id, number, false};
  here.send(std::move(message), to);
  here.limit_ask(number, here.system->ask_timeout());
  return {here.self, number};
}

}  // namespace detail

/// Waits for room in the receiver's mailbox; the message leaves with the turn that goes on then.
/// Throws `ask_error` like an ask does.
class [[nodiscard]] sending {
 public:
  using cairn_awaitable = void;

  sending(detail::envelope_ptr message, detail::address to, detail::awaited_slot room) noexcept
      : message_{std::move(message)}, to_{to}, room_{std::move(room)} {}

  [[nodiscard]] bool await_ready() const { return room_.arrived(); }
  void await_suspend(std::coroutine_handle<> waiter) const { room_.wait(waiter); }
  void await_resume() {
    (void)room_.take<detail::unit>();
    message_->reserved = true;
    detail::dispatch(std::move(message_), to_);
  }

 private:
  detail::envelope_ptr message_;
  detail::address to_;
  detail::awaited_slot room_;
};

/// Names a logical actor, not one of its incarnations: valid over restarts and, inside state and
/// messages, over the process's restarts. Two words, trivially copyable, compares by identity.
///
/// Thread safety: any thread may send through any copy while the system lives.
template <class A>
class ref {
 public:
  ref() = default;
  /// For cairn itself.
  explicit ref(detail::address to) noexcept : to_{to} {}

  /// Sends a message that is built in place, and waits for nothing.
  ///
  /// Effects: leaves with the turn. If the actor is stopped, or its mailbox is full, the message
  /// becomes a dead letter.
  template <class M, class... Args>
  void tell(Args&&... args) const {
    using protocol = typename A::protocol;
    detail::check_message<M, protocol, Args...>();
    detail::require(to_);
    if constexpr (detail::fits_row<M, Args...> && in_protocol<M, protocol>) {
      if (detail::envelope* row = detail::row_for<M>(to_, detail::index_in<M, protocol>)) {
        return detail::build_in_row<M>(*row, std::forward<Args>(args)...);
      }
    }
    detail::dispatch(detail::build_message_to<M, protocol>(to_, std::forward<Args>(args)...));
  }

  /// Sends a message and gives what `co_await` waits for: the handler's return value.
  ///
  /// Preconditions: called by a handler. Outside: `cairn::async_ask`.
  template <class M, class... Args>
  [[nodiscard]] auto ask(Args&&... args) const {
    auto message = detail::build_message<M, typename A::protocol>(std::forward<Args>(args)...);
    return asking<reply_of<A, M>>{detail::start_ask(std::move(message), to_, type_name<M>)};
  }

  /// Like tell, but first waits for room in the mailbox. `co_await` it.
  template <class M, class... Args>
  [[nodiscard]] sending send(Args&&... args) const {
    auto message = detail::build_message<M, typename A::protocol>(std::forward<Args>(args)...);
    return {std::move(message), to_, detail::start_ask(detail::room_request(), to_, "room")};
  }

  /// Retires the actor and its state after the messages that it was sent before.
  void stop(std::string reason = "stopped") const {
    detail::dispatch(detail::make_control(detail::control::stop, {}, std::move(reason)), to_);
  }

  [[nodiscard]] actor_id id() const noexcept { return to_.id; }
  [[nodiscard]] explicit operator bool() const noexcept { return to_.where != nullptr; }
  friend bool operator==(const ref& a, const ref& b) noexcept { return a.to_.id == b.to_.id; }
  friend auto operator<=>(const ref& a, const ref& b) noexcept { return a.to_.id <=> b.to_.id; }

  void save(auto& archive) const { detail::save_address(archive, to_); }
  void load(auto& archive) { detail::load_address(archive, to_); }

  /// For cairn itself.
  [[nodiscard]] const detail::address& where() const noexcept { return to_; }

 private:
  detail::address to_{};
};

}  // namespace cairn

template <class A>
struct std::hash<cairn::ref<A>> {
  std::size_t operator()(const cairn::ref<A>& of) const noexcept {
    return std::hash<std::uint64_t>{}(cairn::raw(of.id()));
  }
};
