// One record of a snapshot after the other becomes an actor and what waits for it.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../context.hpp"
#include "../store.hpp"
#include "actor_record.hpp"
#include "reminders.hpp"
#include "restored_counts.hpp"
#include "supervisor_actor.hpp"
#include "world.hpp"

namespace cairn::detail {

/// What holds of all records of a snapshot. It does not change while actors are taken.
struct snapshot_facts {
  epoch from{};
  epoch now{};  ///< in which the system goes on
  name_table names{};
  restart_times began{};
};

/// What has been taken. Who is noted here need not be looked for among a million others.
struct restored_actors {
  /// Children without a name, one after the other.
  struct brood {
    cell* parent = nullptr;
    std::size_t count = 0;
  };

  std::vector<cell*> replays{};      ///< those with a handler that was suspended
  std::vector<cell*> unsaved{};      ///< others that differ from their records
  huge_vector<cell*> suspended{};    ///< and not of a retired type
  std::vector<brood> broods{};       ///< several of one parent, too
  std::vector<std::size_t> homes{};  ///< how many live with each worker
  restored_counts counts{};          ///< without suspended handlers

  void add(restored_actors&& more) {
    const auto append = [](auto& to, auto& from) {
      to.empty() ? to.swap(from) : void(to.insert(to.end(), from.begin(), from.end()));
    };
    append(replays, more.replays);
    append(unsaved, more.unsaved);
    append(suspended, more.suspended);
    for (const brood& each : more.broods) add_brood(each);
    homes.resize(std::max(homes.size(), more.homes.size()));
    for (std::size_t at = 0; at < more.homes.size(); ++at) homes[at] += more.homes[at];
    counts.actors += more.counts.actors;
    counts.messages += more.counts.messages;
    counts.timers += more.counts.timers;
  }
  void add_brood(const brood& more) {
    const bool same = !broods.empty() && broods.back().parent == more.parent;
    same ? void(broods.back().count += more.count) : broods.push_back(more);
  }
};

/// Takes the records of some actors, each actor's own one first. By one thread at a time; several
/// takers may work side by side, since no actor's records touch another's cell.
class record_taker {
 public:
  record_taker(world& all, const snapshot_facts& facts) : all_{all}, facts_{facts} {
    taken_.homes.resize(all.workers.size());
  }

  /// Precondition: the record is of kind `actor`, `mail` or `reply`.
  ///
  /// Errors: throws `cairn::error` that names the type or the actor.
  void take(const record_view& record) {
    record.header.kind == record_kind::actor ? take_actor(record) : take_mail(record);
  }

  /// Which cell an actor's record asks for. Precondition: it is of kind `actor`.
  [[nodiscard]] static std::uint32_t cell_index(const record_view& record) {
    reader from{record.payload};
    (void)from.get<std::uint8_t>();  // the format, see take_actor()
    return from.get<std::uint32_t>();
  }

  [[nodiscard]] restored_actors& taken() noexcept { return taken_; }

 private:
  void take_actor(const record_view& record) {
    const auto& header = record.header;
    const actor_type& type = type_of(header);
    reader from{record.payload};
    if (from.get<std::uint8_t>() != actor_payload_format) {
      throw error{errc::newer_schema, "an actor of type \"" + std::string{type.name} +
                                          "\" was written by a newer version of cairn"};
    }
    cell& one = cell_for(header, type, from.get<std::uint32_t>());
    static_cast<cell_body&>(one) = cell_body{};
    one.type = &type;
    if (one.owner == nullptr) one.owner = &all_;  // as in settle()
    one.box.done_ticket = header.floor;
    one.policy = default_supervision;
    one.dormant = !type.is_retired;
    one.retired = type.is_retired;
    one.on_disk = true;
    one.needs_start = true;
    try {
      one.parent = get_address(from, all_);
      one.name = from.get_text();
      // The name before the id: after a rollback a thread outside may look for who had lived here.
      // pairs with the load in name_view::look()
      one.id.store(header.actor, std::memory_order_release);
      read_body(one, from, header);
    } catch (const error& why) {
      const auto number = "#" + std::to_string(raw(header.actor));
      throw error{why.code(), "actor " + (one.name.empty() ? number : one.name) + " (" +
                                  std::string{type.name} + "): " + why.what()};
    }
    settle(one);
    note(one);
    current_ = &one;
  }

