// The actor behind a supervisor: what it does when a child tells of a failure that is not the
// child's alone, and how it stops. An ordinary persistent actor: its restarts, backoffs and orders
// under way are in every snapshot, like those of any other.
//
// A child decides by itself what its supervisor's rules say of its failure, and does so at once
// where nobody else is concerned (see `failures`). Else it stands before its failing turn, paused,
// and tells its supervisor. Children are read from the cell, whose home they share with the root
// task; what was read is recorded, like everything that a handler is handed.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../context.hpp"
#include "../task.hpp"

namespace cairn::detail {

/// A child has failed, and others are concerned.
struct child_failed {
  actor_id who{};
  std::uint32_t slot_index = 0;
  decision what = decision::restart;
  std::uint32_t levels = 0;  ///< how many supervisors above this one have decided so
  std::string text{};
  void serialize(auto& archive) { archive(who, slot_index, what, levels, text); }
};
/// The supervisor stops its children, the youngest first, and then itself.
struct stop_all {
  std::string reason{};
  void serialize(auto& archive) { archive(reason); }
};
/// All children, in the order of their birth; answered once it is done.
struct restart_all {
  sibling_restart how{};
  void serialize(auto& archive) { archive(how); }
};
struct suspend_all {
  std::string reason{};
  void serialize(auto& archive) { archive(reason); }
};
struct resume_all {};
/// The program has declared the supervisor again, with these rules.
struct declare {
  supervision rules{};
  template <class Archive>
  void save(Archive& archive) const {
    rules.save(archive);
  }
  template <class Archive>
  void load(Archive& archive) {
    rules.load(archive);
  }
};
/// The process before had ended orderly: what was restarted in it counts no more.
struct forgive {};

struct supervisor_actor {
  using protocol = cairn::protocol<child_failed, stop_all, restart_all, suspend_all, resume_all,
                                   declare, forgive>;
  supervision rules{};
  std::vector<std::int64_t> restarts{};  ///< in a row: when, in nanoseconds of the wall clock

  void save(auto& archive) const {
    rules.save(archive);
    archive(restarts);
  }
  void load(auto& archive) {
    rules.load(archive);
    archive(restarts);
  }

  inline task<> on(child_failed what, context<supervisor_actor>& self);
  inline task<> on(stop_all what, context<supervisor_actor>& self);
  inline task<> on(restart_all what, context<supervisor_actor>& self);
  inline task<> on(suspend_all what, context<supervisor_actor>& self);
  inline task<> on(resume_all what, context<supervisor_actor>& self);
  void on(declare what) { rules = std::move(what.rules); }
  void on(forgive) { restarts.clear(); }

  /// Notes a restart; whether there were more than the rules allow.
  [[nodiscard]] bool too_many(std::chrono::system_clock::time_point now) {
    const auto at = std::chrono::nanoseconds{now.time_since_epoch()}.count();
    const auto within = rules.intensity.within.count();
    // The row, by which the backoff grows, ends later than the period in which restarts count.
    const auto quiet = std::max(within, (2 * rules.backoff.most).count());
    if (!restarts.empty() && at - restarts.back() > quiet) restarts.clear();
    restarts.push_back(at);
    const std::size_t enough = std::max<std::size_t>(64, rules.intensity.restarts + std::size_t{1});
    if (restarts.size() > enough) restarts.erase(restarts.begin());
    const auto recent = std::count_if(restarts.begin(), restarts.end(),
                                      [&](const auto when) { return at - when <= within; });
    return static_cast<std::size_t>(recent) > rules.intensity.restarts;
  }
};

/// A child, as a supervisor's handler sees it.
struct ward {
  actor_id id{};
  std::int64_t shutdown = 0;
  std::uint32_t slot_index = 0;
  std::uint32_t supervises = 0;
};

}  // namespace cairn::detail

namespace cairn {
template <>
inline constexpr std::string_view type_name<detail::supervisor_actor> = "cairn.supervisor";
template <>
inline constexpr std::string_view type_name<detail::child_failed> = "cairn.child_failed";
template <>
inline constexpr std::string_view type_name<detail::stop_all> = "cairn.stop_all";
template <>
inline constexpr std::string_view type_name<detail::restart_all> = "cairn.restart_all";
template <>
inline constexpr std::string_view type_name<detail::suspend_all> = "cairn.suspend_all";
template <>
inline constexpr std::string_view type_name<detail::resume_all> = "cairn.resume_all";
template <>
inline constexpr std::string_view type_name<detail::declare> = "cairn.declare";
template <>
inline constexpr std::string_view type_name<detail::forgive> = "cairn.forgive";
}  // namespace cairn

