// How a handler begins, or a row of them. Members of `turns`, on its worker.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "turns.hpp"

namespace cairn::detail {

/// Messages of one type from the queue: the one that is handled, and what stands behind it.
class turns::queued {
 public:
  explicit queued(envelope_ptr first) noexcept : index_{first->index}, now_{std::move(first)} {}

  [[nodiscard]] envelope& now() const noexcept { return *now_; }
  [[nodiscard]] envelope_ptr give_up() noexcept { return std::move(now_); }
  [[gnu::always_inline]] void fetch_next(const cell& one) const noexcept {
    one.box.queue.fetch_front();
  }
  /// Whether there is one more of the same.
  [[nodiscard, gnu::always_inline]] bool end(worker& mine, const cell& one, const handler& meant,
                                             turn_end /*how*/) noexcept {
    envelope* gone = now_.release();
    meant.message->trivial ? destroy_trivial(gone, mine.rooms) : destroy_envelope(gone);
    const envelope* next = one.box.queue.front();
    return next != nullptr && next->ops == meant.message && next->index == index_ &&
           next->is_usual() && one.is(next->target) && cutter::is_met(mine, one, *next);
  }
  [[gnu::always_inline]] void advance(cell& one) noexcept { now_ = one.box.queue.pop_front(); }

 private:
  const std::uint16_t index_;
  envelope_ptr now_;
};

/// The same from rows that are not opened: each message in turn in the same envelope.
class turns::in_rows {
 public:
  /// Precondition: the first one is a row.
  in_rows(worker& mine, cell& one, delivery& mail)
      : mine_{mine},
        one_{one},
        mail_{mail},
        row_{mine.unopened.left.front()},
        ops_{message_row::ops_of(*row_)},
        stride_{message_row::stride_of(ops_)},
        now_{place_envelope(allocate_room(ops_), ops_, &one, row_->target, row_->index)} {
    advance(one);
  }
  in_rows(const in_rows&) = delete;
  in_rows& operator=(const in_rows&) = delete;
  ~in_rows() {
    if (now_ != nullptr) destroy_trivial(now_.release(), mine_.rooms);
  }

  [[nodiscard]] envelope& now() const noexcept { return *now_; }
  [[nodiscard]] envelope_ptr give_up() noexcept { return std::move(now_); }
  void fetch_next(const cell& /*one*/) const noexcept {}
  /// Who has sent nothing has changed nothing here. What it has sent may have opened the rows: then
  /// the next one stands in the queue.
  [[nodiscard, gnu::always_inline]] bool end(worker& /*mine*/, const cell& /*one*/,
                                             const handler& /*meant*/, turn_end how) noexcept {
    return (how == turn_end::quiet && row_ != nullptr) || find_next();
  }
  [[gnu::always_inline]] void advance(cell& one) noexcept {
    copy_bytes(now_->payload(), message_row::first_of(*row_), ops_.size);
    now_->sent = row_->sent;
    one.box.give_ticket(*now_);
    if (mail_.take_from_row(*row_, stride_)) row_ = nullptr;
  }

  /// Whether it is a row whose messages may be handled as they are.
  [[nodiscard, gnu::always_inline]] static bool is_for_handler(const worker& mine, const cell& one,
                                                               const envelope& row) noexcept {
    return row.kind == envelope_kind::row && one.is(row.target) && cutter::is_met(mine, one, row);
  }

 private:
  [[nodiscard]] bool find_next() noexcept {
    if (mine_.unopened.whose != &one_ || !one_.box.queue.empty()) return false;
    row_ = mine_.unopened.left.front();
    return is_for_handler(mine_, one_, *row_) && &message_row::ops_of(*row_) == &ops_ &&
           row_->index == now_->index;
  }