  /// Gives it a home, for as long as nobody runs.
  void settle(cell& one) {
    const bool supervisor = is_supervisor(one.type);
    // Whose type is retired stops at once, while the first worker may look at its dormant siblings.
    // What is right below the root is the root's own to wake.
    const bool first = supervisor || one.retired || one.parent.id == actor_id{1};
    const std::size_t home = first ? 0 : one.slot_index % all_.workers.size();
    one.home.store(all_.workers[home].get(), std::memory_order_relaxed);
    one.at = facts_.now;
    one.pinned = first;
    ++taken_.homes[home];
  }

  void note(cell& one) {
    ++taken_.counts.actors;
    if (one.needs_replay) {
      taken_.replays.push_back(&one);
    } else if (one.changed && !one.retired) {  // who is stops at once
      taken_.unsaved.push_back(&one);
    }
    if (one.suspended && !one.retired) taken_.suspended.push_back(&one);
    if (one.name.empty() && one.parent.where != nullptr) taken_.add_brood({one.parent.where, 1});
  }

  /// Mostly the same as before.
  [[nodiscard]] const actor_type& type_of(const record_header& header) {
    if (type_ == nullptr || type_hash_ != header.type) {
      type_ = &find_type(header.type);
      type_hash_ = header.type;
    }
    if (!type_->is_retired && header.schema > type_->schema) {
      throw error{errc::newer_schema, "the store holds an actor of type \"" +
                                          std::string{type_->name} +
                                          "\": " + newer_text(header.schema, type_->schema)};
    }
    return *type_;
  }
  [[nodiscard]] const actor_type& find_type(std::uint64_t hash) const {
    if (const actor_type* known = all_.types.find(hash)) return *known;
    const auto retired = all_.types.retired.find(hash);
    if (retired != all_.types.retired.end()) return retired->second;
    throw error{errc::unknown_type, "the store holds an actor of type \"" +
                                        name_of(facts_.names, hash) +
                                        "\", which cairn::actors<...> does not list"};
  }

  /// The meta record comes first: it has made room for the cells.
  [[nodiscard]] cell& cell_for(const record_header& header, const actor_type& type,
                               std::uint32_t slot_index) const {
    const auto refuse = [&](errc code, const char* why) {
      throw error{code, "actor #" + std::to_string(raw(header.actor)) + " of type \"" +
                            std::string{type.name} + "\" " + why};
    };
    if (!type.persistent) refuse(errc::unknown_type, "is in the store, and ephemeral here");
    const auto next_id = all_.next_id.load(std::memory_order_relaxed);  // nobody runs yet
    if (raw(header.actor) < 2 || raw(header.actor) >= next_id) {
      refuse(errc::damaged, "has an id that was not given");
    }
    if (slot_index < 2 || slot_index >= all_.cells.used()) {
      refuse(errc::damaged, "is in a cell that is not there");
    }
    all_.cells.make(slot_index);
    return *all_.cells.at(slot_index);
  }

  void read_body(cell& one, reader& from, const record_header& header) {
    one.life = from.get<incarnation>();
    const auto flags = from.get<std::uint8_t>();
    one.suspended = (flags & suspended_bit) != 0;
    one.paused = (flags & paused_bit) != 0;
    const auto next_number = from.get<std::uint64_t>();
    one.box.last_ticket = from.get<std::uint64_t>();
    read_rest(one, from);
    one.consumed = header.position;
    one.next_number = next_number;
    if (one.type->is_retired) return;
    const bytes_view state = get_sized(from);
    const auto base_at = from.get<position>();
    const auto base_number = from.get<std::uint64_t>();
    replay_log log;
    const std::size_t history = get_log(from, log, all_, *one.type, facts_.names);
    if (log.empty()) {
      one.type->construct(one);
      one.type->decode(one, state, header.schema);
    } else {
      one.saved = std::make_unique<recovery>();
      one.saved->state.append(state);
      one.saved->schema = header.schema;
      one.saved->valid = true;
      one.saved->at = base_at;
      one.saved->next_number = base_number;
      one.saved->log = std::move(log);
      one.needs_replay = true;
      one.open_handler = (flags & handler_bit) != 0;
      one.abandons = (flags & abandons_bit) != 0 && one.open_handler;
      if (one.open_handler) one.rest().handler.recorded = {history, one.saved->log.bytes()};
    }
  }

