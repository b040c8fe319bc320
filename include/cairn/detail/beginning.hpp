// How a handler begins, or a row of them. Members of `turns`, on its worker.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "turns.hpp"

namespace cairn::detail {

/// Handles `message`, with which a turn has begun, and goes on with those of the same type behind
/// it. Each is a turn of its own, but what was looked at before the first one holds for the others
/// as long as none has done more than to send. False: as of consume().
[[gnu::always_inline]] inline bool turns::run_row(worker& mine, cell& one, const handler& meant,
                                                  envelope_ptr message) {
  const payload_ops& ops = *message->ops;
  const std::uint16_t index = message->index;
  std::uint64_t handled = 0;
  bool goes_on = true;
  mine.substantial = true;  // a commit's notice is never plain
  for (;;) {
    one.box.queue.fetch_front();
    one.consumed = next(one.consumed);
    worker_counters::add(mine.counters.messages, 1);  // by which a watchdog tells turns apart
    ++handled;
    const bool as_usual = fail_.run(mine, one, [&] { meant.begin(one, mine.here, *message); });
    destroy_trivial(message.release(), mine.rooms);
    if (!as_usual || left_ <= 1) break;
    const envelope* first = one.box.queue.front();
    if (first == nullptr || first->ops != &ops || first->index != index) break;
    if (!first->is_usual() || !one.is(first->target) || !cut().is_met(mine, one, *first)) break;
    if (all_.resting.load(std::memory_order_relaxed)) break;  // as in has_to_rest()
    if (!pause_before(one)) {
      goes_on = false;
      break;
    }
    --left_;
    message = one.box.queue.pop_front();
    one.box.done_ticket = message->ticket;
    if (!fail_.begin_next_plain_turn(mine, one, *message)) {
      begin_otherwise(one, std::move(message));
      break;
    }
  }
  worker_counters::add(mine.counters.bytes, handled * ops.size);
  return goes_on;
}

/// False: nothing begins, and the message is where it belongs.
inline bool turns::begin_with_log(cell& one, envelope_ptr& message) {
  if (!one.saved && one.type->raw_base) one.saved = std::move(mine_.here.spare);
  try {
    ensure_base(one);
  } catch (...) {
    const std::string why = "its state could not be serialized: " + text_of_caught();
    one.box.done_ticket = message->ticket - 1;
    one.box.queue.push_front(std::move(message));
    fail_.suspend(one, why);
    return false;
  }
  try {
    fail_.begin_turn(one, *message);
  } catch (...) {
    mail_.bury(one, std::move(message), errc::misuse,
               "the message could not be copied for a replay: " + text_of_caught());
    return false;
  }
  return true;
}

/// The message says less than which handler is meant, or nothing that this actor handles.
[[gnu::noinline]] inline bool turns::find_its_handler(cell& one, envelope_ptr& message) {
  if (message->index == delivery::any_index) {
    const auto found = find_handler(*one.type, message->ops->hash);
    if (found) message->index = *found;
    end_watch(one, *message);
    return found.has_value();  // else a watcher that handles `stopped` no more
  }
  const retired_message* old = as_retired(*message);
  mail_.bury(one, std::move(message), errc::unknown_type,
             old != nullptr ? retired_text(old->name) : "the actor is of another type");
  return false;
}

}  // namespace cairn::detail
