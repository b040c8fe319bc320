// How rows of messages come into an actor's queue, and all that other workers have sent: members of
// `delivery`, on its worker.
//
// An actor to which many send may have ten thousand messages before it. Envelopes for all of them
// at once would be in no near cache when they are handled, so rows are left as they are until the
// queue is empty: then their messages are handled one after the other (see turns::run_unopened), or
// one row is opened. What is unopened counts as standing in the inbox: who takes what is there
// takes it too, before it. An inbox that is not empty has an entry in a wake queue, or its actor is
// ready; what is unopened, too, has its actor ready.
//
// An epoch's stages rely on nothing but that its drain finds what stands in inboxes: at each stage
// a worker opens what it has (see engine::take_part). While a snapshot is open nothing is left
// unopened but what was sent after its cut, which is not in it; where a message has told of the
// next epoch before its flip has come here, that opens what was left before.
#pragma once

#include <utility>

#include "delivery.hpp"

namespace cairn::detail {

/// What is being moved into a private queue.
struct delivery::arrivals {
  const cell* whose = nullptr;
  envelope_list rest{};
  arrivals* outer = nullptr;

  void add(envelope* each) {
    while (each != nullptr) rest.push_back(envelope_ptr{std::exchange(each, each->next)});
  }
  void add(envelope_list all) {
    while (!all.empty()) rest.push_back(all.pop_front());
  }
};

/// Moves what other workers pushed into the private queue.
///
/// What is given up for want of room may lead to an answer to the same actor, and so back here:
/// what has been pushed meanwhile comes after what is being moved.
[[gnu::noinline]] inline void delivery::take_all_incoming(cell& one) {
  envelope_list unopened;
  if (mine_.unopened.whose == &one) unopened = std::exchange(mine_.unopened, {}).left;
  envelope* each = one.box.incoming.take_all();
  for (arrivals* outer = arriving_; outer != nullptr; outer = outer->outer) {
    if (outer->whose != &one) continue;
    outer->add(std::move(unopened));
    return outer->add(each);
  }
  arrivals here{&one, std::move(unopened), arriving_};
  here.add(each);
  const scoped_current<arrivals> scope{arriving_, &here};
  while (!here.rest.empty()) enqueue(one, here.rest.pop_front());
}

/// Whether what is for this actor may be left unopened, where it is nothing else than messages.
[[nodiscard]] inline bool delivery::may_leave_rows(const cell& one) const noexcept {
  const bool free = mine_.unopened.whose == nullptr || mine_.unopened.whose == &one;
  return free && one.type != nullptr && !one.hindered() && !mail_is_read();
}

/// Whether the open snapshot may have to hold it: that is looked at in the queue.
[[nodiscard]] inline bool delivery::may_be_late(epoch sent) const noexcept {
  return mine_.open && sent != mine_.seen;
}

/// Leaves the first of what a turn sends unopened, where that is a row, or stands behind one.
/// False: it goes another way.
[[gnu::noinline]] inline bool delivery::leave_row(const cell& by) noexcept {
  envelope_chain& outbox = mine_.here.outbox;
  envelope* first = outbox.front();
  unopened_rows& rows = mine_.unopened;
  cell* to = first->to;
  const bool row = first->kind == envelope_kind::row;
  if (to == nullptr || (!row && (rows.whose != to || !first->is_usual()))) return false;
  if (!is_here(*to) || to->touched_in != mine_.seen || !to->box.incoming.seems_empty())
    return false;
  if (!may_leave_rows(*to) || may_be_late(by.at) || !lives_in(*to, first->target)) return false;
  const std::size_t count = message_row::count_of(*first);
  if (to->box.queue.size() + rows.messages + count > to->type->mailbox.capacity) return false;
  first->sent = by.at;
  rows.whose = to;
  rows.messages += count;
  rows.left.push_back(outbox.pop(first));
  mine_.ready.push(*to);
  return true;
}

/// Leaves rows unopened where the actor only handles one message after the other, and has room for
/// all of them.
[[gnu::noinline]] inline void delivery::take_rows(cell& one) {
  if (!may_leave_rows(one)) return take_all_incoming(one);
  unopened_rows& rows = mine_.unopened;
  bool usual = true;
  bool any = rows.whose == &one;
  for (envelope* each = one.box.incoming.take_all(); each != nullptr;) {
    const bool row = each->kind == envelope_kind::row;
    rows.messages += message_row::count_of(*each);
    any |= row;
    usual &= (row || each->is_usual()) && !may_be_late(each->sent);
    rows.left.push_back(envelope_ptr{std::exchange(each, each->next)});
  }
  rows.whose = &one;
  const bool fit = one.box.queue.size() + rows.messages <= one.type->mailbox.capacity;
  if (!any || !usual || !fit) take_all_incoming(one);
}

/// Fills the actor's empty queue with what is unopened first. False: there is nothing.
[[gnu::noinline]] inline bool delivery::open_next(cell& one) {
  unopened_rows& rows = mine_.unopened;
  arrivals here{&one, {}, arriving_};  // as in take_all_incoming()
  const scoped_current<arrivals> scope{arriving_, &here};
  while (rows.whose == &one && one.box.queue.empty()) {
    envelope_ptr first = rows.left.pop_front();
    rows.messages -= message_row::count_of(*first);
    if (rows.left.empty()) {
      rows = {};
    } else {
      message_row::fetch(*rows.left.front());
    }
    enqueue(one, std::move(first));
    while (!here.rest.empty()) enqueue(one, here.rest.pop_front());
  }
  return !one.box.queue.empty();
}

/// Takes the first message out of the row in front, which is this one. True: it was its last one,
/// and the row has ended.
[[gnu::always_inline]] inline bool delivery::take_from_row(envelope& row,
                                                           std::size_t stride) noexcept {
  unopened_rows& rows = mine_.unopened;
  message_row::take_first(row, stride);
  --rows.messages;
  if (row.ticket != 0) return false;
  rows.left.pop_front().reset();
  if (rows.left.empty()) {
    rows.whose = nullptr;
  } else {
    message_row::fetch(*rows.left.front());
  }
  return true;
}

/// Takes all that is unopened into its actor's queue.
inline void delivery::open_rows() {
  if (mine_.unopened.whose != nullptr) take_all_incoming(*mine_.unopened.whose);
}
/// Before this worker's part of a stage.
inline cutter& delivery::begin_stage() {
  open_rows();
  return cut_;
}

/// The messages of a row arrive one after the other. What is looked at of each of them before it is
/// put into the queue is looked at once, where that leads nowhere else.
[[gnu::noinline]] inline void delivery::unpack(cell& one, envelope& row) {
  const payload_ops& ops = message_row::ops_of(row);
  const std::byte* from = message_row::first_of(row);
  const std::size_t stride = message_row::stride_of(ops);
  std::size_t left = message_row::count_of(row);
  const bool fit = row.sent <= mine_.seen && lives_in(one, row.target) &&
                   one.box.queue.size() + left <= one.type->mailbox.capacity;
  if (fit) {
    cut_.touch(one);
    mine_.ready.push(one);
  }
  for (; left > 0; --left, from += stride) {
    envelope* each = place_envelope(allocate_room(ops), ops, row.to, row.target, row.index);
    each->sent = row.sent;
    copy_bytes(each->payload(), from, ops.size);
    if (fit) {
      put_last(one, envelope_ptr{each});
    } else {
      enqueue(one, envelope_ptr{each});
    }
  }
}

}  // namespace cairn::detail