  void read_rest(cell& one, reader& from) {
    read_failures(one, from);
    for (auto left = from.get<std::uint32_t>(); left > 0; --left) {
      one.rest().watchers.push_back(get_address(from, all_));
    }
    for (auto left = from.get<std::uint32_t>(); left > 0; --left) {
      one.rest().waiting_for_room.push_back(get_return(from, all_));
    }
    for (auto left = from.get<std::uint32_t>(); left > 0; --left) {
      const auto when = get_restart(from, facts_.began);
      // Who starts a program again that had ended orderly has decided something: they are forgiven.
      // Those of a group are its supervisor's state, see `forgive`.
      all_.orderly ? void(one.changed = true) : one.rest().restarts.push_back(when);
    }
    // When it failed last: no record says more of it than when it was restarted.
    if (one.more && one.more->failures != 0 && !one.more->restarts.empty()) {
      one.more->failed_at = one.more->restarts.back();
    }
    for (auto left = from.get<std::uint32_t>(); left > 0; --left) {
      auto kept = get_timer(from, facts_.began, [&](reader& rest, std::uint32_t schema) {
        auto message = read_envelope(one, rest, schema);
        message->to = &one;
        return message;
      });
      if (!kept) continue;
      // What was down counts for no delay: by this record it would, in later snapshots.
      if (kept->kind == timer_kind::after) one.changed = true;
      one.rest().timers.push_back(std::move(*kept));
      ++taken_.counts.timers;
    }
  }

  void read_failures(cell& one, reader& from) {
    const auto attempts = from.get<std::uint32_t>();
    const auto failures = from.get<std::uint32_t>();
    const auto declared = from.get<std::uint64_t>();
    const auto schema = from.get<std::uint32_t>();
    const bytes_view first = get_sized(from);
    if (attempts != 0) one.rest().attempts = attempts;
    if (failures != 0 && all_.orderly) {
      one.changed = true;
    } else if (failures != 0) {
      one.rest().failures = failures;
      one.rest().failed_at = facts_.began.now;
    }
    if (declared != bits_of(child_options{})) one.rest().declared = options_of(declared);
    if (first.empty()) return;
    one.rest().first_schema = schema;
    one.rest().first_state.append(first);
  }

  /// Nothing in a snapshot was sent after it: that would bring a worker to an epoch ahead of all.
  [[nodiscard]] envelope_ptr read_envelope(const cell& one, reader& from,
                                           std::uint32_t schema) const {
    auto message = get_envelope(from, schema, all_, *one.type, facts_.names);
    if (message->sent > facts_.from) throw error{errc::damaged, "a message of a later epoch"};
    return message;
  }

  void take_mail(const record_view& record) {
    if (current_ == nullptr || !current_->is(record.header.actor)) return;  // its actor is gone
    cell& one = *current_;
    reader from{record.payload};
    auto message = read_envelope(one, from, record.header.schema);
    message->to = &one;
    message->target = record.header.actor;
    message->recorded = record.header.epoch;
    if (message->kind == envelope_kind::reply) {
      if (record.header.place == wake_number) return;  // of the run before
      message->answer.number = record.header.place;
      one.box.add_reply(std::move(message));
    } else {
      message->ticket = record.header.place;
      one.box.last_ticket = std::max(one.box.last_ticket, message->ticket);
      one.box.queue.push_back(std::move(message));
    }
    ++taken_.counts.messages;
  }

  world& all_;
  const snapshot_facts& facts_;
  restored_actors taken_{};
  cell* current_ = nullptr;
  const actor_type* type_ = nullptr;  ///< the latest one, and its name's hash in the record
  std::uint64_t type_hash_ = 0;
};

}  // namespace cairn::detail
