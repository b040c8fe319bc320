// What is awaited, as it leaves a turn: the answer to an ask, and the time that ends the wait for
// one. Members of `delivery`, on its worker.
#pragma once

#include <chrono>
#include <string>

#include "delivery.hpp"

namespace cairn::detail {

/// Sends the first message of the outbox, where that is an answer to an actor in reach. False: it
/// goes another way.
[[gnu::noinline]] inline bool delivery::send_answer(const cell& one) noexcept {
  envelope* first = mine_.here.outbox.front();
  cell* to = first->to;
  const bool usual =
      first->kind == envelope_kind::reply && first->answer.number < first_word && !is_held(*first);
  if (!usual || to == nullptr || !mine_.reaches(*to) || !lives_in(*to, first->target)) {
    return false;
  }
  first->sent = one.at;
  to->box.replies.push_back(mine_.here.outbox.pop(first));
  mine_.ready.push(*to);
  return true;
}

/// What an actor is handed instead of an answer that cannot be copied for a replay.
[[nodiscard]] inline envelope_ptr failure_instead(const envelope& reply, const std::string& why) {
  auto made = make_envelope("it could not be copied for a replay: " + why);
  made->kind = envelope_kind::reply;
  made->code = errc::failed;
  made->answer = reply.answer;
  made->sent = reply.sent;
  return made;
}

inline void delivery::arm_all(cell& one) {
  for (auto& each : mine_.here.timers()) arm(one, each);
}
inline void delivery::arm(cell& one, new_timer& each) {
  const auto now = is_coarse(each) ? coarse_now(all_.time->coarse()) : all_.steady_now();
  const bool by_calendar = each.kind != timer_kind::after;
  const auto wall = by_calendar ? micros_of(all_.wall_now()) : std::chrono::microseconds{};
  one.rest().timers.push_back(timer_of(each, now, wall));
  mine_.look_at(one, one.rest().timers.back().next());
}
/// The same of a turn that wants nothing but to ask. It is over.
[[gnu::noinline]] inline void delivery::arm_asks(cell& one) {
  mine_.looked = all_.time->coarse();
  for (const new_timer& each : mine_.here.timers()) {
    timer& made = one.rest().timers.emplace_back();
    made.number = each.number;
    made.ask = true;
    made.due =
        due_after(is_coarse(each) ? coarse_now(mine_.looked) : all_.steady_now(), each.delay);
    mine_.look_at(one, made.due);
  }
}

/// To read the clocks as they should be read costs more than an ask.
inline bool delivery::is_coarse(const new_timer& each) noexcept {
  return each.ask && each.delay >= std::chrono::seconds{1};
}
inline std::chrono::nanoseconds delivery::coarse_now(std::chrono::nanoseconds read) const noexcept {
  return mine_.now + (read - mine_.coarse);
}

inline void delivery::call_home(cell& to) {
  pause_point();
  // The mark, once set by us, keeps the actor where it is: its home is read after. pairs with the
  // exchanges in take_wakes() and give_away()
  if (to.queued.exchange(true, std::memory_order_seq_cst)) return;
  pause_point();
  worker* home = to.home.load(std::memory_order_acquire);  // pairs with give_away()
  pause_point();
  home->wakes.push(&to);
  pause_point();
  all_.nudge(*home);
}

}  // namespace cairn::detail
