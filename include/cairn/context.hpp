// `context<A>`: what a handler may do besides changing its state.
#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "codec.hpp"
#include "detail/actor_type.hpp"
#include "detail/spawning.hpp"
#include "ref.hpp"
#include "reminder.hpp"

namespace cairn {

template <class A>
class context;

/// An actor that another one watches has been stopped. In the watcher's protocol.
struct stopped {
  actor_id id{};
  std::string reason{};
  void serialize(auto& archive) { archive(id, reason); }
};

/// A child, or an actor that is watched, has been suspended: it keeps state and mailbox and handles
/// nothing until it is resumed. In the protocol of a parent or a watcher that wants to be told.
struct suspended {
  actor_id id{};
  std::string reason{};
  void serialize(auto& archive) { archive(id, reason); }
};

namespace detail {

/// What replay compares of a value of the type, before one can be sent.
template <class T>
void make_comparable() noexcept {
  if constexpr (is_compared<T>) {
    ops_of<T>.digest = [](const void* value, std::unique_ptr<digest_room>& room) {
      return digest_of(*static_cast<const T*>(value), room);
    };
  }
}

/// Sets a type's codec. Called once for each type before a value of it can meet a snapshot.
template <class T>
void make_encodable() {
  static const bool once = [] {
    make_comparable<T>();
    ops_of<T>.encode = [](const void* value, buffer& to) {
      cairn::encode(*static_cast<const T*>(value), to);
    };
    ops_of<T>.schema = schema_of<T>();
    ops_of<T>.decode = [](void* to, bytes_view from, std::uint32_t schema) {
      std::construct_at(static_cast<T*>(to));
      try {
        detail::decode_written(*static_cast<T*>(to), from, schema);
      } catch (...) {
        std::destroy_at(static_cast<T*>(to));
        throw;
      }
    };
    return true;
  }();
  (void)once;
}

/// The part of a context that does not depend on the actor's type.
class context_base {
 public:
  explicit context_base(cell& self) noexcept : self_{&self} {}
  context_base(const context_base&) = delete;
  context_base& operator=(const context_base&) = delete;

  /// Retires this actor and its state when the turn ends.
  void stop(std::string reason) { wish_stop().stop_reason = std::move(reason); }
  /// The same with the reason "stopped".
  void stop() { wish_stop().stop_reason.clear(); }

  /// The wall clock, the same in replay.
  [[nodiscard]] std::chrono::system_clock::time_point now() {
    turn& here = mine("now()");
    const auto ticks =
        here.handed(handed_value::time, [&] { return here.system->wall_now().time_since_epoch(); });
    return std::chrono::system_clock::time_point{ticks};
  }

  /// The epoch of this turn, the same in replay: a snapshot of it or of a later one holds the turn,
  /// an earlier one does not.
  [[nodiscard]] cairn::epoch epoch() {
    turn& here = mine("epoch()");
    return here.handed(handed_value::epoch, [&] { return self_->at; });
  }

  /// A random number of 64 bits, the same in replay.
  [[nodiscard]] std::uint64_t random() {
    turn& here = mine("random()");
    return here.handed(handed_value::random, [&] { return here.system->random(); });
  }

  /// Whether this turn has run before. For logging only: what a handler does must not depend on it.
  [[nodiscard]] bool replaying() { return mine("replaying()").replaying(); }

  /// Suspends the handler, at least this long. Goes on over restarts and crashes.
  [[nodiscard]] asking<void> sleep(std::chrono::nanoseconds span) {
    turn& here = mine("sleep()");
    const auto number = open_slot(here, {}, "sleep");
    here.also().timers.push_back({number, span, nullptr, false});
    return asking<void>{awaited_slot{self_, number}};
  }

  /// Suspends the handler until the actors that are ready now have had their turns, and children
  /// that have just been born: what computes for long lets the others go on. Costs less than a
  /// sleep, and goes on over restarts and crashes.
  [[nodiscard]] asking<void> yield() {
    turn& here = mine("yield()");
    const auto number = open_slot(here, {}, "yield");
    auto own_answer = make_envelope(unit{});
    own_answer->kind = envelope_kind::reply;
    own_answer->answer = {self_, self_->self().id, number, false};
    here.send(std::move(own_answer), self_->self());
    here.yields = true;
    return asking<void>{awaited_slot{self_, number}};
  }

  /// Runs `fn(args...)` on a thread that may block and gives what it returns; the result is
  /// recorded, so replay and recovery hand it over without running `fn` again.
  ///
  /// Preconditions: `fn` takes what it needs as arguments and never sees the actor. At least once:
  /// a crash before the result is recorded runs it again. Errors: an exception in `fn` is thrown
  /// here as `ask_error{errc::failed}`.
  ///
  /// A receiver that is to notice the second time is given a key: `const auto key = self.random();`
  /// before, and `key` among the arguments.
  template <class Fn, class... Args>
    requires std::invocable<std::decay_t<Fn>, std::decay_t<Args>...>
  [[nodiscard]] auto run(std::string_view name, Fn fn, Args&&... args) {
    return begin_run(false, name, fn, std::forward<Args>(args)...);
  }

