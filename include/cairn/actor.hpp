// `cairn::actors<…>`: the actor types of a program, and what is checked of each.
#pragma once

#include <array>
#include <concepts>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "codec.hpp"
#include "context.hpp"
#include "detail/actor_type.hpp"
#include "detail/hooks.hpp"
#include "detail/retired_type.hpp"
#include "detail/world.hpp"
#include "supervisor.hpp"
#include "task.hpp"

namespace cairn {

namespace detail {

/// Sends a handler's return value to who asked, as an effect of the turn.
template <class R>
void answer(turn& here, const return_address& asker, R value) {
  if (!asker.wanted()) return;
  auto reply = make_envelope<R>(std::move(value));
  reply->kind = envelope_kind::reply;
  reply->answer = asker;
  here.send(std::move(reply), {asker.asker, asker.id});
}

/// The end of a coroutine handler.
template <class R>
void finish_handler(activity& ended, turn& here) {
  auto& promise = ended.running.promise<task_promise<R>>();
  if constexpr (std::is_void_v<R>) {
    promise.take();
    answer(here, ended.answer, unit{});
  } else {
    answer<R>(here, ended.answer, promise.take());
  }
}

/// Calls a handler, or a hook in its place, and goes on with what it returns.
template <class Call>
void start_handler(cell& self, turn& here, const envelope& message, Call&& call) {
  using returned = decltype(call());
  here.brief = !is_task<returned>;
  if constexpr (is_task<returned>) {
    using R = typename returned::value_type;
    coroutine_frame started = call().release();
    if (!started) throw error{errc::misuse, "a handler returns a task that was moved away"};
    activity& handler = self.rest().handler;
    handler.running = std::move(started);
    handler.finish = &finish_handler<R>;
    handler.answer = message.answer;
    handler.what = message.ops->name;
    handler.index = message.index;
    handler.history_from = here.logs() ? here.log_bytes() : 0;
    handler.recorded = {};
    handler.running.resume();
  } else if constexpr (std::is_void_v<returned>) {
    call();
    answer(here, message.answer, unit{});
  } else {
    answer<returned>(here, message.answer, call());
  }
}

/// Whether a message that owns memory is what it was after its handler, which reads it or is given
/// a copy. Where a turn begins from a copy of the state and ends with its handler nothing is logged
/// of it: should it fail, what it was given is still there.
template <class A, class M>
inline constexpr bool keeps_message =
    !ephemeral_actor<A> && std::is_trivially_copyable_v<A> && !is_coroutine<A, M> &&
    !std::is_trivially_copyable_v<M> && std::is_copy_constructible_v<M> &&
    std::is_nothrow_move_constructible_v<M>;

/// See `handler::reads_logged`.
template <class A, class M>
inline constexpr bool reads_logged =
    takes_reference<A, M> && !std::is_trivially_copyable_v<M> && alignof(M) <= log_align &&
    std::is_copy_constructible_v<M> && std::is_nothrow_move_constructible_v<M>;

/// See `handler::direct`.
template <class A, class M>
inline constexpr bool is_direct =
    std::is_copy_constructible_v<M> && alignof(M) <= log_align &&
    (std::is_trivially_copyable_v<M> || keeps_message<A, M> || !std::is_trivially_copyable_v<A>);

template <class A, class M>
void begin_handler(cell& self, turn& here, envelope& carried) {
  auto& actor = held<A>(self);
  void* value = nullptr;
  if constexpr (reads_logged<A, M>) value = std::exchange(here.logged, nullptr);
  if (value == nullptr) value = carried.payload();
  start_handler(self, here, carried, [&] {
    // A const one is read or copied, another one is moved out.
    constexpr bool stays = keeps_message<A, M> || takes_reference<A, M>;
    using given = std::conditional_t<stays, const M&, M&&>;
    M& carries = *static_cast<M*>(value);
    if constexpr (takes_context<A, M>) {
      return actor.state.on(static_cast<given>(carries), actor.context_here);
    } else {
      return actor.state.on(static_cast<given>(carries));
    }
  });
}

template <class A>
concept has_prepare = requires(A& a) {
  { a.prepare_outputs() } -> std::same_as<std::function<void()>>;
};

template <class A>
void begin_birth(cell& self, turn& here, envelope& carried) {
  auto& actor = held<A>(self);
  start_handler(self, here, carried, [&] { return actor.state.on_birth(actor.context_here); });
}

template <class A>
void begin_stop(cell& self, turn& here, envelope& carried) {
  auto& actor = held<A>(self);
  start_handler(self, here, carried, [&] {
    return stop_family(static_cast<stop_all*>(carried.payload())->reason, &actor.context_here);
  });
}

template <class A>
void begin_commit(cell& self, turn& here, envelope& carried) {
  auto& actor = held<A>(self);
  const epoch number{static_cast<commit_note*>(carried.payload())->number};
  start_handler(self, here, carried, [&] {
    if constexpr (requires { actor.state.on_commit(number); }) {
      return actor.state.on_commit(number);
    } else {
      return actor.state.on_commit(number, actor.context_here);
    }
  });
}

/// Names a message's operations and gives them their codec, where it has one.
template <class M>
const payload_ops* register_payload(registry& types, std::string_view name,
                                    std::span<const std::uint64_t> hashes) {
  if constexpr (encodable<M>) make_encodable<M>();
  static const bool once = [&] {
    ops_of<M>.name = name;
    ops_of<M>.hash = hashes.front();
    ops_of<M>.origin = ops_of<M>.sent_as = hashes[hashes.size() > 1 ? 1 : 0];
    ops_of<M>.hashes = hashes;
    make_comparable<M>();  // also what only ephemeral actors are sent, which need not serialize
    return true;
  }();
  (void)once;
  for (const auto hash : hashes) types.messages.emplace(hash, &ops_of<M>);
  return &ops_of<M>;
}

/// What cairn itself sends under a name of its own.
template <class M, fixed_text Name>
const payload_ops* register_note(registry& types) {
  static constexpr std::array hashes{fnv1a(Name.view())};
  static constexpr auto name = Name;
  return register_payload<M>(types, name.view(), hashes);
}

template <class A, class M>
const payload_ops* register_message(registry& types) {
  static_assert(encodable<M> || ephemeral_actor<A>,
                "a message of a persistent actor must serialize and default-construct: write "
                "void serialize(auto& ar) { ar(...); }");
  return register_payload<M>(types, type_name<M>, name_hashes<M>);
}

template <class A>
void describe_state(actor_type& type) {
  static_assert(encodable<A>,
                "a persistent actor's state must serialize and default-construct: write "
                "void serialize(auto& ar) { ar(...); }, or declare the actor ephemeral: "
                "using persistence = cairn::ephemeral;");
  type.schema = schema_of<A>();
  type.raw_base = std::is_trivially_copyable_v<A>;
  type.construct = [](cell& self) { make_incarnation<A>(self); };
  type.encode = [](const cell& self, buffer& to) { cairn::encode(held<A>(self).state, to); };
  type.decode = [](cell& self, bytes_view from, std::uint32_t schema) {
    detail::decode_written(held<A>(self).state, from, schema);
  };
  type.difference = [](const cell& self, bytes_view before) {
    const holder<A>& now = held<A>(self);
    holder<A> other{now.context_here.where()};
    decode_written(other.state, before, schema_of<A>());
    return difference_of(other.state, now.state);
  };
  if constexpr (std::is_trivially_copyable_v<A>) {
    type.state_at = state_offset<A>;
    type.load_raw = [](cell& self, bytes_view from) {
      std::memcpy(static_cast<void*>(&held<A>(self).state), from.data(), sizeof(A));
    };
    type.encode_raw = [](bytes_view object, buffer& to) {
      A copy{};
      std::memcpy(static_cast<void*>(&copy), object.data(), sizeof(A));
      cairn::encode(copy, to);
    };
  }
}

template <class A>
void describe_hooks(registry& types, actor_type& type) {
  type.handlers.push_back(
      {register_note<stop_all, "cairn.stop_all">(types), "stop", &begin_stop<A>});
  handler birth;
  if constexpr (has_on_birth<A>) {
    birth = {register_note<birth_note, "cairn.birth">(types), "on_birth", &begin_birth<A>};
    type.has_birth = true;
  }
  type.handlers.push_back(birth);
  handler commit;
  if constexpr (has_on_commit<A>) {
    commit = {register_note<commit_note, "cairn.commit">(types), "on_commit", &begin_commit<A>};
    type.has_commit = true;
  }
  type.handlers.push_back(commit);
  if constexpr (has_on_start<A>) {
    type.on_start = [](cell& self) { held<A>(self).state.on_start(held<A>(self).context_here); };
  }
  if constexpr (has_on_stop<A>) {
    type.on_stop = [](cell& self, stop_reason why) noexcept {
      try {
        held<A>(self).state.on_stop(why);
      } catch (...) {  // the incarnation ends either way
      }
    };
  }
  if constexpr (has_prepare<A>) {
    type.prepare = [](cell& self) { return held<A>(self).state.prepare_outputs(); };
  }
}

/// The names of `T` and of those after it, former ones too, differ from each other.
template <class T, class... Others>
consteval bool names_differ() {
  const bool own = ((std::is_same_v<T, Others> || !share_a_name<T, Others>()) && ...);
  if constexpr (sizeof...(Others) == 0) {
    return true;
  } else {
    return own && names_differ<Others...>();
  }
}
template <class... Messages>
consteval bool messages_differ(protocol<Messages...>) {
  if constexpr (sizeof...(Messages) == 0) {
    return true;
  } else {
    return names_differ<Messages...>();
  }
}

template <class A>
void register_actor(registry& types) {
  static_assert(check_handlers<A>());
  static_assert(check_hooks<A>());
  static_assert(
      messages_differ(typename A::protocol{}),
      "two messages of a protocol share a type_name, or one has it and the other had it: "
      "a snapshot could not tell them apart; specialise cairn::type_name for one of them");
  actor_type type;
  type.name = type_name<A>;
  type.hash = type_hash<A>;
  type.size = sizeof(A);
  type.persistent = !ephemeral_actor<A>;
  type.destroy = &drop_incarnation<A>;
  if constexpr (requires { A::mailbox; }) type.mailbox = A::mailbox;
  if constexpr (!ephemeral_actor<A>) describe_state<A>(type);
  for_each(typename A::protocol{}, [&]<class M>() {
    type.handlers.push_back({register_message<A, M>(types), type_name<M>, &begin_handler<A, M>,
                             is_direct<A, M>, reads_logged<A, M>});
    using R = stored_reply<reply_of<A, M>>;
    static_assert(encodable<R>, "what a handler returns must serialize and default-construct");
    make_encodable<R>();
  });
  describe_hooks<A>(types, type);
  for (const auto hash : name_hashes<A>) types.former.insert_or_assign(hash, type_hash<A>);
  types.actors.insert_or_assign(type.hash, std::move(type));
}

template <class T>
inline constexpr bool is_retired = false;
template <fixed_text Name>
inline constexpr bool is_retired<retired<Name>> = true;

template <class T>
void register_listed(registry& types) {
  if constexpr (is_retired<T>) {
    register_retired(types, T::name);
  } else {
    register_actor<T>(types);
  }
}

/// What cairn itself sends and supervises with.
inline void register_own(registry& types) {
  register_note<control_note, "cairn.control">(types);
  register_note<unit, "cairn.unit">(types);
  make_encodable<std::string>();
  register_actor<supervisor_actor>(types);
}

}  // namespace detail

/// Declares the actor types of a program: `cairn::run<cairn::actors<account, teller>>(…)`, and the
/// names of those that are no more: `cairn::retired<"bank::ledger">`.
///
/// Preconditions, checked when it compiles: every message of each protocol has a handler that
/// takes it as it is; hooks have their signatures; messages and the state of persistent actors
/// serialize and default-construct. Errors: throws `errc::misuse` where a retired name is that of a
/// message.
template <class... As>
struct actors {
  static void describe(detail::registry& types) {
    if constexpr (sizeof...(As) != 0) {
      static_assert(detail::names_differ<As...>(),
                    "two actors share a type_name, or one has it and the other had it, or it is "
                    "retired: one would be taken for the other; specialise cairn::type_name for "
                    "one of them");
    }
    (detail::register_listed<As>(types), ...);
    detail::check_retired(types);
  }
};

}  // namespace cairn
