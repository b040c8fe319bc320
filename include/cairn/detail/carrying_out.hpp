// What a supervisor does to its children, one after the other, and how an ordinary actor stops its
// own. Handlers of a persistent actor: what they read of the children is recorded.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "supervisor_actor.hpp"

namespace cairn::detail {

/// A child, as a supervisor's handler sees it.
struct ward {
  actor_id id{};
  std::int64_t shutdown = 0;
  std::uint32_t slot_index = 0;
  std::uint32_t supervises = 0;  ///< 1: it is a supervisor, 2: one that sleeps
};
inline constexpr std::uint32_t sleeps = 2;

/// A supervisor below that the store gave back, and that the program has not declared: it and all
/// below it sleep, and hear nothing. Both supervisors are at home on the first worker.
[[nodiscard]] inline bool is_undeclared(const child& each) noexcept {
  const cell& one = *each.where.where;
  return is_supervisor(each.type) && !(one.more && one.more->rules);
}

/// How many bytes one child adds to what a handler was handed that stops it, more than it does.
inline constexpr std::size_t bytes_of_ward = 1024;

/// Some of the children, in an order.
struct wards {
  std::vector<ward> some{};
  bool more = false;  ///< there are others behind them
};

/// The first ones, not more than `most`, of the children whose ids `fits(actor_id)`: in the order
/// of their birth, or the youngest first. Of those who sleep only whom `rouses(actor_id)`.
///
/// Each call walks all children. By the default bound there is one for 16,384 of them: of what it
/// costs to stop 100,000 these walks are a twelfth, so that no order is kept.
template <class Fits, class Rouses>
[[nodiscard]] wards wards_of(cell& self, std::size_t most, bool youngest, Fits&& fits,
                             Rouses&& rouses) {
  constexpr std::uint64_t others = std::uint64_t{1} << 63U;
  turn& here = turn_here("a supervisor");
  std::vector<ward> seen;
  const auto before = [&](const ward& a, const ward& b) {
    return youngest ? b.id < a.id : a.id < b.id;
  };
  bool more = false;
  if (!here.replaying() && self.more) {
    self.more->children.for_each([&](const std::string&, const child& each) {
      if (!fits(each.where.id)) return;
      const bool asleep = is_undeclared(each);
      if (asleep && !rouses(each.where.id)) return;
      const std::uint32_t supervises = asleep ? sleeps : is_supervisor(each.type) ? 1 : 0;
      seen.push_back(
          {each.where.id, each.shutdown.count(), each.where.where->slot_index, supervises});
    });
    more = seen.size() > most;
    if (more) {
      const auto end = seen.begin() + static_cast<std::ptrdiff_t>(most);
      std::nth_element(seen.begin(), end, seen.end(), before);
      seen.resize(most);
    }
    std::sort(seen.begin(), seen.end(), before);
  }
  const auto count =
      here.handed(handed_value::children, [&] { return seen.size() | (more ? others : 0); });
  // One after the other: a log that is damaged ends before it has said as many as it counts.
  std::vector<ward> some;
  for (std::size_t at = 0; at < (count & ~others); ++at) {
    some.push_back(here.handed(handed_value::children, [&] { return seen[at]; }));
  }
  return {std::move(some), (count & others) != 0};
}

/// A supervisor's own words, each of which is answered once it is done. Also those of an ordinary
/// actor to its children, when it stops.
class orders {
 public:
  explicit orders(context_base& by) noexcept : by_{by} {}

  /// A word that overtakes.
  [[nodiscard]] asking<void> word(const ward& to, control what, std::string text = {}) {
    const auto number = open(to);
    send(to, make_word(what, by_.where().self(), number, std::move(text)));
    return asking<void>{awaited_slot{&by_.where(), number}};
  }
  /// What waits in the mailbox comes first, and the handler that is under way.
  [[nodiscard]] asking<void> stop(const ward& to, std::string reason) {
    const auto number = open(to);
    auto made = make_control(control::stop, {}, std::move(reason));
    made->answer = {&by_.where(), by_.id(), number, false};
    send(to, std::move(made));
    turn_here("a supervisor")
        .also()
        .timers.push_back({number, std::chrono::nanoseconds{to.shutdown}, nullptr, true});
    return asking<void>{awaited_slot{&by_.where(), number}};
  }
  /// A message to a supervisor below.
  template <class M>
  [[nodiscard]] asking<void> note(const ward& to, M message) {
    const auto number = open(to);
    auto made = make_note(std::move(message));
    made->answer = {&by_.where(), by_.id(), number, false};
    send(to, std::move(made));
    return asking<void>{awaited_slot{&by_.where(), number}};
  }
  /// The same to one that sleeps: it finds it when it is declared, and nobody waits for that.
  template <class M>
  void leave(const ward& to, M message) {
    send(to, make_note(std::move(message)));
  }
  /// To the supervisor above. Precondition: there is one.
  void tell_above(child_failed what) {
    turn_here("a supervisor").send(make_note(std::move(what)), by_.where().parent);
  }
  void resume(const ward& to) { send(to, make_control(control::resume, {}, {})); }

