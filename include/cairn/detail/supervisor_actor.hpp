// The actor behind a supervisor: what it does when a child tells of a failure that is not the
// child's alone, and how it stops. An ordinary persistent actor: its restarts, backoffs and orders
// under way are in every snapshot, like those of any other.
//
// A child decides by itself what its supervisor's rules say of its failure, and does so at once
// where nobody else is concerned (see `failures`). Else it stands before its failing turn, paused,
// and tells its supervisor. Children are read from the cell, whose home they share with the root
// task; what was read is recorded, like everything that a handler is handed. What it does to them
// is in `carrying_out`.
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
  bool slept_for = false;  ///< by an older cairn, whose handler slept for as long as the backoff
  void serialize(auto& archive, std::uint32_t version) {
    archive(who, slot_index, what, levels, text);
    if (version == 0) {
      slept_for = true;
    } else {
      archive(slept_for);
    }
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
  actor_id failed{};  ///< of a group that is restarted
  std::string reason{};
  void serialize(auto& archive) { archive(what, how, behind, failed, reason); }
};

struct supervisor_actor {
  using protocol = cairn::protocol<child_failed, stop_all, restart_all, suspend_all, resume_all,
                                   declare, forgive, carry_on, backoff_over>;
  supervision rules{};
  std::vector<std::int64_t> restarts{};  ///< in a row: when, in nanoseconds of the wall clock
  std::uint32_t backoffs = 0;            ///< in a row: several restarts may share one
  std::uint64_t timer = 0;               ///< of the backoff that is under way
  std::vector<actor_id> waiting{};       ///< whose failures wait for its end; none: there is none

  void save(auto& archive, std::uint32_t /*version*/) const {
    rules.save(archive);
    archive(restarts, backoffs, timer, waiting);
  }
  void load(auto& archive, std::uint32_t version) {
    rules.load(archive);
    archive(restarts);
    if (version == 0) {
      backoffs = static_cast<std::uint32_t>(restarts.size());
    } else {
      archive(backoffs, timer, waiting);
    }
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

  void forget() noexcept {
    restarts.clear();
    backoffs = 0;
  }
  /// `failed` waits for it.
  inline void begin_backoff(std::chrono::nanoseconds span, actor_id failed,
                            context<supervisor_actor>& self);
  /// Whatever waits for it is dealt with now.
  inline void end_backoff(context<supervisor_actor>& self);
  /// Whether the restart that waits for the backoff under way brings this one back, too.
  [[nodiscard]] bool is_to_restart(actor_id who) const noexcept {
    if (waiting.empty() || rules.strategy == one_for_one) return false;
    return rules.strategy == one_for_all || who >= *std::ranges::min_element(waiting);
  }

  /// Notes a restart; whether there were more than the rules allow.
  [[nodiscard]] bool too_many(std::chrono::system_clock::time_point now) {
    const auto at = std::chrono::nanoseconds{now.time_since_epoch()}.count();
    const auto within = rules.intensity.within.count();
    if (!restarts.empty() && at - restarts.back() > rules.quiet().count()) forget();
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

CEREAL_CLASS_VERSION(cairn::detail::supervisor_actor, 1)
CEREAL_CLASS_VERSION(cairn::detail::child_failed, 1)

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

inline void supervisor_actor::begin_backoff(std::chrono::nanoseconds span, actor_id failed,
                                            context<supervisor_actor>& self) {
  sometimes("group waits for a backoff");
  waiting.push_back(failed);
  timer = self.where().next_number++;
  auto over = make_note(backoff_over{timer});
  over->to = &self.where();
  over->target = self.id();
  turn_here("a supervisor").also().timers.push_back({timer, span, std::move(over)});
}

inline void supervisor_actor::end_backoff(context<supervisor_actor>& self) {
  if (waiting.empty()) return;
  sometimes("backoff of a group cut short");
  waiting.clear();
  self.cancel(reminder{timer});
}

}  // namespace cairn::detail

#include "carrying_out.hpp"
