// Who waited for whom when an ask timed out: a cycle of actors that await each other shows here.
//
// The chain is read at once, from what every cell publishes of its handler: a hint, but actors
// that really wait for each other cannot change it. Their names are their homes' to read, so a
// trace passes by them, like a reply that nobody awaits, and ends as an event where it began.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "control.hpp"
#include "world.hpp"

namespace cairn::detail {

/// The payload of a trace on its way.
struct trace_note {
  std::vector<address> chain{};  ///< that awaited each other, the one who timed out first
  std::size_t at = 1;            ///< how far it has come
  bool cycle = false;
  std::string what{};  ///< the message that was asked
  std::vector<std::string> names{};
};

/// The trace of an ask that has timed out now, or nothing where it was not being awaited.
[[nodiscard]] inline envelope_ptr trace_of(const world& all, cell& one, const slot& asked) {
  constexpr std::size_t longest = 32;
  trace_note note;
  note.what = asked.what;
  note.chain = {one.self(), asked.from};
  while (note.chain.size() < longest) {
    const std::uint32_t next = note.chain.back().where->awaits.load(
        std::memory_order_relaxed);  // see awaited_slot::wait()
    cell* found = all.locate(next);
    if (found == nullptr) break;
    note.cycle = found == &one;
    const auto known = [&](const address& each) { return each.where == found; };
    if (std::any_of(note.chain.begin(), note.chain.end(), known)) break;
    note.chain.push_back({found, found->id.load(std::memory_order_relaxed)});  // for text only
  }
  note.names.push_back(world::label(one));
  auto made = make_envelope(std::move(note));
  made->kind = envelope_kind::reply;
  made->answer.number = trace_number;
  made->sent = one.at;
  return made;
}

/// A trace has come to `one`: it goes on to the next, or ends where it began.
[[nodiscard]] inline envelope_ptr pass_on(world& all, cell& one, envelope_ptr trace) {
  auto& note = *static_cast<trace_note*>(trace->payload());
  if (note.at == 0) {
    std::string text = "ask of " + note.what + ": no answer in time: ";
    if (note.cycle) {
      sometimes("actors await each other");
      note.names.push_back(note.names.front());
      text = "ask of " + note.what + ": actors await each other: ";
    }
    for (std::size_t at = 0; at < note.names.size(); ++at) {
      text += (at == 0 ? "" : " awaits ") + note.names[at];
    }
    all.tell_of(event_kind::timed_out, one, std::move(text), errc::timeout);
    return nullptr;
  }
  const actor_id asked = note.chain[note.at].id;
  note.names.push_back(one.is(asked) ? world::label(one) : "#" + std::to_string(raw(asked)));
  note.at = (note.at + 1) % note.chain.size();
  return trace;
}

/// Where a trace goes next.
inline void aim(envelope& trace) {
  const auto& note = *static_cast<const trace_note*>(trace.payload());
  trace.to = note.chain[note.at].where;
  trace.target = note.chain[note.at].id;
}

}  // namespace cairn::detail
