// Over a crash: asks of those who did not survive it, and handlers that are given up.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "delivery.hpp"
#include "letters.hpp"
#include "replay.hpp"

namespace cairn::detail {

/// An ask that waits for who did not survive ends. Who was born since is there, or has refused it
/// when it stopped.
inline void interrupt_lost_asks(const world& all, delivery& mail, cell& one) {
  if (!one.more) return;
  for (const slot& each : one.more->slots) {
    if (each.arrived || each.from.id == actor_id{}) continue;
    const bool is_new = each.from.id >= all.first_new_id && each.from.where != nullptr;
    if (is_new && each.from.where->is(each.from.id)) continue;
    if (std::binary_search(all.restored_ids.begin(), all.restored_ids.end(), each.from.id)) {
      continue;
    }
    sometimes("ask interrupted");
    const return_address self{&one, one.self().id, each.number, false};
    mail.refuse(self, errc::interrupted, "lost in a restart of the process", one.at);
  }
}

/// Of a logged message, which may be of a retired type.
[[nodiscard]] inline std::string_view message_name(const world& all, const cell& one,
                                                   const log_entry& message) {
  if (message.index != no_handler) return one.type->handlers[message.index].message->name;
  const auto retired = all.types.retired.find(message.type);
  return retired != all.types.retired.end() ? retired->second.name : std::string_view{};
}

/// The dead letter of a logged message.
[[nodiscard]] inline cairn::dead_letter letter_of(const world& all, const cell& one,
                                                  const log_entry& message) {
  cairn::dead_letter letter;
  letter.message = message_name(all, one, message);
  letter.schema = message.schema;
  if (message.ops != nullptr) {  // of this process
    letter.payload = encoded(*message.ops, message.value());
  } else {
    letter.payload.assign(message.bytes().begin(), message.bytes().end());
  }
  return letter;
}

/// What the program says of a handler that did something else when it was run again.
[[nodiscard]] inline version_answer answer_to(const world& all, cell& one,
                                              const std::string& differs) {
  if (!all.on_difference || !one.open_handler || is_supervisor(one.type)) {
    return version_answer::refuse;
  }
  recorded_handler what;
  what.actor = world::label(one);
  what.type = one.type->name;
  what.message = message_name(all, one, *last_message_of(one.saved->log).entry);
  what.differs = differs;
  return all.on_difference(what);
}

/// Gives the suspended handler up without running it again: the state is what it was before its
/// message, the effects of its turns stand. What ended before it is run again.
///
/// Errors: throws `errc::diverged` where that does something else than before.
inline void abandon_handler(world& all, delivery& mail, replayer& replay, cell& one,
                            const std::string& text) {
  sometimes("suspended handler abandoned");
  const last_message given_up = last_message_of(one.saved->log);
  const auto consumed = one.consumed;
  const auto next_number = one.next_number;
  cairn::dead_letter letter = letter_of(all, one, *given_up.entry);
  const return_address asker = given_up.entry->answer;
  replay.rebuild(one, given_up.at);
  one.consumed = consumed;
  one.next_number = next_number;
  if (one.waits_for_backoff()) one.paused = false;
  one.rest().attempts = 0;
  std::erase_if(one.more->timers, [](const timer& each) { return !each.message; });
  buffer state;
  one.type->encode(one, state);
  renew_base(one, std::move(state));
  one.changed = true;
  one.abandons = false;
  all.tell_of(event_kind::given_up, one, text, errc::failed);
  mail.report_dead(one, std::move(letter), one.self().id, errc::failed, text, one.at);
  mail.refuse(asker, errc::failed, text, one.at);
}

/// Brings an actor whose handler was suspended to where it stood, or to before that handler.
inline void rebuild_restored(world& all, delivery& mail, replayer& replay, cell& one) {
  if (!one.abandons) return replay.rebuild(one, one.saved->log.end());
  abandon_handler(all, mail, replay, one,
                  "its suspended handler is not run again, as was decided: it may be of another "
                  "version of the program");
}

}  // namespace cairn::detail
