// Running handlers again: from a base, through what was consumed since, to a place in the log.
// Effects of turns that had ended are compared and not repeated.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "divergence.hpp"
#include "world.hpp"

namespace cairn::detail {

/// The end of a coroutine handler within its last turn: its answer is one more effect.
[[gnu::noinline]] inline void settle_handler(cell& one, turn& here) {
  if (!one.more->handler.running.done()) return;
  activity& ended = one.more->handler;
  ended.finish(ended, here);  // throws what the handler threw
  ended.running = {};
  if (ended.notice) [[unlikely]]
    ended.notice = {};  // what else it says, the next one says anew
}
[[gnu::always_inline]] inline void settle(cell& one, turn& here) {
  if (one.busy()) settle_handler(one, here);
}

/// Makes `here` the turn on this thread.
class scoped_turn {
 public:
  scoped_turn(world& all, turn& here, cell& self) noexcept
      : turn_{current_turn, &here}, runtime_{current_runtime, &all} {
    here.self = &self;
    here.system = &all;
  }

 private:
  scoped_current<turn> turn_;
  scoped_current<runtime> runtime_;
};

/// A handler throws in a replay where it did not before: it is not deterministic, or what it needs
/// outside is lost. Nobody can tell which.
class replay_failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class replayer {
 public:
  replayer(world& all, worker& mine) noexcept : all_{all}, mine_{mine} {}

  /// Ends the incarnation. What destructors want to happen is discarded. One that has an `on_start`
  /// to come is not told.
  void tear_down(cell& one, stop_reason reason) noexcept {
    const bool closes = one.type->on_stop != nullptr;
    const bool open = one.type->on_start == nullptr || !one.needs_start;
    if (one.state != nullptr && closes && open) {
      const scoped_turn scope{all_, mine_.here, one};
      one.type->on_stop(one, reason);
    }
    discard(one);
    one.needs_start = true;
  }
  /// The same, and the actor is not told.
  void discard(cell& one) noexcept {
    const scoped_turn scope{all_, mine_.here, one};
    end_handler(one);
    if (one.state != nullptr) one.type->destroy(one);
    mine_.here.clear();
  }

  /// Ends the handler alone.
  void drop_frame(cell& one) noexcept {
    const scoped_turn scope{all_, mine_.here, one};
    end_handler(one);
    mine_.here.clear();
  }

  /// Calls `on_start`; returns what it threw. It has no effects, and the numbers that it takes are
  /// those of the next turn: in replay it does not run between the turns.
  [[nodiscard]] std::exception_ptr open_resources(cell& one) {
    const std::uint64_t number = one.next_number;
    std::exception_ptr thrown;
    {
      const scoped_turn scope{all_, mine_.here, one};
      mine_.here.starting = true;
      try {
        one.type->on_start(one);
      } catch (...) {
        thrown = std::current_exception();
      }
    }
    mine_.here.starting = false;
    mine_.here.clear();
    one.next_number = number;
    if (one.more) {
      std::erase_if(one.more->slots, [&](const slot& each) { return each.number >= number; });
    }
    return thrown;
  }

  /// Brings a persistent actor to where it stood when the log was at `until`.
  ///
  /// Errors: throws `errc::diverged` where a handler does something else than before, a
  /// `replay_failure` where it throws, and what the codec throws for the base. The cell then has
  /// some state; base and log are untouched.
  void rebuild(cell& one, replay_log::cursor until) {
    const recorded_history recorded = one.more ? one.more->handler.recorded : recorded_history{};
    tear_down(one, stop_reason::restart);
    restore_base(one);
    unfinished_.clear();
    messages_ = 0;
    replay_log& log = one.saved->log;
    replay_log::cursor at{};
    while (at != until) {
      const found_entry entry = log.next(at);
      if (!entry) break;
      again(one, *entry, at);
    }
    if (one.busy()) one.more->handler.recorded = recorded;  // if it is another's, see history_of()
  }

  /// The runs that the replayed handlers began. Their results may have been handed over since.
  [[nodiscard]] std::vector<outside_run>& unfinished() noexcept { return unfinished_; }

  /// How many messages the last rebuilding has handled again.
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

  void restore_base(cell& one) {
    const scoped_current<runtime> scope{current_runtime, &all_};
    recovery& base = *one.saved;
    one.type->construct(one);
    if (base.raw) {
      one.type->load_raw(one, base.state.view());
    } else {
      one.type->decode(one, base.state.view(), base.schema);
    }
    one.consumed = base.at;
    one.next_number = base.next_number;
  }

  /// Says which message is handled once more, or is what a handler goes on with: who asks what the
  /// worker is doing is told what it runs again.
  void show(const cell& one, const log_entry& entry) noexcept {
    const auto& handlers = one.type->handlers;
    const bool begins = entry.kind == log_kind::message;
    if (!begins && !one.busy()) return;
    const std::uint16_t index = begins ? entry.index : one.more->handler.index;
    if (index >= handlers.size()) return;
    mine_.in_message.store(handlers[index].message, std::memory_order_relaxed);  // see worker
  }

