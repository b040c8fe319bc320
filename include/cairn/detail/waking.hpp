// A restored subtree is dormant until the program declares its supervisor. Then its actors start
// one after the other: the word that wakes one says who comes next, and who has started passes it
// on. These words are in no snapshot; a process that begins again, or a rollback, begins anew.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "delivery.hpp"
#include "supervisor_actor.hpp"

namespace cairn::detail {

/// The word that wakes an actor.
[[nodiscard]] inline envelope_ptr wake_word(const address& whom, epoch at) {
  auto word = make_envelope(wake_note{});
  word->kind = envelope_kind::reply;
  word->answer.number = wake_number;
  word->to = whom.where;
  word->target = whom.id;
  word->sent = at;
  return word;
}

/// Calls `each(cell&)` for a restored actor and every one below it, parents first, except for those
/// that `skip(cell&)`. Not by recursion: a subtree may be as deep as it likes. Children are noted
/// before: the actor may run as soon as it is told.
template <class Skip, class Each>
void for_subtree(cell& top, Skip&& skip, Each&& each) {
  std::vector<cell*> left{&top};
  while (!left.empty()) {
    cell& one = *left.back();
    left.pop_back();
    if (&one != &top && skip(one)) continue;
    if (one.more) {
      one.more->children.for_each([&](const std::string&, const child& each_child) {
        left.push_back(each_child.where.where);
      });
    }
    each(one);
  }
}

/// Wakes those from `from.next` on, up to the first one that leads.
inline void wake_next(delivery& mail, epoch at, const wake_note& from) {
  if (!from.order) return;
  for (std::size_t index = from.next; index < from.order->size(); ++index) {
    const wake_step& each = (*from.order)[index];
    envelope_ptr word = wake_word(each.who, at);
    if (each.leads) static_cast<wake_note*>(word->payload())->order = from.order;
    static_cast<wake_note*>(word->payload())->next = index + 1;
    mail.send(std::move(word));
    if (each.leads) return;
  }
}

/// Whether one that was woken has started, or waits for something else than its turn: it does not
/// hold up the next one.
[[nodiscard]] inline bool has_started(const cell& one) noexcept {
  return !one.needs_start || one.suspended || one.paused || one.busy();
}

/// Room for a million at once; for a few more it grows as it always does.
template <class Rows>
void reserve_more(Rows& rows, std::size_t more) {
  const std::size_t wanted = rows.size() + more;
  if (wanted > rows.capacity()) rows.reserve(std::max(wanted, 2 * rows.capacity()));
}

/// Puts a restored actor and what is below it in the order in which they start: a supervisor, then
/// its children from the eldest on, each with all that is below it. A supervisor that the present
/// turn has not declared sleeps on, with its children. Reads dormant actors of other workers:
/// nobody else does anything to those.
inline void put_in_order(cell& top, wake_order& to) {
  struct step {
    actor_id id;
    cell* one;
    bool supervised;
  };
  huge_vector<step> left{{top.self().id, &top, true}};
  while (!left.empty()) {
    const auto [id, one, supervised] = left.back();
    left.pop_back();
    const bool supervisor = is_supervisor(one->type);
    const bool declared = one->more && std::exchange(one->more->to_wake, false);
    if (!one->dormant || (supervisor && !declared)) continue;
    // A supervisor leads also that none of its children wakes before it.
    to.push_back({one->self(), supervisor || (supervised && one->type->on_start != nullptr)});
    if (!one->more) continue;
    const auto first = static_cast<std::ptrdiff_t>(left.size());
    reserve_more(left, one->more->children.size());
    reserve_more(to, one->more->children.size());
    one->more->children.for_each([&](const std::string&, const child& each) {
      left.push_back({each.where.id, each.where.where, supervisor});
    });
    const auto younger = [](const step& a, const step& b) { return a.id > b.id; };
    std::reverse(left.begin() + first, left.end());  // most often they come from the eldest on
    if (!std::is_sorted(left.begin() + first, left.end(), younger)) {
      std::sort(left.begin() + first, left.end(), younger);
    }
  }
}

/// Wakes what one turn of the root task has declared. On the worker where they are at home.
inline void wake_declared(delivery& mail, const worker& mine, const std::vector<address>& tops) {
  for (const address& each : tops) {
    if (!each.where->is(each.id)) continue;
    auto order = std::make_shared<wake_order>();
    put_in_order(*each.where, *order);
    wake_next(mail, mine.seen, {std::move(order), 0});
  }
}

}  // namespace cairn::detail
