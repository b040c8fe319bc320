// What the root task's declarations do to supervisors and to their children. Both are at home on
// the first worker, like the root; children may be anywhere once they are awake.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "supervisor_actor.hpp"

namespace cairn::detail {

/// Gives a new child what its supervisor needs of it; tells one that the store gave back, where
/// that is other than what an earlier run of the program has said: the defaults too, of which
/// nothing is said. That one may run on another worker, or have stopped there: its cell is not
/// looked at.
inline void settle_child(turn& here, cell& above, std::string_view name, const address& made,
                         const std::optional<child_options>& said) {
  const child_options declared = said.value_or(child_options{});
  child* listed = above.rest().children.find(made.id, std::string{name});
  check(listed != nullptr, "a child that its supervisor does not list");
  const bool as_before =
      listed->restart == declared.restart && listed->shutdown == declared.shutdown;
  listed->restart = declared.restart;
  listed->shutdown = declared.shutdown;
  cell& one = *made.where;
  const auto& born = here.also().born;
  if (born.empty() || born.back().made != &one) {  // who has just been born is the last
    if (as_before) return;
    here.send(make_control(control::declare, {}, {}, bits_of(declared)), made);
    return;
  }
  if (said) one.rest().declared = declared;
  if (!one.type->persistent || !above.rest().rules->needs_first_state(declared.restart)) return;
  one.type->encode(one, one.rest().first_state);
  one.rest().first_schema = one.type->schema;
}

/// Of a supervisor below `above`, by each run anew. Both are at home on the first worker.
inline void declare_shutdown(cell& above, std::string_view name, const address& made,
                             std::chrono::nanoseconds shutdown) {
  child* listed = above.rest().children.find(made.id, std::string{name});
  if (listed != nullptr) listed->shutdown = shutdown;
  made.where->rest().declared.shutdown = shutdown;
}

/// Errors: throws `misuse` where one means nothing.
inline void check_rules(std::string_view name, const supervision& rules) {
  const auto demand = [&](bool holds, const char* text) {
    if (holds) return;
    throw error{errc::misuse, "supervisor \"" + std::string{name} + "\": " + text};
  };
  demand(rules.exceeded == decision::suspend || rules.exceeded == decision::stop ||
             rules.exceeded == decision::escalate,
         ".exceeded is suspend, stop or escalate");
  demand(is_share(rules.backoff.jitter), ".backoff.jitter is a share of the delay, from 0 to 1");
  demand(rules.intensity.within.count() >= 0, ".intensity.within is no time below 0");
  demand(rules.backoff.first.count() >= 0, ".backoff.first is no time below 0");
  demand(rules.backoff.most.count() >= 0, ".backoff.most is no time below 0");
}

/// Declares a supervisor below `above`.
[[nodiscard]] inline ref<supervisor_actor> declare_supervisor(turn& here, cell& above,
                                                              std::string_view name,
                                                              supervision rules) {
  if (!is_good_name(name)) {
    throw error{errc::bad_name, "a supervisor's name is 1 to 255 characters without '/'"};
  }
  const child* there = find_child(above, name);
  if (there != nullptr && !there->restored && is_supervisor(there->type)) {
    throw error{errc::name_taken,
                "a supervisor \"" + std::string{name} + "\" has been declared already"};
  }
  check_rules(name, rules);
  if (is_supervisor(above.type)) rules.above = above.rest().rules;
  const auto found = spawn<supervisor_actor>(here, above, name, rules);
  cell& made = *found.where().where;
  const bool again = made.rest().rules != nullptr;
  made.rest().rules = std::make_shared<const supervision>(std::move(rules));
  made.pinned = true;
  if (!made.dormant) return found;
  made.more->children.for_each([&](const std::string&, const child& each) {
    each.where.where->policy = made.more->rules;  // they are dormant: the wake hands it over
  });
  if (!again) here.system->wake_below(made);
  // Where its handler is suspended its state is not known before that is replayed.
  const supervisor_actor* state = made.needs_replay ? nullptr : &held<supervisor_actor>(made).state;
  const bool known = state != nullptr && state->rules.same_as(*made.more->rules);
  if (!known) here.send(make_note(declare{*made.more->rules}), found.where());
  const bool none = state != nullptr && state->rows.empty();
  if (!again && !none && here.system->ended_orderly()) {
    here.send(make_note(forgive{}), found.where());
  }
  return found;
}

}  // namespace cairn::detail
