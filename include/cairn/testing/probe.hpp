// Unit tests of a user's own actors, without threads or time: the test says which message is
// handled next, when time passes, and which turn fails. The words are those of CAF's deterministic
// test fixture.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../actor.hpp"
#include "../codec.hpp"
#include "../event.hpp"
#include "../options.hpp"
#include "../ref.hpp"
#include "../root.hpp"
#include "detail/expectation.hpp"
#include "detail/prober.hpp"

namespace cairn::testing {

/// From whom to whom. A ref alone means: to it, from anybody.
struct route {
  template <class A>
  route(const ref<A>& receiver) noexcept  // NOLINT(*explicit*): `expect<deposit>(alice)`
      : to{receiver.where()} {}
  route(detail::address receiver, std::optional<actor_id> sender) noexcept
      : to{receiver}, from{sender} {}

  detail::address to{};
  std::optional<actor_id> from{};
};

template <class A>
[[nodiscard]] route to(const ref<A>& receiver) noexcept {
  return receiver;
}

/// The first half of `from(teller).to(alice)`.
struct sender {
  template <class A>
  [[nodiscard]] route to(const ref<A>& receiver) const noexcept {
    return {receiver.where(), id};
  }
  actor_id id{};
};

template <class A>
[[nodiscard]] sender from(const ref<A>& sent_by) noexcept {
  return {sent_by.id()};
}
/// What the test itself has told through a ref.
[[nodiscard]] inline sender from_outside() noexcept { return {detail::outside_id}; }

/// How an injected message is answered. Copies share it.
///
/// Errors: without an answer yet, `code` and `value` throw `probe_error`. `value` throws
/// `ask_error` where the message failed.
template <class R>
class answer {
 public:
  using reference = std::add_lvalue_reference_t<std::add_const_t<R>>;

  /// For cairn itself.
  explicit answer(std::shared_ptr<detail::injected> of) noexcept : of_{std::move(of)} {}

  [[nodiscard]] bool arrived() const noexcept { return of_->arrived; }
  /// `errc::ok`, or why there is no value.
  [[nodiscard]] errc code() const {
    of_->require();
    return of_->code;
  }
  /// What the handler returned. Lives as long as the answer.
  reference value() const {
    of_->require_value();
    if constexpr (!std::is_void_v<R>) return *static_cast<const R*>(of_->reply->payload());
  }
  /// The same, moved out.
  R take() {
    of_->require_value();
    if constexpr (!std::is_void_v<R>) return std::move(*static_cast<R*>(of_->reply->payload()));
  }

 private:
  std::shared_ptr<detail::injected> of_;
};

struct probe_options {
  /// Sets what else the program sets, such as the timeout of asks, or a store. Epochs are begun by
  /// `checkpoint()`; clock, workers and schedulers are the probe's.
  std::function<void(options&)> configure{};
  supervisor_options supervision{};  ///< of what `spawn` makes
  event_handler on_event{};
  std::uint64_t most_steps = 100'000;  ///< within one verb, which then throws: nothing should spin
};

/// What a probe of any actors is: what `state`, `expect` and the others need not know the types of.
/// `<<` writes what waits.
class probe_base {
 public:
  probe_base(const probe_base&) = delete;
  probe_base& operator=(const probe_base&) = delete;

  /// Puts a message to an actor and runs the first turn of its handler, before what waits for it,
  /// as if it came from somebody outside.
  ///
  /// Preconditions: no handler of the actor is suspended. Errors: throws `probe_error`. What
  /// the handler throws is its supervisor's affair.
  template <class M, class A, class... Args>
  answer<reply_of<A, M>> inject(const ref<A>& whom, Args&&... args) {
    auto message = detail::build_message<M, typename A::protocol>(std::forward<Args>(args)...);
    return answer<reply_of<A, M>>{detail::inject_into(all_, std::move(message), whom.where())};
  }
  /// The same, and its answer. Errors: throws `probe_error` where the handler has not ended;
  /// `ask_error`.
  template <class M, class A, class... Args>
  reply_of<A, M> ask(const ref<A>& whom, Args&&... args) {
    auto asked = inject<M>(whom, std::forward<Args>(args)...);
    if (!asked.arrived()) detail::raise_unanswered(all_, whom.where(), type_name<M>);
    return asked.take();
  }