  [[nodiscard]] bool has_above() const noexcept {
    return by_.where().parent.where != nullptr && by_.where().parent.where->slot_index != 1;
  }

 private:
  [[nodiscard]] std::uint64_t open(const ward& to) {
    turn& here = turn_here("a supervisor");
    return open_slot(here, address_of(to), "a supervisor's word");
  }
  [[nodiscard]] static address address_of(const ward& to) {
    return {turn_here("a supervisor").system->locate(to.slot_index), to.id};
  }
  static void send(const ward& to, envelope_ptr made) {
    turn_here("a supervisor").send(std::move(made), address_of(to));
  }

  context_base& by_;
};

/// Whoever does not answer has stopped.
inline task<> restart_ward(ward whom, sibling_restart how, context_base* self) {
  orders mine{*self};
  if (whom.supervises == sleeps) {
    mine.leave(whom, restart_all{how});
  } else if (whom.supervises != 0) {
    auto done = mine.note(whom, restart_all{how}).as_result();
    (void)co_await std::move(done);
  } else {
    auto done = mine.word(whom, how == sibling_restart::fresh ? control::reset : control::restart)
                    .as_result();
    (void)co_await std::move(done);
  }
}

inline task<> suspend_ward(ward whom, std::string reason, context_base* self) {
  orders mine{*self};
  if (whom.supervises == sleeps) {
    mine.leave(whom, suspend_all{std::move(reason)});
  } else if (whom.supervises != 0) {
    suspend_all whole{std::move(reason)};
    auto done = mine.note(whom, std::move(whole)).as_result();
    (void)co_await std::move(done);
  } else {
    auto done = mine.word(whom, control::hold, std::move(reason)).as_result();
    (void)co_await std::move(done);
  }
}

inline task<> resume_ward(ward whom, context_base* self) {
  orders mine{*self};
  if (whom.supervises != 0) {
    auto done = mine.note(whom, resume_all{}).as_result();
    (void)co_await std::move(done);
  } else {
    mine.resume(whom);
  }
}

/// As much time as it was given, and then no more.
inline task<> stop_ward(ward whom, std::string reason, context_base* self) {
  orders mine{*self};
  if (whom.shutdown > 0 && whom.supervises != sleeps) {
    auto stopping = mine.stop(whom, reason).as_result();
    const result<void> stopped = co_await std::move(stopping);
    if (stopped || stopped.code() != errc::timeout) co_return;
    sometimes("child not stopped in time");
    reason += "; it had not stopped in time";
  }
  auto killing = mine.word(whom, control::kill, reason).as_result();
  (void)co_await std::move(killing);
}

/// The children have been stopped: nothing stands in the way.
inline void stop_now(std::string reason, context_base* self) {
  self->stop(std::move(reason));
  turn_here("a supervisor").also().childless = true;
}

/// How an ordinary actor stops that has children, of whom there are not too many.
inline task<> stop_family(std::string reason, context_base* self) {
  const auto any = [](actor_id) { return true; };
  const wards all =
      wards_of(self->where(), std::numeric_limits<std::size_t>::max(), true, any, any);
  for (const ward& each : all.some) co_await stop_ward(each, "its parent stopped", self);
  stop_now(std::move(reason), self);
}

/// `begun`: it has failed in nothing, and has begun afresh.
inline task<> go_on_ward(ward whom, std::string begun, context_base* self) {
  orders mine{*self};
  auto done = mine.word(whom, control::go_on, std::move(begun)).as_result();
  (void)co_await std::move(done);
}

/// In a group the one that failed stands before its failing turn: it only goes on.
inline task<> restart_one_of(ward whom, const carry_on& how, context_base* self) {
  if (whom.id != how.failed || whom.supervises != 0) {
    co_await restart_ward(whom, how.how, self);
    co_return;
  }
  co_await go_on_ward(whom, how.reason, self);
}

inline task<> do_to(ward whom, const carry_on& what, context_base* self) {
  using deed = carry_on::deed;
  switch (what.what) {
    case deed::stop:
      co_await stop_ward(whom, "its parent stopped", self);
      break;
    case deed::stop_group:
      co_await stop_ward(whom, what.reason, self);
      break;
    case deed::restart:
      co_await restart_ward(whom, what.how, self);
      break;
    case deed::suspend:
      co_await suspend_ward(whom, what.reason, self);
      break;
    case deed::resume:
      co_await resume_ward(whom, self);
      break;
    case deed::restart_group:
      co_await restart_one_of(whom, what, self);
      break;
  }
}

[[nodiscard]] inline bool stops(const carry_on& what) noexcept {
  return what.what == carry_on::deed::stop || what.what == carry_on::deed::stop_group;
}

/// Whom a deed concerns that has come so far.
[[nodiscard]] inline bool concerns(const carry_on& what, restart_strategy strategy,
                                   actor_id whom) noexcept {
  if (what.behind != actor_id{} && (stops(what) ? whom >= what.behind : whom <= what.behind)) {
    return false;
  }
  return what.what != carry_on::deed::restart_group || whom == what.failed ||
         strategy == one_for_all || (strategy == rest_for_one && whom > what.failed);
}

/// Who waits for this handler will be answered by the next one.
inline void go_on_with(carry_on what, context_base* self) {
  envelope_ptr note = make_note(std::move(what));
  note->answer = std::exchange(self->where().more->handler.answer, {});
  turn_here("a supervisor").also().then = std::move(note);
}

/// `what` and `self` outlive it.
inline task<> carry_out(const carry_on& what, restart_strategy strategy, context_base* self) {
  carry_on left = what;
  const std::size_t most =
      std::max<std::size_t>(1, turn_here("a supervisor").system->history_bound() / bytes_of_ward);
  const auto fits = [&](actor_id each) { return concerns(left, strategy, each); };
  // Who sleeps is stopped with the others, and has its own failure acted upon.
  const auto rouses = [&](actor_id each) { return stops(left) || each == left.failed; };
  const wards now = wards_of(self->where(), most, stops(left), fits, rouses);
  for (const ward& each : now.some) {
    left.behind = each.id;
    co_await do_to(each, left, self);
  }
  if (now.more) {
    sometimes("supervisor carries on with more children");
    // What this turn wants leaves before; words that nobody answers come by the thousand.
    auto others_first = self->yield();
    co_await std::move(others_first);
    go_on_with(std::move(left), self);
  } else if (stops(left)) {
    stop_now(std::move(left.reason), self);
  }
}

inline task<> supervisor_actor::on(stop_all what, context<supervisor_actor>& self) {
  end_backoffs(self);
  const carry_on all{carry_on::deed::stop, {}, {}, {}, what.reason};
  co_await carry_out(all, rules.strategy, &self);
}

inline task<> supervisor_actor::on(restart_all what, context<supervisor_actor>& self) {
  passed_up = false;
  end_backoffs(self);
  const carry_on all{carry_on::deed::restart, what.how, {}, {}, {}};
  co_await carry_out(all, rules.strategy, &self);
}

inline task<> supervisor_actor::on(suspend_all what, context<supervisor_actor>& self) {
  passed_up = false;
  end_backoffs(self);
  const carry_on all{carry_on::deed::suspend, {}, {}, {}, what.reason};
  co_await carry_out(all, rules.strategy, &self);
}

inline task<> supervisor_actor::on(resume_all, context<supervisor_actor>& self) {
  forget();
  const carry_on all{carry_on::deed::resume, {}, {}, {}, {}};
  co_await carry_out(all, rules.strategy, &self);
}

inline task<> supervisor_actor::on(carry_on what, context<supervisor_actor>& self) {
  co_await carry_out(what, rules.strategy, &self);
}

}  // namespace cairn::detail

#include "restarting.hpp"
