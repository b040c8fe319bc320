// Where messages wait. The home worker alone touches `queue` and `replies`; every other worker
// pushes into the inbox.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "envelope_list.hpp"
#include "sweep_marks.hpp"

namespace cairn::detail {

/// Many producers push, one consumer takes everything at once. Lock-free; `Node` has a `Node*`
/// member `Next` that belongs to the list while the node is in it.
template <class Node, Node* Node::* Next>
class inbox {
 public:
  /// Any thread. Sequentially consistent, because the pusher then looks whether the consumer
  /// sleeps, and the consumer says that it sleeps before it looks here: one of them sees the other.
  void push(Node* node) noexcept { push_run(node, node); }
  /// The same of several at once. `newest` leads to `oldest` through `Next`.
  void push_run(Node* newest, Node* oldest) noexcept {
    Node* top = top_.load(std::memory_order_relaxed);
    do {
      oldest->*Next = top;
      // pairs with the exchange in take_all() and the load in empty()
    } while (!top_.compare_exchange_weak(top, newest, std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
  }

  /// The consumer only: whether `take_all` would find nothing. Relaxed: what is pushed now is found
  /// the next time.
  [[nodiscard]] bool seems_empty() const noexcept {
    return top_.load(std::memory_order_relaxed) == nullptr;
  }

  /// The consumer only. The nodes in the order of their pushes, linked through `Next`.
  [[nodiscard]] Node* take_all() noexcept {
    if (top_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    Node* newest = top_.exchange(nullptr, std::memory_order_acquire);  // pairs with push()
    Node* oldest = nullptr;
    while (newest != nullptr) {
      Node* before = std::exchange(newest->*Next, oldest);
      oldest = std::exchange(newest, before);
    }
    return oldest;
  }

  /// Any thread. Sequentially consistent: see push().
  [[nodiscard]] bool empty() const noexcept {
    return top_.load(std::memory_order_seq_cst) == nullptr;
  }

 private:
  std::atomic<Node*> top_{nullptr};
};

/// Whether it waits for the commit of its sender's epoch. Also an answer that an ephemeral actor
/// gives: it may tell what others have only begun to keep.
[[nodiscard]] inline bool is_held(const envelope& message) noexcept {
  return message.kind == envelope_kind::reply && message.answer.when_committed;
}

using envelope_inbox = inbox<envelope, &envelope::next>;

/// How far something has gone in a mailbox's queue. Most mailboxes need none of it.
struct queue_marks {
  envelope* attended = nullptr;  ///< of a suspended actor: the last one that it has looked at
  sweep_marks swept{};
};

/// One actor's waiting messages.
///
/// A local send first takes over what stands in the inbox; else a message that another worker
/// pushed earlier, on behalf of the same sender before it moved here, would be overtaken.
struct mailbox {
  envelope_inbox incoming{};             ///< who pushes then looks at the mark `cell::queued`
  envelope_list queue{};                 ///< home worker only: messages and control, in order
  envelope_list replies{};               ///< home worker only
  std::unique_ptr<queue_marks> marks{};  ///< in `queue`; home worker only
  std::uint64_t last_ticket = 0;         ///< the newest that was given
  std::uint64_t done_ticket = 0;         ///< of the newest that was consumed

  /// Of the one that is put into the queue, or is handled or given up as if it had been last there.
  void give_ticket(envelope& message) noexcept { message.ticket = ++last_ticket; }

  /// Words go before answers, in their order.
  void add_reply(envelope_ptr reply) noexcept {
    is_word(reply->answer.number) ? put_back(std::move(reply))
                                  : replies.push_back(std::move(reply));
  }
  /// Behind the words, before the answers.
  void put_back(envelope_ptr reply) noexcept {
    envelope* last = nullptr;
    for (envelope* each = replies.front(); each != nullptr && is_word(each->answer.number);
         each = each->next) {
      last = each;
    }
    replies.put_after(last, std::move(reply));
  }
  /// What has been taken out, and may have changed meanwhile, waits again before all others; or a
  /// note of the actor's to itself, which has no ticket.
  void put_in_front(envelope_ptr message) noexcept {
    if (message->ticket != 0) done_ticket = message->ticket - 1;
    if (marks) marks->swept.put_in_front(message->ticket);
    queue.push_front(std::move(message));
  }
  /// Takes out what stands behind `before`, as `envelope_list::take_after`. Something else may take
  /// its place.
  [[nodiscard]] envelope_ptr take_within(envelope* before) noexcept {
    envelope_ptr taken = queue.take_after(before);
    if (marks && marks->swept.has_passed(taken->ticket)) marks->swept = {};
    return taken;
  }

  [[nodiscard]] queue_marks& made_marks() {
    if (!marks) marks = std::make_unique<queue_marks>();
    return *marks;
  }
  [[nodiscard]] envelope* attended() const noexcept { return marks ? marks->attended : nullptr; }
  /// What waits for a suspended actor is looked at anew.
  void attend_anew() noexcept {
    if (marks) marks->attended = nullptr;
  }
  /// The next sweep goes through all that waits.
  void forget_swept() noexcept {
    if (attended() == nullptr) return marks.reset();
    marks->swept = {};
  }
  [[nodiscard]] bool has_word() const noexcept {
    return !replies.empty() && is_word(replies.front()->answer.number);
  }

  [[nodiscard]] bool has_answer() const noexcept {
    return !replies.empty() && !is_word(replies.front()->answer.number);
  }

  [[nodiscard]] bool empty() const noexcept { return queue.empty() && replies.empty(); }
  /// Whether an answer to the await of this number waits.
  [[nodiscard]] bool has_reply(std::uint64_t number) const noexcept {
    for (const envelope* each = replies.front(); each != nullptr; each = each->next) {
      if (each->answer.number == number) return true;
    }
    return false;
  }
};

}  // namespace cairn::detail
