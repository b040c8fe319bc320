// Which turns of a system may be now: what one actor has sent another waits for the test, what is
// an actor's own affair does not.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "../../root.hpp"
#include "mail_view.hpp"
#include "planned_failures.hpp"

namespace cairn::detail {

/// Asked by the worker before each turn, while somebody steps it. Mailboxes are as in any system:
/// snapshots hold what waits in them.
class turn_gate final : public pauser {
 public:
  /// Another system is stepped from now on; nothing of it has run.
  void watch(program& of) {
    of_ = &of;
    hidden_ = {};
    failures_.clear();
    senders_.go_back(of.cells);
  }

  /// Before a worker's step: what it will find in its lane is from threads outside.
  void begin_step() noexcept { acting_ = outside_id; }
  /// Between steps: what was hidden is back in its place, and whose effects are new is noted.
  void tidy() {
    if (cell* one = std::exchange(hidden_.of, nullptr)) {
      if (!hidden_.queue.empty() || !hidden_.replies.empty()) make_ready(*one);
      put_back(one->box.queue, hidden_.queue);
      put_back(one->box.replies, hidden_.replies);
    }
    for (std::uint32_t index = 1; index < of_->cells.used(); ++index) {
      cell& one = *of_->cells.at(index);
      senders_.note(one, due_ ? one.self().id : acting_);
    }
    due_ = false;
  }

  /// Lets an actor be given what waits for it, before anything else that does.
  /// Precondition: `mail_view::next_for` gave it.
  void permit(cell& one, const envelope& what) {
    if (what.kind == envelope_kind::reply) {
      bring_forward(one.box.replies, what);
    } else {
      bring_message_forward(one, what);
    }
    permitted_ = &one;
    make_ready(one);
  }
  /// Whether what was permitted has not begun.
  [[nodiscard]] bool is_pending() const noexcept { return permitted_ != nullptr; }

  /// Lets this many messages and answers be handled, in the system's own order.
  void open(std::uint64_t most) noexcept {
    left_ = most;
    overrun_ = false;
    for (std::uint32_t index = 2; index < of_->cells.used(); ++index) {
      cell& one = *of_->cells.at(index);
      if (one.type != nullptr) make_ready(one);
    }
  }
  /// Whether there was more than that.
  [[nodiscard]] bool close() noexcept {
    left_ = 0;
    return std::exchange(overrun_, false);
  }
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }

  /// The clock has moved: what comes first has fallen due, and is its receiver's own.
  void note_due() noexcept { due_ = true; }

  [[nodiscard]] const sender_book& senders() const noexcept { return senders_; }
  [[nodiscard]] planned_failures& failures() noexcept { return failures_; }

  void pause() noexcept override {}
  [[nodiscard]] bool reads_mail() const noexcept override { return true; }
  void reached(const char*) noexcept override {}

  bool may_go_on(cell& one) noexcept override {
    tidy();
    if (!is_own(one)) {
      if (permitted_ == &one) {
        permitted_ = nullptr;
      } else if (left_ != 0) {
        --left_;
      } else {
        overrun_ = true;
        return false;
      }
      ++delivered_;
    }
    acting_ = one.self().id;
    prepare(one);
    return true;
  }

 private:
  void make_ready(cell& one) {
    worker& only = *of_->workers.front();
    only.ready.push(one);
    of_->wake(only);
  }

  struct hidden_mail {
    cell* of = nullptr;
    bool replays = false;
    envelope_list queue{};
    envelope_list replies{};
  };

  /// Whether what the actor would do next is its own affair, which may overtake others' answers.
  [[nodiscard]] static bool is_own(cell& one) {
    if (one.slot_index == 1 || one.type == nullptr) return true;
    if (one.stopped || one.dormant || one.suspended || one.needs_replay) return true;
    for (const envelope* each = one.box.replies.front(); each != nullptr; each = each->next) {
      if (mail_view::is_held_reply(one, *each)) continue;
      bring_forward(one.box.replies, *each);
      return true;
    }
    if (!one.box.replies.empty()) return false;
    const envelope* next = one.box.queue.front();
    if (one.busy() || next == nullptr || !mail_view::is_held_message(one, *next)) return true;
    return one.needs_start;  // what waits will be hidden from it
  }

  /// Before a turn: what it must not see is hidden, and the turn may have been told to fail.
  void prepare(cell& one) {
    if (one.type == nullptr || one.slot_index == 1) return;
    failures_.before_message();
    const envelope* reply = one.box.replies.front();
    if (one.stopped || one.dormant || one.suspended) return;
    if (one.needs_replay || (reply == nullptr && is_starting(one))) {
      hidden_.of = &one;
      hidden_.replays = one.needs_replay;
      hidden_.queue = std::move(one.box.queue);
    } else if (reply != nullptr) {
      failures_.before_reply(one, reply->answer.number);
    }
  }
  [[nodiscard]] static bool is_starting(const cell& one) {
    const envelope* next = one.box.queue.front();
    const bool birth = next != nullptr && next->ops == &ops_of<birth_note>;
    return one.needs_start && !one.busy() && !birth;
  }

  /// A replay has come to its end, in the turn that would go on with the first answer: of those
  /// that a test shall deliver it finds none.
  void started(cell& one) {
    if (hidden_.of != &one || !hidden_.replays) return;
    envelope_list own;
    while (!one.box.replies.empty()) {
      auto each = one.box.replies.pop_front();
      const bool held = mail_view::is_held_reply(one, *each);
      (held ? hidden_.replies : own).push_back(std::move(each));
    }
    one.box.replies = std::move(own);
  }

  static void put_back(envelope_list& where, envelope_list& before) {
    while (!where.empty()) before.push_back(where.pop_front());
    where = std::move(before);
  }

  static void bring_forward(envelope_list& all, const envelope& what) {
    envelope_list others;
    envelope_ptr first;
    while (!all.empty()) {
      auto each = all.pop_front();
      if (each.get() == &what) {
        first = std::move(each);
      } else {
        others.push_back(std::move(each));
      }
    }
    all = std::move(others);
    all.push_front(std::move(first));
  }

  /// Of different senders any may have been first. Tickets rise in the mailbox, so each that comes
  /// later now gets the next one's; a record under its old one does not count any more.
  void bring_message_forward(cell& one, const envelope& what) {
    std::vector<std::uint64_t> tickets;
    for (const envelope* each = one.box.queue.front(); each != &what; each = each->next) {
      tickets.push_back(each->ticket);
    }
    if (tickets.empty()) return;
    tickets.push_back(what.ticket);
    bring_forward(one.box.queue, what);
    one.box.forget_swept();  // and is to be recorded again
    std::vector<actor_id> from;
    envelope* each = one.box.queue.front();
    for (const auto ticket : tickets) {
      from.push_back(senders_.sender_of(one, each->ticket));
      each->ticket = ticket;
      each->recorded = {};
      each = each->next;
    }
    for (std::size_t at = 0; at < tickets.size(); ++at) senders_.set(one, tickets[at], from[at]);
  }

  program* of_ = nullptr;
  planned_failures failures_{[this](cell& one) { started(one); }};
  sender_book senders_{};
  hidden_mail hidden_{};
  cell* permitted_ = nullptr;
  std::uint64_t left_ = 0;        ///< how much more may be handled while everything may
  bool overrun_ = false;          ///< … and that was not enough
  bool due_ = false;              ///< what comes now has fallen due
  actor_id acting_ = outside_id;  ///< whose effects are what is new
  std::uint64_t delivered_ = 0;
};

}  // namespace cairn::detail