  /// The next that waits on this route must be an `M`; with `holds`, one of which `holds(message)`
  /// is true. It is handled.
  ///
  /// `M` is a message, or what a handler returns: `void` where it returns nothing,
  /// `cairn::failure` for an ask that has failed. `holds` may return nothing and check by itself.
  /// Errors: throws `probe_error`; nothing is handled then.
  template <class M, class Holds = detail::anything>
  void expect(const route& along, Holds holds = {}) {
    const auto found = look<M>(along, holds);
    if (found.what != detail::verdict::match) {
      detail::raise_missing(all_, detail::name_in_text<M>(), along.to, along.from, found.what);
    }
    all_.deliver(*found.to, *found.next);
  }
  /// The same where there is one. False: there is none, and nothing was handled.
  template <class M, class Holds = detail::anything>
  bool allow(const route& along, Holds holds = {}) {
    const auto found = look<M>(along, holds);
    if (found.what == detail::verdict::match) all_.deliver(*found.to, *found.next);
    return found.what == detail::verdict::match;
  }
  /// No `M` may wait on this route, wherever in the mailbox.
  ///
  /// Errors: throws `probe_error`.
  template <class M, class Holds = detail::anything>
  void disallow(const route& along, Holds holds = {}) {
    if (waits<M>(along, holds)) {
      detail::raise_unwanted(all_, detail::name_in_text<M>(), along.to, along.from);
    }
  }
  /// Whether one waits.
  template <class M, class Holds = detail::anything>
  [[nodiscard]] bool waits(const route& along, Holds holds = {}) const {
    all_.settle();
    return detail::waits_for(all_, along.to, along.from, [&](const detail::envelope& each) {
      return detail::judge<M>(all_, each, holds) == detail::verdict::match;
    });
  }

  /// Delivers everything until nothing is left that can be, and returns how many messages and
  /// answers that were. Time stands still.
  ///
  /// Errors: throws `probe_error` after `most`.
  std::uint64_t run(std::uint64_t most = 1'000'000) { return all_.deliver_all(most); }
  /// The same while time passes.
  std::uint64_t run_for(std::chrono::nanoseconds span, std::uint64_t most = 1'000'000) {
    const auto end = detail::due_after(all_.now(), span);
    std::uint64_t count = all_.deliver_all(most);
    for (bool more = true; more;) {
      more = all_.pass(end);
      count += all_.deliver_all(most);
    }
    return count;
  }
  /// Time passes: what falls due until then does, one after the other. A `sleep` or an ask whose
  /// time is over goes on at once; what was sent with `send_after` waits then, like any message.
  void advance(std::chrono::nanoseconds span) {
    const auto end = detail::due_after(all_.now(), span);
    while (all_.pass(end)) {
    }
  }
  /// Of the system's steady clock. It begins at an hour.
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept { return all_.now(); }

  /// The actor's next turn throws at its end, so that there is something to undo. With more `times`
  /// so do the turns after it, further tries of the same one included.
  template <class A>
  void fail_next(const ref<A>& whom, unsigned times = 1) {
    detail::plan_failure(all_, whom.where(), times);
  }

  /// The actor's state, until its next turn.
  ///
  /// Errors: throws `probe_error` where it has none: it is stopped, or restored and not declared.
  template <class A>
  [[nodiscard]] const A& state(const ref<A>& of) const {
    return detail::held<A>(std::as_const(detail::cell_with_state(all_, of.where()))).state;
  }
  /// Whether the actor has not been stopped.
  template <class A>
  [[nodiscard]] bool lives(const ref<A>& whom) const {
    all_.settle();
    return detail::prober::lives(all_.cell_of(whom.where()), whom.id());
  }
  /// The actor of this path, such as "desk/drawer": below what `spawn` has made, or a supervisor.
  ///
  /// Errors: throws `probe_error` where there is none of that path or it is of another type.
  template <class A>
  [[nodiscard]] ref<A> find(std::string_view path) const {
    return ref<A>{detail::find_path(all_, path, type_hash<A>, type_name<A>)};
  }