namespace cairn::detail {

[[nodiscard]] inline bool is_supervisor(const actor_type* type) noexcept {
  return type != nullptr && type->hash == type_hash<supervisor_actor>;
}

/// A message to a supervisor.
template <class M>
[[nodiscard]] envelope_ptr make_note(M message) {
  auto made = make_envelope(std::move(message));
  made->index = static_cast<std::uint16_t>(index_of<M, supervisor_actor::protocol>);
  made->reserved = true;  // the bound is for the messages of users
  return made;
}

/// The children in the order of their birth.
[[nodiscard]] inline std::vector<ward> wards_of(cell& self) {
  turn& here = turn_here("a supervisor");
  std::vector<ward> seen;
  if (!here.replaying() && self.more) {
    self.more->children.for_each([&](const std::string&, const child& each) {
      seen.push_back({each.where.id, each.shutdown.count(), each.where.where->slot_index,
                      is_supervisor(each.type) ? 1U : 0U});
    });
    std::sort(seen.begin(), seen.end(), [](const ward& a, const ward& b) { return a.id < b.id; });
  }
  const auto count = here.handed([&] { return std::uint64_t{seen.size()}; });
  seen.resize(count);
  for (ward& each : seen) each = here.handed([&] { return each; });
  return seen;
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
  if (whom.supervises != 0) {
    auto done = mine.note(whom, restart_all{how}).as_result();
    (void)co_await std::move(done);
  } else {
    auto done = mine.word(whom, how == sibling_restart::fresh ? control::reset : control::restart)
                    .as_result();
    (void)co_await std::move(done);
  }
}

inline task<> suspend_wards(std::string reason, context_base* self) {
  orders mine{*self};
  const std::vector<ward> all = wards_of(self->where());
  for (const ward& each : all) {
    if (each.supervises != 0) {
      suspend_all whole{reason};
      auto done = mine.note(each, std::move(whole)).as_result();
      (void)co_await std::move(done);
    } else {
      auto done = mine.word(each, control::hold, reason).as_result();
      (void)co_await std::move(done);
    }
  }
}

/// As much time as it was given, and then no more.
inline task<> stop_ward(ward whom, std::string reason, context_base* self) {
  orders mine{*self};
  if (whom.shutdown > 0) {
    auto stopping = mine.stop(whom, reason).as_result();
    const result<void> stopped = co_await std::move(stopping);
    if (stopped || stopped.code() != errc::timeout) co_return;
    sometimes("child not stopped in time");
    reason += "; it had not stopped in time";
  }
  auto killing = mine.word(whom, control::kill, reason).as_result();
  (void)co_await std::move(killing);
}

inline task<> stop_wards(std::string reason, context_base* self) {
  std::vector<ward> all = wards_of(self->where());
  for (std::size_t at = all.size(); at > 0; --at) {
    co_await stop_ward(all[at - 1], reason, self);
  }
}

/// The children have been stopped: nothing stands in the way.
inline void stop_now(std::string reason, context_base* self) {
  self->stop(std::move(reason));
  turn_here("a supervisor").also().childless = true;
}

/// How an ordinary actor stops that has children.
inline task<> stop_family(std::string reason, context_base* self) {
  co_await stop_wards("its parent stopped", self);
  stop_now(std::move(reason), self);
}

inline task<> supervisor_actor::on(child_failed what, context<supervisor_actor>& self) {
  orders mine{self};
  if (what.levels > 0 && mine.has_above()) {
    mine.tell_above({self.id(), self.where().slot_index, what.what, what.levels - 1, what.text});
    co_return;
  }
  const std::vector<ward> all = wards_of(self.where());
  const auto failed =
      std::find_if(all.begin(), all.end(), [&](const ward& each) { return each.id == what.who; });
  if (what.levels > 0 || what.what == decision::suspend) {  // at the top nobody else is left
    if (what.levels > 0 || failed == all.end() || failed->supervises == 0) {
      co_await suspend_wards(what.text, &self);
    } else {
      suspend_all whole{what.text};
      auto done = mine.note(*failed, std::move(whole)).as_result();
      (void)co_await std::move(done);
    }
    co_return;
  }
  if (what.what == decision::stop) {
    if (failed != all.end()) co_await stop_ward(*failed, what.text, &self);
    co_return;
  }
  if (too_many(self.now())) {
    std::string text = "more restarts than " + std::to_string(rules.intensity.restarts) +
                       " below " + std::string{self.name()} + "; the last failure: " + what.text;
    if (rules.exceeded == decision::stop) {
      sometimes("group that failed too often stopped");
      co_await stop_wards(text, &self);
      stop_now(text, &self);
    } else if (rules.exceeded == decision::escalate && mine.has_above()) {
      sometimes("group that failed too often passed up");
      mine.tell_above({self.id(), self.where().slot_index, decision::restart, 0, text});
    } else {
      co_await suspend_wards(text, &self);
    }
    co_return;
  }
  const auto delay =
      delay_of(rules.backoff, static_cast<std::uint32_t>(restarts.size()), self.random());
  if (delay.count() > 0) co_await self.sleep(delay);
  const restart_strategy strategy = rules.strategy;
  const sibling_restart how = rules.siblings;
  for (const ward& each : all) {
    if (each.id == what.who && each.supervises == 0) {
      auto done = mine.word(each, control::go_on).as_result();
      (void)co_await std::move(done);
    } else if (each.id == what.who || strategy == one_for_all ||
               (strategy == rest_for_one && each.id > what.who)) {
      co_await restart_ward(each, how, &self);
    }
  }
}

inline task<> supervisor_actor::on(stop_all what, context<supervisor_actor>& self) {
  co_await stop_family(what.reason, &self);
}

inline task<> supervisor_actor::on(restart_all what, context<supervisor_actor>& self) {
  const std::vector<ward> all = wards_of(self.where());
  for (const ward& each : all) co_await restart_ward(each, what.how, &self);
}

inline task<> supervisor_actor::on(suspend_all what, context<supervisor_actor>& self) {
  co_await suspend_wards(what.reason, &self);
}

inline task<> supervisor_actor::on(resume_all, context<supervisor_actor>& self) {
  restarts.clear();
  orders mine{self};
  const std::vector<ward> all = wards_of(self.where());
  for (const ward& each : all) {
    if (each.supervises != 0) {
      auto done = mine.note(each, resume_all{}).as_result();
      (void)co_await std::move(done);
    } else {
      mine.resume(each);
    }
  }
}

}  // namespace cairn::detail