  /// The same, but `fn` begins only when the epoch of this turn is committed: what it does outside
  /// has a cause that no crash takes back.
  template <class Fn, class... Args>
    requires std::invocable<std::decay_t<Fn>, std::decay_t<Args>...>
  [[nodiscard]] auto run_committed(std::string_view name, Fn fn, Args&&... args) {
    return begin_run(true, name, fn, std::forward<Args>(args)...);
  }

  [[nodiscard]] actor_id id() const noexcept { return self_->self().id; }
  [[nodiscard]] std::string_view name() const noexcept { return self_->name; }
  /// How many messages this actor has consumed, the present one included.
  [[nodiscard]] position consumed() const noexcept { return self_->consumed; }
  /// For cairn itself.
  [[nodiscard]] cell& where() const noexcept { return *self_; }

 protected:
  [[nodiscard]] turn& mine(const char* what) const {
    turn& here = turn_here(what);
    if (here.self != self_) throw error{errc::misuse, "a context is used by another actor"};
    return here;
  }

  cell* self_;

 private:
  [[nodiscard]] wishes& wish_stop() const {
    wishes& all = mine("stop()").also();
    all.stop = true;
    return all;
  }

  template <class Fn, class... Args>
  [[nodiscard]] auto begin_run(bool when_committed, std::string_view name, Fn fn, Args&&... args) {
    static_assert(std::is_trivially_destructible_v<Fn>,
                  "write self.run(\"name\", fn, args...): a closure here must be trivially "
                  "destructible");
    static_assert((detail::safe_argument<Args> && ...),
                  "give self.run what has a name: GCC 12 destroys such a temporary twice within "
                  "co_await");
    using R = std::invoke_result_t<std::decay_t<Fn>, std::decay_t<Args>...>;
    turn& here = mine("run()");
    make_encodable<stored_reply<R>>();
    const auto number = open_slot(here, {}, "run");
    // What it is given does not count: that may be what `on_start` opens, which no replay has.
    here.note(1, number, mixed_of(fnv1a(name), when_committed ? 1 : 0));
    here.also().runs.push_back(
        {number, std::string{name},
         [fn, kept = std::make_tuple(std::forward<Args>(args)...)]() -> envelope_ptr {
           if constexpr (std::is_void_v<R>) {
             std::apply(fn, kept);
             return make_envelope(unit{});
           } else {
             return make_envelope<R>(std::apply(fn, kept));
           }
         },
         when_committed});
    return asking<R>{awaited_slot{self_, number}};
  }
};

}  // namespace detail

namespace detail {

/// Says something of the children that it spawns.
template <class A>
class child_door {
 public:
  child_door(context<A>& parent, child_options declared) noexcept
      : parent_{parent}, declared_{declared} {}

  template <class C, class... Args>
  cairn::ref<C> spawn(std::string_view name, Args&&... args) const {
    const auto made = parent_.template spawn<C>(name, std::forward<Args>(args)...);
    // In replay the child has its options already, or is gone.
    if (!parent_.replaying()) declare_child(parent_.where(), *made.where().where, declared_);
    return made;
  }

 private:
  context<A>& parent_;
  child_options declared_;
};

}  // namespace detail

/// Given to a handler that asks for it as its last parameter, and to the hooks. Lives as long as
/// the incarnation. Belongs to its actor: no other may use it.
template <class A>
class context : public detail::context_base {
 public:
  using detail::context_base::context_base;

  [[nodiscard]] cairn::ref<A> ref() const noexcept { return cairn::ref<A>{self_->self()}; }

  /// Spawns a child and builds its first state in place from `args`. An empty name names nobody.
  ///
  /// Preconditions: a statement of its own, where `args` has temporaries: GCC 12 destroys twice
  /// what is built within a `co_await` expression. Effects: the child lives once this turn has
  /// ended. Errors: throws `errc::name_taken`, `errc::bad_name`, or `errc::unknown_type` where
  /// `cairn::actors<…>` does not list it.
  template <class C, class... Args>
  cairn::ref<C> spawn(std::string_view name, Args&&... args) {
    static_assert(ephemeral_actor<C> || !ephemeral_actor<A>,
                  "an ephemeral actor spawns ephemeral ones only: after a crash it would not be "
                  "there to be the parent of what the store gives back");
    return detail::spawn<C>(mine("spawn()"), *self_, name, std::forward<Args>(args)...);
  }