  worker& mine_;
  cell& one_;
  delivery& mail_;
  envelope* row_;  ///< the first one of those that are left; null: it has ended
  const payload_ops& ops_;
  const std::size_t stride_;
  envelope_ptr now_;
};

/// Handles the message with which a turn has begun. True: one more of the same type stands behind
/// it, for which what was looked at before holds, since no more has happened than that it sent.
template <class Source>
[[gnu::always_inline]] inline bool turns::run_one(worker& mine, cell& one, const handler& meant,
                                                  Source& from) {
  const epoch at = one.at;
  from.fetch_next(one);
  one.consumed = next(one.consumed);
  worker_counters::add(mine.counters.messages, 1);  // by which a watchdog tells turns apart
  envelope& message = from.now();
  const turn_end how = fail_.run(mine, one, [&] { meant.begin(one, mine.here, message); });
  if (!from.end(mine, one, meant, how) || how == turn_end::otherwise || left_ <= 1) return false;
  // To send may have led to its cut: then the next one changes it anew, see consume().
  return one.at == at && !all_.resting.load(std::memory_order_relaxed);  // as in has_to_rest()
}

/// Begins a turn with the one behind. False: it may not begin now, or it was begun another way, and
/// `goes_on` is as of consume().
template <class Source>
[[gnu::always_inline]] inline bool turns::begin_next(worker& mine, cell& one, const handler& meant,
                                                     Source& from, bool& goes_on) {
  goes_on = pause_before(one);
  if (!goes_on) return false;
  --left_;
  from.advance(one);
  one.box.done_ticket = from.now().ticket;
  if (fail_.begin_next_directly(mine, one, meant, from.now())) return true;
  begin_otherwise(one, from.give_up());
  return false;
}

/// Handles the message with which a turn has begun, and goes on with those behind it: each is a
/// turn of its own. False: as of consume().
template <class Source>
[[gnu::always_inline]] inline bool turns::run_row(worker& mine, cell& one, const handler& meant,
                                                  Source& from) {
  const std::size_t size = meant.message->size;
  std::uint64_t handled = 0;
  bool goes_on = true;
  mine.substantial = true;  // a commit's notice has no direct handler
  do {
    ++handled;
  } while (run_one(mine, one, meant, from) && begin_next(mine, one, meant, from, goes_on));
  worker_counters::add(mine.counters.bytes, handled * size);
  return goes_on;
}

/// A handler begins, and those of the same messages behind it. False: as of consume().
[[gnu::always_inline]] inline bool turns::begin(worker& mine, cell& one, envelope_ptr message) {
  const handler* meant = handler_of(*one.type, *message);
  const bool usual = meant != nullptr && meant->direct && one.careful == caution::none;
  if (!usual || !fail_.begin_directly(mine, one, *meant, *message)) [[unlikely]] {
    return begin_otherwise(one, std::move(message)), true;
  }
  queued from{std::move(message)};
  mine.substantial = true;  // as in run_row()
  const bool more = run_one(mine, one, *meant, from);
  worker_counters::add(mine.counters.bytes, meant->message->size);
  return !more || run_behind(mine, one, *meant, from);
}

/// The same of those behind the first one. Not within begin(), which is faster without a loop: most
/// messages have none like them behind.
[[gnu::noinline]] inline bool turns::run_behind(worker& mine, cell& one, const handler& meant,
                                                queued& from) {
  bool goes_on = true;
  if (!begin_next(mine, one, meant, from, goes_on)) return goes_on;
  return run_row(mine, one, meant, from);
}

/// Handles what stands in unopened rows, where nobody could tell the difference; else the first of
/// it comes into the queue, which is empty.
[[gnu::noinline]] inline bool turns::run_unopened(worker& mine, cell& one) {
  const envelope& row = *mine.unopened.left.front();
  // First: what stands there may be a message by itself.
  const bool usual = one.careful == caution::none && in_rows::is_for_handler(mine, one, row);
  const handler* meant =
      usual ? handler_of(*one.type, row.index, message_row::ops_of(row)) : nullptr;
  if (meant == nullptr) {
    return mail_.open_next(one) && consume(mine, one, one.box.queue.pop_front());
  }
  in_rows from{mine, one, mail_};
  one.changed = true;
  one.box.done_ticket = from.now().ticket;
  bool goes_on = true;
  if (fail_.begin_directly(mine, one, *meant, from.now())) {
    goes_on = run_row(mine, one, *meant, from);
  } else {
    begin_otherwise(one, from.give_up());
  }
  words_.give_room(one);
  return goes_on;
}

/// False: nothing begins, and the message is where it belongs.
inline bool turns::begin_with_log(cell& one, envelope_ptr& message) {
  if (!one.saved && one.type->raw_base) one.saved = std::move(mine_.here.spare);
  try {
    ensure_base(one);
  } catch (...) {
    const std::string why = "its state could not be serialized: " + text_of_caught();
    one.box.put_in_front(std::move(message));
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
