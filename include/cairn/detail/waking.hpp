// A restored subtree is dormant until the program declares its supervisor. Then its actors start
// one after the other: the word that wakes one says who comes next, and who has started passes it
// on. The last one tells the supervisor right below the root task, where those who were born, or
// declared, meanwhile wait for it. These words are in no snapshot; a process that begins again, or
// a rollback, begins anew.
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

[[nodiscard]] inline const wake_note& note_of_wake(const envelope& word) noexcept {
  return *static_cast<const wake_note*>(word.payload());
}

/// Wakes an actor, and those below it, whether or not they are declared.
inline void wake_all(delivery& mail, const worker& mine, const address& who) {
  envelope_ptr word = wake_word(who, mine.seen);
  static_cast<wake_note*>(word->payload())->below = true;
  mail.send(std::move(word));
}

/// Wakes the children of an actor, which then wake theirs. By its home: what is further below may
/// be at home elsewhere, and awake.
inline void wake_children(delivery& mail, const worker& mine, const cell& one) {
  if (!one.more) return;
  std::vector<address> all;  // noted before: to send may lead to anything
  one.more->children.for_each(
      [&](const std::string&, const child& each) { all.push_back(each.where); });
  for (const address& each : all) wake_all(mail, mine, each);
}

/// Whether a dormant actor that is woken has nothing to do for it. By its home.
[[nodiscard]] inline bool only_sleeps(const cell& one) noexcept {
  hindrances others = one;
  others.dormant = others.needs_start = false;
  const bool restored = one.on_disk && one.known_since == epoch{};
  return !others.hindered() && restored && !one.more && one.box.empty() &&
         one.type->on_start == nullptr && !one.type->has_commit;
}

/// Not 0, and most often another one for each actor.
[[nodiscard]] constexpr std::uint8_t mark_of(actor_id who) noexcept {
  return static_cast<std::uint8_t>(raw(who) % 255 + 1);
}

/// Has a restored actor wake in its next turn, at its home: a word would take more room than all
/// else that a million of them need to begin.
///
/// Its home may find the mark before the entry that calls it, in a turn that something else has
/// called for: the mark itself hands the actor over, which this worker has looked at until here.
/// The cell of one that stops may be another's by then: the mark says whom it means, as well as a
/// byte can, and is cleared with the cell.
inline void rouse(delivery& mail, worker& mine, const address& who) {
  cell& one = *who.where;
  if (!one.is(who.id)) return;
  pause_point();
  one.woken.store(mark_of(who.id), std::memory_order_release);  // pairs with take_rousing()
  pause_point();
  mail.is_here(one) ? mine.ready.push(one) : mail.call_home(one);
}
/// Whether it was. By its home.
[[nodiscard]] inline bool take_rousing(cell& one) noexcept {
  if (one.woken.load(std::memory_order_relaxed) == 0) return false;  // it will be called again
  // pairs with the release in rouse()
  return one.woken.exchange(0, std::memory_order_acquire) == mark_of(one.self().id);
}

/// Wakes a restored actor that leads nobody. Most have nothing to do for it, and no turn.
inline void wake_one(delivery& mail, worker& mine, const address& who) {
  cell& one = *who.where;
  if (!mail.is_here(one)) return rouse(mail, mine, who);
  mail.take_incoming(one);
  if (!one.is(who.id) || !one.dormant) return;
  if (!only_sleeps(one)) return rouse(mail, mine, who);
  sometimes("dormant actor woken without a turn");
  one.dormant = one.needs_start = false;
}

/// Wakes those from `from.next` on, up to the first one that leads. Where that one has stopped, or
/// was awake, they are woken all the same: here at once, elsewhere by who finds its word.
inline void wake_next(delivery& mail, worker& mine, const wake_note& from) {
  if (!from.order) return;
  const auto& steps = from.order->steps;
  for (std::size_t index = from.next; index < steps.size(); ++index) {
    const wake_step& each = steps[index];
    if (!each.leads && each.restored) {
      wake_one(mail, mine, each.who);
      continue;
    }
    const cell& one = *each.who.where;
    if (each.leads && mail.is_here(one)) {
      if (!delivery::lives_in(one, each.who.id) || !one.dormant) continue;
    }
    envelope_ptr word = wake_word(each.who, mine.seen);
    if (each.leads) *static_cast<wake_note*>(word->payload()) = {from.order, index + 1};
    mail.send(std::move(word));
    if (each.leads) return;
  }
  if (from.order->top.where == nullptr) return;
  envelope_ptr word = wake_word(from.order->top, mine.seen);
  *static_cast<wake_note*>(word->payload()) = {from.order, steps.size()};
  mail.send(std::move(word));
}

/// Whether a word to one that does not sleep says that all below it have been woken.
[[nodiscard]] inline bool tells_of_end(const envelope& word) noexcept {
  const wake_note& note = note_of_wake(word);
  return note.order && note.next == note.order->steps.size() && note.order->top.id == word.target;
}

