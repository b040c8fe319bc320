// Messages, the protocol that an actor declares, and the handlers that must match it.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fwd.hpp"
#include "type_name.hpp"

namespace cairn {

/// What can be sent: an object that can be moved. It travels by value.
template <class M>
concept message =
    std::is_object_v<M> && std::same_as<M, std::remove_cv_t<M>> && std::move_constructible<M>;

namespace detail {

template <class M, class... Ms>
inline constexpr std::size_t times_listed =
    (std::size_t{0} + ... + std::size_t{std::is_same_v<M, Ms>});

template <class M, class P>
inline constexpr bool contains = false;
template <class M, class... Ms>
inline constexpr bool contains<M, protocol<Ms...>> = times_listed<M, Ms...> != 0;

}  // namespace detail

/// The messages that an actor handles: `using protocol = cairn::protocol<deposit, balance>;`.
/// Messages may be incomplete here; `cairn::actors<…>` checks each one and its handler.
template <class... Messages>
struct protocol {
  static_assert(((detail::times_listed<Messages, Messages...> == 1) && ...),
                "a protocol lists each message once");
  static_assert(
      ((std::is_object_v<Messages> && std::is_same_v<Messages, std::remove_cv_t<Messages>>) && ...),
      "a protocol lists object types, without const, volatile or &");

  static constexpr std::size_t size = sizeof...(Messages);
};

/// An actor that takes `P` may be sent an `M`.
template <class M, class P>
concept in_protocol = detail::contains<M, P>;

namespace detail {

template <class P>
inline constexpr std::size_t protocol_size = P::size;

template <class M, class P>
inline constexpr std::size_t index_of = protocol_size<P>;  // not listed
template <class M, class... Ms>
inline constexpr std::size_t index_of<M, protocol<Ms...>> = [] {
  std::size_t at = 0;
  (void)((std::is_same_v<M, Ms> || (++at, false)) || ...);
  return at;
}();

/// Calls `each.template operator()<M>()` for every message, in the order listed.
template <class... Ms>
constexpr void for_each(protocol<Ms...>, auto&& each) {
  (each.template operator()<Ms>(), ...);
}

template <class M, class... Args>
concept braces_build = requires { M{std::declval<Args>()...}; };

/// An `M` can be built from `Args`. For aggregates an integer may change its type, so that
/// `tell<deposit>(100)` works for every integer field, but a fraction is never cut off in silence.
template <class M, class... Args>
concept buildable_from = std::is_constructible_v<M, Args...> &&
                         (!std::is_aggregate_v<M> || braces_build<M, Args...> ||
                          !(std::is_floating_point_v<std::remove_cvref_t<Args>> || ...));

/// Builds the message in its final place. Precondition: `where` has room for it, aligned.
template <class M, class... Args>
  requires buildable_from<M, Args...>
M* construct_message(void* where, Args&&... args) {
  return std::construct_at(static_cast<M*>(where), std::forward<Args>(args)...);
}

/// Closures have no trait of their own, but every compiler spells them with a bracket before.
template <class T>
inline constexpr bool is_closure = spelled_name<T>().find("<lambda") != std::string_view::npos ||
                                   spelled_name<T>().find("(lambda") != std::string_view::npos;

/// False for temporaries that GCC 12 destroys twice inside a `co_await` expression: aggregates and
/// closures that are not trivially destructible. `Arg` is as deduced for `Arg&&`.
template <class Arg>
concept safe_argument =
    std::is_lvalue_reference_v<Arg> || std::is_trivially_destructible_v<std::remove_cvref_t<Arg>> ||
    !(std::is_aggregate_v<std::remove_cvref_t<Arg>> || is_closure<std::remove_cvref_t<Arg>>);

template <class A, class M>
concept calls_plain = requires(A& actor, M message) { actor.on(std::move(message)); };
template <class A, class M>
concept calls_with_context =
    requires(A& actor, M message, context<A>& self) { actor.on(std::move(message), self); };

template <class A, class M>
struct call;
template <class A, class M>
  requires calls_plain<A, M>
struct call<A, M> {
  using type = decltype(std::declval<A&>().on(std::declval<M>()));
};
template <class A, class M>
  requires(calls_with_context<A, M> && !calls_plain<A, M>)
struct call<A, M> {
  using type = decltype(std::declval<A&>().on(std::declval<M>(), std::declval<context<A>&>()));
};

/// What `on` returns, before a task is unwrapped.
template <class A, class M>
using returned_by = typename call<A, M>::type;

// A cast to the exact type converts nothing.
template <class A, class M, class... Takes>
concept exactly = requires { static_cast<returned_by<A, M> (A::*)(Takes...)>(&A::on); } ||
                  requires { static_cast<returned_by<A, M> (A::*)(Takes...) const>(&A::on); };
/// The form that is called takes an `M` like this.
template <class A, class M, class Taken>
concept takes = (calls_plain<A, M> && exactly<A, M, Taken>) ||
                (!calls_plain<A, M> && exactly<A, M, Taken, context<A>&>);
template <class A, class M>
concept takes_value = takes<A, M, M>;
template <class A, class M>
concept takes_reference = !takes_value<A, M> && takes<A, M, const M&>;

template <class R>
struct unwrapped {
  using type = R;
  static constexpr bool coroutine = false;
};
template <class R>
struct unwrapped<task<R>> {
  using type = R;
  static constexpr bool coroutine = true;
};

}  // namespace detail

/// What an ask of `M` is answered with: what the handler returns, or what its task does.
template <class A, class M>
using reply_of = typename detail::unwrapped<detail::returned_by<A, M>>::type;

/// The handler of `M` wants the context.
template <class A, class M>
inline constexpr bool takes_context = !detail::calls_plain<A, M>;

/// The handler of `M` is a coroutine.
template <class A, class M>
inline constexpr bool is_coroutine = detail::unwrapped<detail::returned_by<A, M>>::coroutine;

/// `A` has a handler for `M`: `on(M)` or `on(M, cairn::context<A>&)`. One that is no coroutine may
/// take `const M&` instead, and spares the message a copy. A coroutine's would dangle at its first
/// suspension.
template <class A, class M>
concept handles =
    detail::takes_value<A, M> || (detail::takes_reference<A, M> && !is_coroutine<A, M>);

/// Declared by an actor that keeps no state: `using persistence = cairn::ephemeral;`.
struct ephemeral {};

/// Restarts fresh and is in no snapshot. Every other actor is persistent.
template <class A>
concept ephemeral_actor =
    requires { typename A::persistence; } && std::same_as<typename A::persistence, ephemeral>;

namespace detail {

template <class A, class M>
concept takes_dangling = takes_reference<A, M> && is_coroutine<A, M>;

/// Fails to compile, and says what to write, where a handler of the protocol is missing.
template <class A>
consteval bool check_handlers() {
  for_each(typename A::protocol{}, []<class M>() {
    static_assert(message<M>, "a message must be complete and movable");
    constexpr bool called = calls_plain<A, M> || calls_with_context<A, M>;
    static_assert(called,
                  "the protocol lists a message without a handler: write "
                  "void on(message) or void on(message, cairn::context<actor>&)");
    static_assert(!takes_dangling<A, M>,
                  "a coroutine takes its message by value, since a reference would dangle at its "
                  "first suspension: write on(message)");
    static_assert(!called || takes_dangling<A, M> || handles<A, M>,
                  "a handler takes its message as it is: write on(message) or on(const message&), "
                  "not on(message&&), nor a type that it converts to");
  });
  return true;
}

}  // namespace detail
}  // namespace cairn