  /// The envelope of a logged message, to be handled once more.
  [[nodiscard]] envelope_ptr message_of(cell& one, const log_entry& entry) const {
    const scoped_current<runtime> scope{current_runtime, &all_};
    const payload_ops& ops = *one.type->handlers[entry.index].message;
    auto made = make_envelope(ops, [&](void* where) {
      if (entry.ops != nullptr) {
        ops.copy(where, entry.value());
      } else {
        ops.decode(where, entry.bytes(), entry.schema);
      }
    });
    made->index = entry.index;
    made->ticket = entry.ticket;
    made->answer = entry.answer;
    made->to = &one;
    made->target = one.self().id;
    made->sent = one.at;
    return made;
  }

  /// Puts a logged answer where it is awaited; returns who waits for it, or nobody.
  [[nodiscard]] std::coroutine_handle<> hand_over(cell& one, const log_entry& entry) const {
    slot* found = one.find_slot(entry.number);
    if (found == nullptr || found->arrived) {
      throw error{errc::diverged, "an answer arrives that is not awaited"};
    }
    found->arrived = true;
    found->code = entry.code;
    found->value = value_of(entry);
    return std::exchange(found->waiter, {});
  }

  /// The envelope of a logged answer, to be awaited once more.
  [[nodiscard]] static envelope_ptr reply_of(cell& one, const log_entry& entry) {
    auto made = value_of(entry);
    made->kind = envelope_kind::reply;
    made->code = entry.code;
    made->answer.number = entry.number;
    made->to = &one;
    made->target = one.self().id;
    made->sent = one.at;
    return made;
  }

 private:
  /// Precondition: the turn on this thread is the actor's, and will be cleared.
  static void end_handler(cell& one) noexcept {
    one.awaits.store(0, std::memory_order_relaxed);  // see awaited_slot::wait()
    if (!one.more) return;
    one.more->handler = {};
    one.more->slots.clear();
  }

  [[nodiscard]] static envelope_ptr value_of(const log_entry& entry) {
    if (entry.ops != nullptr) {
      return make_envelope(*entry.ops, [&](void* where) { entry.ops->copy(where, entry.value()); });
    }
    encoded_value bytes;
    bytes.bytes.append(entry.bytes());
    bytes.schema = entry.schema;
    return make_envelope(std::move(bytes));
  }

  void again(cell& one, const log_entry& entry, replay_log::cursor& at) {
    turn& here = mine_.here;
    here.clear();
    show(one, entry);
    const scoped_turn scope{all_, here, one};
    const scoped_current<replay_log::cursor> reading{here.replay, &at};
    try {
      if (entry.kind == log_kind::message) {
        const auto message = message_of(one, entry);
        one.consumed = next(one.consumed);
        ++messages_;
        one.type->handlers[entry.index].begin(one, here, *message);
      } else if (entry.kind == log_kind::handed) {
        const auto waiter = hand_over(one, entry);
        if (!waiter) return;
        waiter.resume();
      } else {
        throw error{errc::diverged, text_of_missing(entry)};
      }
      settle(one, here);
    } catch (const error& why) {
      const bool unread = why.code() == errc::newer_schema || why.code() == errc::damaged;
      if (!unread && why.code() != errc::diverged) throw_failure(one);
      here.clear();
      if (unread) throw;  // what the log holds, not what the handler does
      refuse(one, why.what());
    } catch (...) {
      throw_failure(one);
    }
    compare(one, at);
    for (auto& each : here.also().runs) unfinished_.push_back(std::move(each));
    here.clear();
  }

  [[nodiscard]] static std::string where(const cell& one) {
    return "at position " + std::to_string(raw(one.consumed)) + " (" + std::string{one.type->name} +
           "): ";
  }
  [[noreturn]] static void refuse(const cell& one, const std::string& why) {
    throw error{errc::diverged, where(one) + why};
  }
  /// Of what has just been caught.
  [[noreturn]] void throw_failure(const cell& one) {
    mine_.here.clear();
    throw replay_failure{where(one) + "a turn that had ended well throws: " + text_of_caught()};
  }

  void compare(cell& one, replay_log::cursor& at) const {
    const found_entry ended = one.saved->log.next(at);
    turn& here = mine_.here;
    here.note_sent();
    if (!ended || ended->kind != log_kind::turn) {
      refuse(one, text_of_missing(ended));
    }
    const bool has_values = ended->schema == values_known && here.knows_values();
    const bool other_values =
        has_values && (ended->ticket != here.values || ended->type != here.other_values);
    if (ended->effects != here.effects || ended->number != here.digest || other_values) {
      throw error{errc::diverged, divergence{all_, one, *ended, here}.text()};
    }
  }

  world& all_;
  worker& mine_;
  std::vector<outside_run> unfinished_;
  std::uint64_t messages_ = 0;
};

}  // namespace cairn::detail
