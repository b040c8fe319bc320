// Asking actors from outside: any thread, any Asio completion token.
#pragma once

#include <chrono>
#include <concepts>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/system_executor.hpp>

#include "detail/engine.hpp"
#include "ref.hpp"

namespace cairn {

/// When an answer leaves the system.
enum class answered : std::uint8_t {
  at_once,    ///< with the turn that gives it; a crash may lose that turn
  committed,  ///< with the commit of that turn's epoch: what was answered is never lost
};
inline constexpr answered committed = answered::committed;

/// How an ask from outside waits.
struct outside_ask {
  answered when = answered::at_once;
  std::chrono::nanoseconds timeout{};  ///< 0: the system's default
};

namespace detail {

/// What a completion handler is called with: the failure or null, and the value where there is one.
template <class R>
struct completion_of {
  using type = void(std::exception_ptr, R);
};
template <>
struct completion_of<void> {
  using type = void(std::exception_ptr);
};

/// The executor of handlers that have none: the system's, where it was given one.
[[nodiscard]] inline asio::any_io_executor default_executor(const engine& of) {
  if (of.chosen().executor) return of.chosen().executor;
  return asio::system_executor{};
}

[[nodiscard]] inline std::exception_ptr why_not(std::string_view what, const envelope* reply,
                                                errc code) {
  std::string text = "ask of " + std::string{what} + ": " + std::string{to_string(code)};
  if (reply != nullptr && reply->ops == &ops_of<std::string>) {
    text += ": " + *static_cast<const std::string*>(reply->payload());
  }
  return std::make_exception_ptr(ask_error{code, text});
}

/// A handler, kept until the answer is there. Its executor has work until then.
template <class R, class Handler>
class pending {
 public:
  pending(Handler handler, const asio::any_io_executor& other)
      : work_{asio::make_work_guard(handler, other)}, handler_{std::move(handler)} {}

  /// Once. The handler runs on its executor, never within this call.
  void finish(envelope_ptr reply, std::exception_ptr why) {
    const auto where = work_.get_executor();
    asio::post(where, [handler = std::move(handler_), reply = std::move(reply),
                       why = std::move(why)]() mutable {
      if constexpr (std::is_void_v<R>) {
        std::move(handler)(std::move(why));
      } else if (why) {
        std::move(handler)(std::move(why), R{});
      } else if (reply->ops != &ops_of<R>) {  // the ref was from forged bytes
        const error wrong{errc::damaged, "an answer of another type than was asked for"};
        std::move(handler)(std::make_exception_ptr(wrong), R{});
      } else {
        R value = std::move(*static_cast<R*>(reply->payload()));
        reply.reset();
        std::move(handler)(std::exception_ptr{}, std::move(value));
      }
    });
    work_.reset();
  }

 private:
  using executor = typename asio::associated_executor<Handler, asio::any_io_executor>::type;

