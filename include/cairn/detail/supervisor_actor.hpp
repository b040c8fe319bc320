// The actor behind a supervisor: what it does when a child tells of a failure that is not the
// child's alone, and how it stops. An ordinary persistent actor: its restarts, backoffs and orders
// under way are in every snapshot, like those of any other.
//
// A child decides by itself what its supervisor's rules say of its failure, and does so at once
// where nobody else is concerned (see `failures`). Else it stands before its failing turn, paused,
// and tells its supervisor. Children are read from the cell, whose home they share with the root
// task; what was read is recorded, like everything that a handler is handed. What it does to them
// is in `carrying_out`, and when it restarts them in `restarting`.
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
  decision what = decision::restart;  ///< resume: it stopped itself, and begins at once
  std::uint32_t levels = 0;           ///< how many supervisors above this one have decided so
  std::string text{};
  bool slept_for = false;   ///< by an older cairn, whose handler slept for as long as the backoff
  std::uint64_t which = 0;  ///< of its failures; 0: an older cairn, or a supervisor, says none
  void serialize(auto& archive, std::uint32_t version) {
    archive(who, slot_index, what, levels, text);
    if (version == 0) {
      slept_for = true;
    } else {
      archive(slept_for);
    }
    if (version >= 2) archive(which);
  }
};
/// A backoff is over: that of this number.
struct backoff_over {
  std::uint64_t number = 0;
  void serialize(auto& archive) { archive(number); }
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
/// What is done to one child after the other. What a handler was handed is bounded, children are
/// not: so each handler does it to a number of them, and the next one, at once, goes on behind the
/// last of these.
struct carry_on {
  enum class deed : std::uint8_t { stop, stop_group, restart, restart_group, suspend, resume };
  deed what{};
  sibling_restart how{};
  actor_id behind{};  ///< whom it was done to last; nobody: it begins
  actor_id failed{};  ///< of a group that is restarted, or suspended for it
  std::string reason{};
  void serialize(auto& archive) { archive(what, how, behind, failed, reason); }
};

/// The restarts in a row of one child, where each is restarted and counted by itself; else those of
/// all children.
struct restart_row {
  actor_id whose{};                      ///< nobody: those of all
  std::vector<std::int64_t> restarts{};  ///< when, in nanoseconds of the wall clock
  std::uint32_t backoffs = 0;            ///< several restarts may share one
  std::uint64_t timer = 0;               ///< of the backoff that is under way
  std::vector<actor_id> waiting{};       ///< whose failures wait for its end; none: there is none
  void serialize(auto& archive) { archive(whose, restarts, backoffs, timer, waiting); }
};

struct supervisor_actor {
  using protocol = cairn::protocol<child_failed, stop_all, restart_all, suspend_all, resume_all,
                                   declare, forgive, carry_on, backoff_over>;
  supervision rules{};
  std::vector<restart_row> rows{};
  bool passed_up = false;  ///< a failure, and what the one above does about it is still to come

  void save(auto& archive, std::uint32_t /*version*/) const {
    rules.save(archive);
    archive(rows, passed_up);
  }
  void load(auto& archive, std::uint32_t version) {
    rules.load(archive);
    if (version >= 2) {
      archive(rows, passed_up);
      return;
    }
    restart_row old;
    archive(old.restarts);
    if (version == 0) {
      old.backoffs = static_cast<std::uint32_t>(old.restarts.size());
    } else {
      archive(old.backoffs, old.timer, old.waiting);
    }
    rows = {std::move(old)};
    if (!rules.groups()) take_apart();
    drop_empty_rows();
    passed_up = true;  // it may be
  }
  /// Those who wait had counted and waited together, and do so by themselves from now on. The last
  /// restarts are those that they wait for; whose the others were is not known.
  void take_apart() {
    const restart_row old = std::exchange(rows, {}).front();
    auto when = old.restarts.end() -
                static_cast<std::ptrdiff_t>(std::min(old.restarts.size(), old.waiting.size()));
    for (const actor_id who : old.waiting) {
      auto row = std::ranges::find(rows, who, &restart_row::whose);
      if (row == rows.end()) row = rows.insert(row, {who, {}, old.backoffs, old.timer, {who}});
      if (when != old.restarts.end()) row->restarts.push_back(*when++);
    }
    std::ranges::sort(rows, {}, &restart_row::whose);  // as they came back from the one before
  }

  inline task<> on(child_failed what, context<supervisor_actor>& self);
  inline task<> on(stop_all what, context<supervisor_actor>& self);
  inline task<> on(restart_all what, context<supervisor_actor>& self);
  inline task<> on(suspend_all what, context<supervisor_actor>& self);
  inline task<> on(resume_all what, context<supervisor_actor>& self);
  inline task<> on(carry_on what, context<supervisor_actor>& self);
  inline task<> on(backoff_over what, context<supervisor_actor>& self);
  void on(declare what) { rules = std::move(what.rules); }
  void on(forgive) { forget(); }