  /// Runs `fn(root&)` as a turn of the root task, and returns what it does: for supervisors of the
  /// test's own. Throws what it throws.
  template <class Fn>
    requires std::invocable<Fn&, root&>
  auto as_root(Fn fn) -> std::invoke_result_t<Fn&, root&> {
    using R = std::invoke_result_t<Fn&, root&>;
    if constexpr (std::is_void_v<R>) {
      all_.as_root([&](root& top) { fn(top); });
    } else {
      std::optional<R> made;
      all_.as_root([&](root& top) { made.emplace(fn(top)); });
      return std::move(*made);
    }
  }

  /// An epoch, committed. Errors: throws `probe_error` where it was abandoned.
  void checkpoint() { all_.commit(); }
  /// The process dies and another one begins over its store: everything since the last checkpoint
  /// is lost, and so are ephemeral actors. What `spawn` made runs again; other supervisors are
  /// declared again by the test. Refs are taken again, with `find` or `spawn`.
  ///
  /// Errors: throws what opening the store throws.
  void restart() { all_.restart(); }

  /// Everything that the system has told, oldest first, without what only lives as long as the
  /// call.
  [[nodiscard]] const std::vector<event>& events() const {
    all_.settle();
    return all_.events();
  }
  [[nodiscard]] const std::vector<dead_letter>& dead_letters() const {
    all_.settle();
    return all_.dead_letters();
  }
  /// What waits, for people.
  [[nodiscard]] std::string waiting() const {
    all_.settle();
    return all_.view().text();
  }
  friend std::ostream& operator<<(std::ostream& to, const probe_base& of) {
    return to << of.waiting();
  }

  /// For cairn itself.
  [[nodiscard]] detail::prober& inner() const noexcept { return all_; }

 protected:
  probe_base(detail::prober::describe_function types, probe_options chosen)
      : all_{types,
             {std::move(chosen.configure), chosen.supervision, std::move(chosen.on_event),
              chosen.most_steps}} {}
  ~probe_base() = default;

 private:
  template <class M, class Holds>
  [[nodiscard]] detail::candidate look(const route& along, Holds& holds) {
    auto found = detail::next_on(all_, along.to, along.from);
    if (found.next != nullptr) found.what = detail::judge<M>(all_, *found.next, holds);
    return found;
  }

  mutable detail::prober all_;
};

/// A system of these actors that does nothing by itself: it is driven by hand, on the test's
/// thread.
///
///     cairn::testing::probe<cairn::actors<account, teller>> p;
///     auto alice = p.spawn<account>("alice");
///     p.inject<deposit>(alice, 100);
///     CHECK(p.ask<balance>(alice) == 100);
///
/// What one actor sends another, messages and answers, waits until the test delivers it. What is an
/// actor's own affair happens at once: births and starts, watches and stops once nothing waits
/// before them, `self.run`, restarts after a failure.
///
/// Preconditions: handlers and runs do not block, and hand the system to no other thread.
/// Thread safety: one thread.
template <class Actors>
class probe : public probe_base {
 public:
  explicit probe(probe_options chosen = {}) : probe_base{&Actors::describe, std::move(chosen)} {}

  /// An actor below the probe's own supervisor, restored where the store knows it. It has been born
  /// and started.
  ///
  /// Errors: throws what `supervisor::spawn` does.
  template <class A, class... Args>
  ref<A> spawn(std::string_view name, Args&&... args) {
    return as_root(
        [&](root&) { return inner().top().template spawn<A>(name, std::forward<Args>(args)...); });
  }
};

}  // namespace cairn::testing