  /// The same door, whose `spawn` says this of the child: `self.with({.shutdown =
  /// 1s}).spawn<C>(…)`.
  [[nodiscard]] detail::child_door<A> with(child_options declared) noexcept {
    return {*this, declared};
  }

  /// Sends this actor a message after a while, also over restarts and crashes. The time that a
  /// process is down does not count.
  template <class M, class... Args>
  reminder send_after(std::chrono::nanoseconds delay, Args&&... args) {
    return send_after<M>(once_after{.delay = delay}, std::forward<Args>(args)...);
  }
  template <class M, class... Args>
  reminder send_after(once_after how, Args&&... args) {
    return remind<M>({.delay = how.delay, .repeat = {.missed = how.missed}},
                     std::forward<Args>(args)...);
  }

  /// The same at a time of the wall clock. Where that has passed, also while a process was down, at
  /// once. In one process the time that is left counts, whatever is done to the clock meanwhile.
  template <class M, class... Args>
  reminder send_at(std::chrono::system_clock::time_point when, Args&&... args) {
    return send_at<M>(once_at{.when = when}, std::forward<Args>(args)...);
  }
  template <class M, class... Args>
  reminder send_at(once_at how, Args&&... args) {
    const auto wall =
        std::chrono::duration_cast<std::chrono::microseconds>(how.when.time_since_epoch());
    return remind<M>(
        {.kind = detail::timer_kind::at, .repeat = {.missed = how.missed}, .wall = wall},
        std::forward<Args>(args)...);
  }

  /// The same again and again, for the first time after one period, until it is cancelled. Times
  /// that passed while a process was down are overdue: `how.missed` says what becomes of them.
  ///
  /// Preconditions: the message can be copied. Errors: throws `errc::misuse` where the period is
  /// not above 0.
  template <class M, class... Args>
  reminder send_every(every how, Args&&... args) {
    static_assert(std::is_copy_constructible_v<M>,
                  "a message that is sent every so often is copied each time");
    if (how.period.count() <= 0) throw error{errc::misuse, "a period must be above 0"};
    return remind<M>({.delay = how.period, .kind = detail::timer_kind::every, .repeat = how},
                     std::forward<Args>(args)...);
  }
  template <class M, class... Args>
  reminder send_every(std::chrono::nanoseconds period, Args&&... args) {
    return send_every<M>(every{.period = period}, std::forward<Args>(args)...);
  }

  /// Ends a reminder of this actor. What it has sent already still comes.
  void cancel(const reminder& which) {
    detail::turn& here = mine("cancel()");
    here.note(2, which.number());
    here.also().cancelled.push_back(which.number());
  }

  /// Asks to be told once, by a `cairn::stopped`, when that actor stops or if it is not there.
  template <class B>
  void watch(const cairn::ref<B>& whom) {
    static_assert(in_protocol<stopped, typename A::protocol>,
                  "a watcher's protocol lists cairn::stopped");
    tell_watched(mine("watch()"), detail::control::watch, whom);
  }
  template <class B>
  void unwatch(const cairn::ref<B>& whom) {
    tell_watched(mine("unwatch()"), detail::control::unwatch, whom);
  }

  /// A suspended actor goes on, after what it was sent before it was suspended, in its order.
  /// Nothing to one that is not suspended.
  template <class B>
  void resume(const cairn::ref<B>& whom) {
    detail::turn& here = mine("resume()");
    detail::require(whom.where());
    here.send(detail::make_control(detail::control::resume, {}, {}), whom.where());
  }

  /// Stops the child at this path, such as "alice" or "desk/drawer".
  void stop_child(std::string path) {
    mine("stop_child()")
        .send(detail::make_control(detail::control::stop_path, {}, std::move(path)), self_->self());
  }

 private:
  template <class B>
  void tell_watched(detail::turn& here, detail::control what, const cairn::ref<B>& whom) {
    static_assert(
        requires { typename B::protocol; }, "the definition of who is watched comes first");
    detail::require(whom.where());
    here.send(detail::make_control(what, self_->self(), {}), whom.where());
    if constexpr (ephemeral_actor<B> && !ephemeral_actor<A>) {
      here.also().watches.push_back({whom.id(), what == detail::control::unwatch});
    }
  }

  template <class M, class... Args>
  reminder remind(detail::new_timer wanted, Args&&... args) {
    detail::turn& here = mine("a reminder");
    wanted.message = detail::build_message<M, typename A::protocol>(std::forward<Args>(args)...);
    wanted.message->to = self_;
    wanted.message->target = id();
    wanted.number = self_->next_number++;
    here.also().timers.push_back(std::move(wanted));
    return reminder{here.also().timers.back().number};
  }
};

}  // namespace cairn
