// What a supervisor does about a child's failure that is not the child's alone: who is restarted
// for it, how often, and after what backoff.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "carrying_out.hpp"

namespace cairn::detail {

/// What the rules say of all children, or of the one whose restarts count by themselves. The
/// pointers and `of` outlive it.
inline task<> act_on_excess(supervisor_actor& of, const ward* failed, std::string last,
                            context<supervisor_actor>* self) {
  using deed = carry_on::deed;
  orders mine{*self};
  std::string text = "more restarts than " + std::to_string(of.rules.intensity.restarts) +
                     " below " + std::string{self->name()} + "; the last failure: " + last;
  if (of.rules.exceeded == decision::escalate && mine.has_above()) {
    sometimes("group that failed too often passed up");
    of.end_backoffs(*self);
    of.passed_up = true;
    mine.tell_above({self->id(), self->where().slot_index, decision::restart, 0, text});
    co_return;
  }
  const bool stop = of.rules.exceeded == decision::stop;
  if (!of.rules.groups()) {
    sometimes("supervisor below that failed too often");
    text = exceeded_text(of.rules, last);
    if (stop) {  // not with ?: GCC 12 would destroy the task twice
      co_await stop_ward(*failed, text, self);
    } else {
      co_await suspend_ward(*failed, text, self);
    }
    co_return;
  }
  if (stop) sometimes("group that failed too often stopped");
  of.end_backoffs(*self);
  const actor_id who = failed != nullptr ? failed->id : actor_id{};
  const carry_on all{stop ? deed::stop_group : deed::suspend, {}, {}, who, text};
  co_await carry_out(all, of.rules.strategy, self);
}

/// A child is to be restarted that has failed, or has stopped itself and begins afresh: the latter
/// waits for no backoff. The references outlive it.
inline task<> restart_for(supervisor_actor& of, const child_failed& what, const ward* failed,
                          context<supervisor_actor>& self) {
  const bool begun = what.what == decision::resume;
  const auto now = self.now();
  restart_row& row = of.row_of(what.who, now);
  const bool joins = of.is_to_restart(row, what.who);
  if (!joins && of.too_many(row, now)) {
    co_return co_await act_on_excess(of, failed, what.text, &self);
  }
  if (!row.waiting.empty()) {  // it has its own restart, or takes more of its siblings along
    sometimes(joins ? "failure that a backoff under way is for"
                    : "failure that joins a backoff under way");
    const bool waits = std::ranges::find(row.waiting, what.who) != row.waiting.end();
    // Also what is brought back anyway: at the backoff's end other rules may hold.
    if (!waits && (!joins || !begun)) row.waiting.push_back(what.who);
    if (begun && failed != nullptr) co_await go_on_ward(*failed, what.text, &self);
    co_return;
  }
  const auto delay = begun ? std::chrono::nanoseconds{}
                           : delay_of(of.rules.backoff, ++row.backoffs, self.random());
  if (delay.count() > 0 && !what.slept_for) {
    co_return supervisor_actor::begin_backoff(row, delay, what.who, self);
  }
  if (delay.count() > 0) co_await self.sleep(delay);
  const carry_on group{carry_on::deed::restart_group,
                       of.rules.siblings,
                       {},
                       what.who,
                       begun ? what.text : std::string{}};
  co_await carry_out(group, of.rules.strategy, &self);
}

/// Whether a later note tells of the same child, whose last one says for what it waits now.
///
/// Precondition: it has just said that it waits, and is no supervisor. What it has told before
/// stands in this mailbox: both have come the same way.
[[nodiscard]] inline bool fails_anew(cell& self, actor_id who) {
  const auto tells_of_it = [&] {
    const envelope* each = self.box.queue.front();
    while (each != nullptr && (each->ops != &ops_of<child_failed> ||
                               static_cast<const child_failed*>(each->payload())->who != who)) {
      each = each->next;
    }
    return each != nullptr;
  };
  turn& here = turn_here("a supervisor");
  return here.handed(handed_value::children, [&] { return std::uint64_t{tells_of_it()}; }) != 0;
}

inline task<> supervisor_actor::on(child_failed what, context<supervisor_actor>& self) {
  orders mine{self};
  const auto is_it = [&](actor_id each) { return each == what.who; };
  const wards found = wards_of(self.where(), 1, false, is_it, is_it);
  const ward* failed = found.some.empty() ? nullptr : &found.some.front();
  if (failed != nullptr && failed->supervises != sleeps) {
    std::string which = what.which != 0 ? std::to_string(what.which) : std::string{};
    auto cured = mine.word(*failed, control::has_gone_on, std::move(which)).as_result();
    const result<void> gone_on = co_await std::move(cured);
    // It failed at the same time as a sibling, and was restarted with that one.
    if (gone_on) co_return sometimes("failure that a restart before has cured");
    if (gone_on.code() == errc::not_found && fails_anew(self.where(), what.who)) {
      co_return sometimes("failure of a process before that was cured");
    }
  }
  if (what.levels > 0 && mine.has_above()) {
    passed_up = true;
    mine.tell_above({self.id(), self.where().slot_index, what.what, what.levels - 1, what.text});
    co_return;
  }
  if (what.levels > 0) {  // at the top nobody else is left
    end_backoffs(self);
    const carry_on suspend{carry_on::deed::suspend, {}, {}, what.who, what.text};
    co_await carry_out(suspend, rules.strategy, &self);
  } else if (what.what == decision::suspend) {
    if (failed != nullptr) co_await suspend_ward(*failed, what.text, &self);
  } else if (what.what == decision::stop) {
    if (failed != nullptr) co_await stop_ward(*failed, what.text, &self);
  } else if (failed != nullptr || rules.groups()) {
    co_await restart_for(*this, what, failed, self);
  }
}

/// One handler for each that has failed, where they are restarted by themselves.
inline task<> supervisor_actor::on(backoff_over what, context<supervisor_actor>& self) {
  restart_row* row = row_that_waits(what.number);
  if (row == nullptr) co_return sometimes("end of a backoff that was cut short");
  const auto first = std::ranges::min_element(row->waiting);
  const carry_on group{carry_on::deed::restart_group, rules.siblings, {}, *first, {}};
  rules.strategy == one_for_one ? void(row->waiting.erase(first)) : row->waiting.clear();
  co_await carry_out(group, rules.strategy, &self);
  if (row_that_waits(what.number) != nullptr) {
    turn_here("a supervisor").also().then = make_note(std::move(what));
  }
}

}  // namespace cairn::detail