  asio::executor_work_guard<executor> work_;
  Handler handler_;
};

/// Sends `message`, and tells `handler` the answer or that there is none.
inline void ask_from_outside(engine& of, envelope_ptr message, const address& to,
                             const outside_ask& how, answer_handler handler) {
  const auto limit = how.timeout.count() > 0 ? how.timeout : of.ask_timeout();
  const auto asked = of.asks().add(due_after(of.steady_now(), limit), std::move(handler));
  if (asked.number == 0) return;
  message->answer = {nullptr, {}, asked.number, how.when == answered::committed};
  message->to = to.where;
  message->target = to.id;
  of.send_from_outside(std::move(message));
  if (asked.nearest) of.wake(*of.workers.front());
}

[[nodiscard]] inline engine& engine_outside(const address& to) {
  require(to);
  if (current_turn != nullptr) {
    throw error{errc::misuse, "a handler asks with ref.ask, not with cairn::async_ask"};
  }
  return static_cast<engine&>(*to.where->owner);  // the only runtime that there is
}

template <class R>
struct start_async_ask {
  template <class Handler>
  void operator()(Handler&& handler, engine* of, envelope_ptr message, address to, outside_ask how,
                  std::string_view what) const {
    using waits = pending<R, std::decay_t<Handler>>;
    auto kept = std::make_shared<waits>(std::forward<Handler>(handler), default_executor(*of));
    ask_from_outside(*of, std::move(message), to, how, [kept, what](envelope_ptr reply, errc code) {
      std::exception_ptr why;
      if (code != errc::ok) why = why_not(what, reply.get(), code);
      kept->finish(std::move(reply), std::move(why));
    });
  }
};

/// Asks for room, and sends when there is some.
struct start_async_send {
  template <class Handler>
  void operator()(Handler&& handler, engine* of, envelope_ptr message, address to,
                  outside_ask how) const {
    struct waits : pending<void, std::decay_t<Handler>> {
      using pending<void, std::decay_t<Handler>>::pending;
      envelope_ptr message{};
    };
    auto kept = std::make_shared<waits>(std::forward<Handler>(handler), default_executor(*of));
    kept->message = std::move(message);
    ask_from_outside(*of, room_request(), to, how, [kept, of, to](envelope_ptr reply, errc code) {
      std::exception_ptr why;
      if (code != errc::ok) {
        why = why_not("room", reply.get(), code);
      } else {
        kept->message->reserved = true;
        kept->message->to = to.where;
        kept->message->target = to.id;
        of->send_from_outside(std::move(kept->message));
      }
      kept->finish(nullptr, std::move(why));
    });
  }
};

}  // namespace detail

/// Asks an actor from outside. The token says how the answer comes: `asio::use_awaitable`,
/// `asio::use_future`, a function of `(std::exception_ptr, R)`, or of `(std::exception_ptr)` where
/// the handler returns nothing.
///
/// Preconditions: the message is built here, in place; not called by a handler. Effects: the
/// completion runs on the token's associated executor, else on the system's `.executor`, else on
/// Asio's system executor. Errors: `cairn::ask_error` with the code timeout, stopped (also where
/// the system ends first), failed or mailbox_full. Thread safety: any thread.
template <class M, class A, class Token, class... Args>
auto async_ask(const ref<A>& to, outside_ask how, Token&& token, Args&&... args) {
  using R = reply_of<A, M>;
  detail::engine& of = detail::engine_outside(to.where());
  return asio::async_initiate<Token, typename detail::completion_of<R>::type>(
      detail::start_async_ask<R>{}, token, &of,
      detail::build_message<M, typename A::protocol>(std::forward<Args>(args)...), to.where(), how,
      std::string_view{type_name<M>});
}
template <class M, class A, class Token, class... Args>
  requires(!std::same_as<std::remove_cvref_t<Token>, outside_ask>)
auto async_ask(const ref<A>& to, Token&& token, Args&&... args) {
  return async_ask<M>(to, outside_ask{}, std::forward<Token>(token), std::forward<Args>(args)...);
}

/// Sends a message from outside once the actor's mailbox has room, and completes then: with
/// nothing, or with the `ask_error` that says why it was not sent (timeout, stopped, failed). The
/// order among several that wait is theirs; with a `tell` of the same thread there is none.
///
/// Preconditions and thread safety as for `async_ask`.
template <class M, class A, class Token, class... Args>
auto async_send(const ref<A>& to, outside_ask how, Token&& token, Args&&... args) {
  detail::engine& of = detail::engine_outside(to.where());
  return asio::async_initiate<Token, void(std::exception_ptr)>(
      detail::start_async_send{}, token, &of,
      detail::build_message<M, typename A::protocol>(std::forward<Args>(args)...), to.where(), how);
}
template <class M, class A, class Token, class... Args>
  requires(!std::same_as<std::remove_cvref_t<Token>, outside_ask>)
auto async_send(const ref<A>& to, Token&& token, Args&&... args) {
  return async_send<M>(to, outside_ask{}, std::forward<Token>(token), std::forward<Args>(args)...);
}

}  // namespace cairn
