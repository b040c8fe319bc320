// The payloads of records: what an actor's cut says, and messages that wait. `docs/format.md` has
// the layout for people.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actor_type.hpp"
#include "control.hpp"
#include "record.hpp"
#include "retired_type.hpp"
#include "world.hpp"

namespace cairn::detail {

inline constexpr std::uint8_t actor_payload_format = 1;

/// What an actor's record says in bits.
inline constexpr std::uint8_t suspended_bit = 1, paused_bit = 2, handler_bit = 4, abandons_bit = 8;

[[nodiscard]] inline std::uint8_t flags_of(const cell& one) noexcept {
  const bool open = one.busy() || (one.needs_replay && one.open_handler);
  return static_cast<std::uint8_t>((one.suspended ? suspended_bit : 0) |
                                   (one.paused ? paused_bit : 0) | (open ? handler_bit : 0) |
                                   (one.abandons ? abandons_bit : 0));
}

/// The message that the handler in a log was begun with, and where it stands.
struct last_message {
  found_entry entry{};  ///< nothing: there is none
  replay_log::cursor at{};
};
[[nodiscard]] inline last_message last_message_of(replay_log& log) noexcept {
  last_message found;
  replay_log::cursor at{};
  for (auto before = at; const found_entry each = log.next(at); before = at) {
    if (each->kind == log_kind::message) found = {each, before};
  }
  return found;
}

inline void put_address(buffer& to, const address& who) {
  to.put(who.id, who.where != nullptr ? who.where->slot_index : std::uint32_t{0});
}
[[nodiscard]] inline address get_address(reader& from, const runtime& system) {
  address who;
  who.id = from.get<actor_id>();
  cell* where = system.locate(from.get<std::uint32_t>());
  if (who.id != actor_id{}) who.where = where;
  return who;
}

/// Answers that somebody outside waits for do not survive: they are stored as unwanted.
inline void put_return(buffer& to, const return_address& who) {
  const bool inside = who.asker != nullptr;
  to.put(who.id, inside ? who.asker->slot_index : std::uint32_t{0},
         inside ? who.number : std::uint64_t{0});
}
[[nodiscard]] inline return_address get_return(reader& from, const runtime& system) {
  const address who = get_address(from, system);
  const auto number = from.get<std::uint64_t>();
  if (number >= first_word) throw error{errc::damaged, "an answer to what nobody awaits"};
  return {who.where, who.id, who.where != nullptr ? number : 0, false};
}

/// Appends `encode(buffer&)`'s bytes behind their length.
template <class Encode>
void put_sized(buffer& to, Encode&& encode) {
  const auto mark = to.size();
  to.put(std::uint32_t{0});
  encode(to);
  to.put_at(mark, static_cast<std::uint32_t>(to.size() - mark - sizeof(std::uint32_t)));
}
[[nodiscard]] inline bytes_view get_sized(reader& from) {
  return from.take(from.get<std::uint32_t>());
}

/// A message, a reply or a control message, without its place.
inline void put_envelope(buffer& to, const envelope& message) {
  to.put(message.kind, message.code, message.reserved, message.index, message.sent,
         hash_of(message));
  put_return(to, message.answer);
  put_sized(to, [&](buffer& bytes) {
    if (message.ops == &ops_of<encoded_value>) {
      bytes.append(static_cast<const encoded_value*>(message.payload())->bytes.view());
    } else if (const retired_message* old = as_retired(message)) {
      bytes.append(old->bytes.view());
    } else if (message.ops->encode != nullptr && !message.spoilt) {
      message.ops->encode(message.payload(), bytes);
    }
  });
}

/// The index of a message in a type's protocol: the program may have reordered it since.
[[nodiscard]] inline std::optional<std::uint16_t> find_handler(const actor_type& type,
                                                               std::uint64_t message_hash) {
  for (std::size_t at = 0; at < type.handlers.size(); ++at) {
    const payload_ops* ops = type.handlers[at].message;
    if (ops == nullptr) continue;
    if (std::find(ops->hashes.begin(), ops->hashes.end(), message_hash) != ops->hashes.end()) {
      return static_cast<std::uint16_t>(at);
    }
  }
  return std::nullopt;
}

/// The names that the store has for hashes, for the text of errors.
using name_table = std::unordered_map<std::uint64_t, std::string>;

[[nodiscard]] inline std::string name_of(const name_table& names, std::uint64_t hash) {
  const auto found = names.find(hash);
  return found != names.end() ? found->second : "type " + std::to_string(hash);
}

[[noreturn]] inline void refuse_message(const actor_type& receiver, const name_table& names,
                                        std::uint64_t hash) {
  throw error{errc::unknown_type, "actor type \"" + std::string{receiver.name} +
                                      "\" does not handle the stored message \"" +
                                      name_of(names, hash) + "\""};
}

/// A message that waits for a handler, or to become a dead letter.
[[nodiscard]] inline envelope_ptr get_message(bytes_view bytes, std::uint64_t hash,
                                              std::uint32_t schema, const world& system,
                                              const actor_type& receiver, const name_table& names) {
  const auto found = find_handler(receiver, hash);
  if (!found) {
    if (!receiver.is_retired && !system.types.retired.contains(hash)) {
      refuse_message(receiver, names, hash);
    }
    retired_message old{name_of(names, hash), hash, schema};
    old.bytes.append(bytes);
    return make_envelope(std::move(old));
  }
  const payload_ops& ops = *receiver.handlers[*found].message;
  auto made = make_envelope(ops, [&](void* where) { ops.decode(where, bytes, schema); });
  made->index = *found;
  return made;
}

/// `schema`: in which its value was written.
///
/// Errors: throws `errc::unknown_type` naming the message's type, `errc::newer_schema`,
/// `errc::damaged`.
[[nodiscard]] inline envelope_ptr get_envelope(reader& from, std::uint32_t schema,
                                               const world& system, const actor_type& receiver,
                                               const name_table& names) {
  const auto kind = from.get<envelope_kind>();
  if (kind > envelope_kind::control) throw error{errc::damaged, "a message of no known kind"};
  const auto code = from.get<errc>();
  const bool reserved = from.get<std::uint8_t>() != 0;
  const auto index = from.get<std::uint16_t>();
  const auto sent = from.get<epoch>();
  const auto hash = from.get<std::uint64_t>();
  const return_address answer = get_return(from, system);
  const bytes_view bytes = get_sized(from);
  envelope_ptr made;
  if (kind == envelope_kind::reply) {
    encoded_value value{.schema = schema};
    value.bytes.append(bytes);
    made = make_envelope(std::move(value));
    made->index = index;
  } else if (kind == envelope_kind::message) {
    made = get_message(bytes, hash, schema, system, receiver, names);
  } else {
    const payload_ops& ops = ops_of<control_note>;
    made = make_envelope(ops, [&](void* where) { ops.decode(where, bytes, 0); });
    made->index = index;
  }
  made->kind = kind;
  made->code = code;
  made->reserved = reserved;
  made->sent = sent;
  made->answer = answer;
  return made;
}

/// Returns how many bytes the entries from `history_from` on take: what the suspended handler was
/// handed.
inline std::size_t put_log(buffer& to, replay_log& log, std::size_t history_from) {
  const auto mark = to.size();
  to.put(std::uint32_t{0});
  std::uint32_t count = 0;
  std::size_t before = 0;
  auto history = to.size();
  bool reached = false;
  replay_log::cursor at{};
  while (const found_entry entry = log.next(at)) {
    // The end of a turn may take no room: what comes behind it is handed, too.
    if (before < history_from || (before == history_from && !reached)) history = to.size();
    reached = before == history_from;
    before += entry->room;
    ++count;
    const bool is_turn = entry->kind == log_kind::turn;
    const auto* encoded = entry->ops == &ops_of<encoded_value>
                              ? static_cast<const encoded_value*>(entry->value())
                              : nullptr;  // an answer that a snapshot had in flight
    to.put(entry->kind, is_turn ? errc{sums_made_as} : entry->code, entry->number, entry->ticket,
           is_turn              ? entry->effects
           : encoded != nullptr ? encoded->schema
                                : entry->schema,
           entry->type);
    put_return(to, entry->answer);
    put_sized(to, [&](buffer& bytes) {
      if (entry->ops == nullptr) {
        bytes.append(entry->bytes());
      } else if (encoded != nullptr) {
        bytes.append(encoded->bytes.view());
      } else {
        entry->ops->encode(entry->value(), bytes);
      }
    });
  }
  to.put_at(mark, count);
  return to.size() - history;
}

/// The index of a logged message of a retired type: nobody can run its handler again.
inline constexpr std::uint16_t no_handler = 0xffff;

/// Errors: throws what decoding the message throws.
inline void try_decode(const payload_ops& ops, bytes_view bytes, std::uint32_t schema) {
  (void)make_envelope(ops, [&](void* where) { ops.decode(where, bytes, schema); });
}

/// Reads a log back; its values stay encoded until a handler wants them. Messages are read once to
/// see whether they can be. Returns how many bytes the entries behind its last message take: see
/// put_log().
inline std::size_t get_log(reader& from, replay_log& log, const world& system,
                           const actor_type& type, const name_table& names) {
  const auto count = from.get<std::uint32_t>();
  std::size_t history = from.left();
  for (std::uint32_t at = 0; at < count; ++at) {
    const auto kind = from.get<log_kind>();
    const auto code = from.get<errc>();
    const auto number = from.get<std::uint64_t>();
    const auto ticket = from.get<std::uint64_t>();
    const auto effects = from.get<std::uint32_t>();
    const auto hash = from.get<std::uint64_t>();
    const return_address answer = get_return(from, system);
    if (kind > log_kind::turn || (at == 0 && kind != log_kind::message)) {
      throw error{errc::damaged, "a log that does not begin with a message"};
    }
    const bytes_view bytes = get_sized(from);
    log_entry made;
    made.kind = kind;
    made.length = static_cast<std::uint32_t>(bytes.size());
    made.number = number;
    made.answer = answer;
    const bool is_turn = kind == log_kind::turn;
    if (is_turn) {
      made.effects = effects;
      // Of a turn whose values are not known both sums are 0.
      if (code == errc{sums_made_as} && (ticket != 0 || hash != 0)) made.schema = values_known;
    } else {
      made.code = code;
      made.schema = effects;
    }
    if (!is_turn || code == errc{sums_made_as}) {
      made.ticket = ticket;
      made.type = hash;
    }
    if (kind == log_kind::message) {
      const auto index = find_handler(type, hash);
      if (!index && !system.types.retired.contains(hash)) refuse_message(type, names, hash);
      made.index = index.value_or(no_handler);
      if (index) try_decode(*type.handlers[*index].message, bytes, made.schema);
    }
    log.append(made, bytes.data());
    if (kind == log_kind::message) history = from.left();
  }
  return history - from.left();
}

}  // namespace cairn::detail