/// Whether a word stops an actor whatever it does.
[[nodiscard]] inline bool is_kill(const envelope& word) noexcept {
  return is_word(word.answer.number) && word.index == static_cast<std::uint16_t>(control::kill);
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
/// its children from the eldest on, each with all that is below it. A supervisor that is not
/// declared sleeps on, with its children. Reads dormant actors of other workers:
/// nobody else does anything to those.
inline void put_in_order(cell& top, actor_id first_new, huge_vector<wake_step>& to) {
  std::vector<cell*> left;
  const auto put = [&](cell& one) {
    const bool supervised = &one == &top || is_supervisor(one.parent.where->type);
    const bool supervisor = is_supervisor(one.type);
    const bool declared = one.more && std::exchange(one.more->to_wake, false);
    if (!one.dormant || (supervisor && !declared)) return false;
    // A supervisor leads also that none of its children wakes before it.
    const bool leads = supervisor || (supervised && one.type->on_start != nullptr);
    to.push_back({one.self(), leads, one.self().id < first_new});
    return one.more != nullptr;
  };
  left.push_back(&top);
  while (!left.empty()) {
    cell& one = *left.back();
    left.pop_back();
    if (!put(one)) continue;
    reserve_more(to, one.more->children.size());
    const auto first = static_cast<std::ptrdiff_t>(left.size());
    one.more->children.eldest_first([&](const child& each) {
      // Who has nobody below comes at once, unless an elder with others below waits.
      const bool waits = each.where.where->more || static_cast<std::ptrdiff_t>(left.size()) > first;
      waits ? left.push_back(each.where.where) : void(put(*each.where.where));
    });
    std::reverse(left.begin() + first, left.end());
  }
}

/// The one right below the root task that an actor is, or is below; the highest one that lives,
/// where one above it has stopped. On the first worker.
[[nodiscard]] inline cell& top_of(cell& one) noexcept {
  cell* top = &one;
  for (;;) {
    const address& above = top->parent;
    const bool is_top = above.where == nullptr || above.where->slot_index == 1;
    if (is_top || !delivery::lives_in(*above.where, above.id)) return *top;
    top = above.where;
  }
}

/// From here on who is spawned below the same top starts after those that are being woken, or will
/// be. On the first worker.
[[nodiscard]] inline waking_below& waking_at(cell& top) {
  auto& found = top.rest().below;
  if (!found) found = std::make_unique<waking_below>();
  return *found;
}

/// Has these wake, in this order, all of them below `top` or itself. On the first worker.
inline void wake_in_order(delivery& mail, worker& mine, actor_id first_new, cell& top,
                          const std::vector<address>& whom) {
  auto order = std::make_shared<wake_order>();
  for (const address& each : whom) {
    if (each.where->is(each.id)) put_in_order(*each.where, first_new, order->steps);
  }
  if (is_supervisor(top.type)) {
    order->top = top.self();
    waking_at(top).under_way = true;
  }
  wake_next(mail, mine, {std::move(order), 0});
}

/// All that were being woken below this one have started: now those that wait for it. On the first
/// worker.
inline void wake_latecomers(delivery& mail, worker& mine, actor_id first_new, const address& who) {
  cell& top = *who.where;
  if (!top.is(who.id) || !top.more || !top.more->below) return;  // see wake_orphans()
  const auto whom = std::move(top.more->below->latecomers);
  top.more->below.reset();
  if (!whom.empty()) wake_in_order(mail, mine, first_new, top, whom);
}

/// Whom the root task has declared, and below whom of its own.
struct declared_actor {
  address who{};
  address top{};
};

/// Wakes what the root task has declared, where it does not wait for others. Those below
/// `first_new` were restored. On the first worker, where they are at home.
inline void wake_declared(delivery& mail, worker& mine, actor_id first_new,
                          const std::vector<declared_actor>& all) {
  for (const auto& [who, above] : all) {
    const cell& top = *above.where;
    if (top.is(above.id) && top.more && top.more->below) {
      if (!top.more->below->under_way) wake_latecomers(mail, mine, first_new, above);
    } else if (who.where->is(who.id) && who.where->more && who.where->more->to_wake) {
      // No supervisor of the root's own; or that has stopped, and the next one below is the top.
      cell& next_top = top_of(*who.where);
      const bool waits = next_top.more && next_top.more->below;
      waits ? next_top.more->below->latecomers.push_back(who)
            : wake_in_order(mail, mine, first_new, next_top, {who});
    }
  }
}

/// The one for whose elders they wait has stopped: they are about to stop, too.
inline void wake_orphans(delivery& mail, worker& mine, const waking_below& below) {
  for (const address& each : below.latecomers) {
    sometimes("latecomer woken to be stopped");
    wake_all(mail, mine, each);
  }
}

/// Whether a new child of a supervisor is to wait for its elders, which are being woken: it is
/// woken once they are. On the first worker.
[[nodiscard]] inline bool comes_late(cell& made) {
  if (made.type->on_start == nullptr) return false;
  const cell& top = top_of(*made.parent.where);
  if (!top.more || !top.more->below) return false;
  sometimes("child spawned while its elders are being woken");
  top.more->below->latecomers.push_back(made.self());
  return true;
}

}  // namespace cairn::detail
