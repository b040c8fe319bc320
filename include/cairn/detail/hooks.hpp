// The hooks that an actor may declare. Each has its signature; a member of its name that has
// another one would never be called, so it is an error, which says what to write.
#pragma once

#include <concepts>
#include <type_traits>

#include "../fwd.hpp"
#include "actor_type.hpp"

namespace cairn::detail {

template <class A>
concept has_on_birth = requires(A& a, context<A>& self) { a.on_birth(self); };
template <class A>
concept has_on_start = requires(A& a, context<A>& self) {
  { a.on_start(self) } -> std::same_as<void>;
};
template <class A>
concept has_on_stop = requires(A& a, stop_reason why) {
  { a.on_stop(why) } -> std::same_as<void>;
};
template <class A>
concept has_on_commit = requires(A& a, epoch number) {
  a.on_commit(number);
} || requires(A& a, epoch number, context<A>& self) { a.on_commit(number, self); };

struct hook_names {
  char on_birth, on_start, on_stop, on_commit;
};
/// Where `A` has such a name, too, it is ambiguous here, whatever `A` says of it: overloaded, a
/// template, private.
template <class A, bool = std::is_final_v<A>>
struct named_again : A, hook_names {};
/// Nothing derives from it: the names that are not overloaded are still found, in `A` itself.
template <class A>
struct named_again<A, true> : hook_names {};

template <class A>
concept names_on_birth = requires { &A::on_birth; } || !requires { &named_again<A>::on_birth; };
template <class A>
concept names_on_start = requires { &A::on_start; } || !requires { &named_again<A>::on_start; };
template <class A>
concept names_on_stop = requires { &A::on_stop; } || !requires { &named_again<A>::on_stop; };
template <class A>
concept names_on_commit = requires { &A::on_commit; } || !requires { &named_again<A>::on_commit; };

/// Fails to compile, and says what to write, where a hook would never be called.
template <class A>
consteval bool check_hooks() {
  static_assert(has_on_birth<A> || !names_on_birth<A>,
                "on_birth would never be called: write void on_birth(cairn::context<actor>&) or "
                "cairn::task<> on_birth(cairn::context<actor>&), public");
  static_assert(has_on_start<A> || !names_on_start<A>,
                "on_start would never be called, or be a coroutine that never runs: write "
                "void on_start(cairn::context<actor>&), public");
  static_assert(has_on_stop<A> || !names_on_stop<A>,
                "on_stop would never be called, or be a coroutine that never runs: write "
                "void on_stop(cairn::stop_reason), public");
  static_assert(has_on_commit<A> || !names_on_commit<A>,
                "on_commit would never be called: write void on_commit(cairn::epoch) or "
                "void on_commit(cairn::epoch, cairn::context<actor>&), public");
  return true;
}

}  // namespace cairn::detail