  void forget() {
    for (restart_row& each : rows) forget(each);
    drop_empty_rows();
  }
  static void forget(restart_row& row) noexcept {
    row.restarts.clear();
    row.backoffs = 0;
  }
  void drop_empty_rows() {
    std::erase_if(rows, [](const restart_row& each) {
      return each.restarts.empty() && each.waiting.empty();
    });
  }
  /// Where this one's failures count. Good until the next one is asked for.
  [[nodiscard]] restart_row& row_of(actor_id failed, std::chrono::system_clock::time_point now) {
    const auto at = std::chrono::nanoseconds{now.time_since_epoch()}.count();
    for (restart_row& each : rows) {
      if (!each.restarts.empty() && at - each.restarts.back() > rules.quiet().count()) forget(each);
    }
    drop_empty_rows();
    const actor_id whose = rules.groups() ? actor_id{} : failed;
    const auto found = std::ranges::find(rows, whose, &restart_row::whose);
    if (found != rows.end()) return *found;
    rows.push_back({whose});
    return rows.back();
  }
  /// Whose backoff is under way that has this timer.
  [[nodiscard]] restart_row* row_that_waits(std::uint64_t timer) noexcept {
    const auto found = std::ranges::find_if(rows, [&](const restart_row& each) {
      return each.timer == timer && !each.waiting.empty();  // several shared one: see take_apart()
    });
    return found == rows.end() ? nullptr : &*found;
  }
  /// `failed` waits for it.
  inline static void begin_backoff(restart_row& row, std::chrono::nanoseconds span, actor_id failed,
                                   context<supervisor_actor>& self);
  /// Whatever waits for one is dealt with now.
  inline void end_backoffs(context<supervisor_actor>& self);
  /// Whether the restart that waits for the backoff under way brings this one back, too.
  [[nodiscard]] bool is_to_restart(const restart_row& row, actor_id who) const noexcept {
    if (row.waiting.empty()) return false;
    if (row.whose != actor_id{} || rules.strategy == one_for_all) return true;
    return rules.strategy == rest_for_one && who >= *std::ranges::min_element(row.waiting);
  }

  /// Notes a restart; whether there were more than the rules allow.
  [[nodiscard]] bool too_many(restart_row& row, std::chrono::system_clock::time_point now) const {
    auto& restarts = row.restarts;
    const auto at = std::chrono::nanoseconds{now.time_since_epoch()}.count();
    const auto within = rules.intensity.within.count();
    restarts.push_back(at);
    const std::size_t enough = std::max<std::size_t>(64, rules.intensity.restarts + std::size_t{1});
    if (restarts.size() > enough) restarts.erase(restarts.begin());
    const auto recent = std::count_if(restarts.begin(), restarts.end(),
                                      [&](const auto when) { return at - when <= within; });
    return static_cast<std::size_t>(recent) > rules.intensity.restarts;
  }
};

}  // namespace cairn::detail

namespace cairn {
template <>
inline constexpr std::string_view type_name<detail::supervisor_actor> = "cairn.supervisor";
template <>
inline constexpr std::string_view type_name<detail::child_failed> = "cairn.child_failed";
template <>
inline constexpr std::string_view type_name<detail::backoff_over> = "cairn.backoff_over";
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
template <>
inline constexpr std::string_view type_name<detail::carry_on> = "cairn.carry_on";
}  // namespace cairn

CEREAL_CLASS_VERSION(cairn::detail::supervisor_actor, 2)
CEREAL_CLASS_VERSION(cairn::detail::child_failed, 2)

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

inline void supervisor_actor::begin_backoff(restart_row& row, std::chrono::nanoseconds span,
                                            actor_id failed, context<supervisor_actor>& self) {
  sometimes("group waits for a backoff");
  row.waiting.push_back(failed);
  row.timer = self.where().next_number++;
  auto over = make_note(backoff_over{row.timer});
  over->to = &self.where();
  over->target = self.id();
  turn_here("a supervisor").also().timers.push_back({row.timer, span, std::move(over)});
}

inline void supervisor_actor::end_backoffs(context<supervisor_actor>& self) {
  for (restart_row& each : rows) {
    if (each.waiting.empty()) continue;
    sometimes("backoff of a group cut short");
    each.waiting.clear();
    self.cancel(reminder{each.timer});
  }
}

}  // namespace cairn::detail

#include "carrying_out.hpp"
