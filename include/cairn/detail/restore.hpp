// The process begins again: the records of a snapshot become actors, before any worker runs.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "../context.hpp"
#include "../other_version.hpp"
#include "../store.hpp"
#include "../supervisor.hpp"
#include "actor_record.hpp"
#include "letter_keeper.hpp"
#include "lost_watches.hpp"
#include "reminders.hpp"
#include "restored_counts.hpp"
#include "waking.hpp"
#include "world.hpp"

namespace cairn::detail {

class restorer {
 public:
  explicit restorer(world& all) noexcept : all_{all} {}

  /// Reads the snapshot into the world's cells. They are dormant until their supervisor is
  /// declared.
  ///
  /// Errors: throws `cairn::error` that names the type or the actor; nothing has run then, and the
  /// store is as it was.
  void read(any_store& store, epoch latest, const std::string& program,
            const version_handler& other) {
    counts_.from = latest;
    const scoped_current<runtime> scope{current_runtime, &all_};
    store.read(latest, [&](const record_view& record) { take(record); });
    for (cell* one : made_) {
      adopt(*one);
      // Who waits for an answer of a retired one waits for nobody.
      if (!one->type->is_retired) all_.restored_ids.push_back(one->self().id);
    }
    std::sort(all_.restored_ids.begin(), all_.restored_ids.end());
    for (cell* one : made_) {
      if (!one->needs_replay) continue;
      ++counts_.suspended_handlers;
      if (is_supervisor(one->type)) continue;  // its handlers are cairn's, not the program's
      if (program_ != program) ask_other(*one, program, other);
      check_log(*one);
    }
  }

  /// Gives every cell a home; those that nobody lives in will be used again. `now`: the epoch in
  /// which the system goes on.
  void settle(epoch now) {
    for (std::uint32_t index = 2; index < all_.cells.used(); ++index) {
      cell& one = *all_.cells.at(index);
      const bool supervisor = is_supervisor(one.type);
      const bool first = supervisor || all_.lost.lived_in(one);  // who will spawn it again in there
      worker& home = *all_.workers[first ? 0 : index % all_.workers.size()];
      if (one.owner == nullptr) one.owner = &all_;       // threads outside may read it
      one.home.store(&home, std::memory_order_relaxed);  // nobody runs yet
      if (one.type == nullptr) {
        if (!all_.lost.lived_in(one)) home.vacant.push_back(&one);
        continue;
      }
      one.at = now;
      one.pinned = supervisor;
      if (one.abandons || one.changed) touch(one, home);
      worker_counters::add(home.counters.actors, 1);
    }
    for (cell* one : orphans_) wake(*one);
  }

  /// Says what was found.
  void tell() const {
    event what;
    what.kind = event_kind::restored;
    what.at = counts_.from;
    what.text = std::to_string(counts_.actors) + " actors, " + std::to_string(counts_.messages) +
                " messages in flight, " + std::to_string(counts_.suspended_handlers) +
                " suspended handlers";
    all_.report(what);
  }

  [[nodiscard]] const restored_counts& counts() const noexcept { return counts_; }
  [[nodiscard]] const std::vector<cell*>& actors() const noexcept { return made_; }
  [[nodiscard]] const name_table& names() const noexcept { return names_; }

 private:
  /// What to do with a handler that another version of the program has recorded.
  void ask_other(cell& one, const std::string& program, const version_handler& other) const {
    const log_entry& entry = *last_message_of(one.saved->log).entry;  // no log is without one
    recorded_handler what{world::label(one), std::string{one.type->name},
                          name_of(names_, entry.type), program_, program};
    const auto answer = one.abandons ? version_answer::abandon  // an operator has said so
                        : other      ? other(what)
                                     : version_answer::refuse;
    one.abandons = answer == version_answer::abandon && one.open_handler;
    if (answer == version_answer::suspend_actor) one.suspended = true;
    if (answer != version_answer::refuse) {
      // What a message carries may be more in this version: the digests of values are the other's,
      // and are in no record of this one.
      one.changed = true;
      return forget_values(one.saved->log);
    }
    throw error{errc::newer_schema, "actor " + what.actor + " (" + what.type +
                                        ") was suspended in a handler of " + what.message +
                                        " by program version \"" + program_ +
                                        "\"; this is version \"" + program +
                                        "\". Let the old program end orderly first, or set "
                                        "options::other_version"};
  }

  /// What cannot be run again may only be given up.
  void check_log(cell& one) const {
    const log_entry* last = last_message_of(one.saved->log).entry;
    replay_log::cursor at{};
    while (const log_entry* each = one.saved->log.next(at)) {
      if (each->kind != log_kind::message || each->index != no_handler) continue;
      if (each != last || !one.abandons) refuse_message(*one.type, names_, each->type);
    }
  }

  /// The first snapshot says what was decided: the next process finds it, however this one ends.
  void touch(cell& one, worker& home) const {
    one.changed = true;
    one.touched_in = one.at;
    home.touched.push_back(one, touched_list::touched);
    all_.dirty.store(true, std::memory_order_relaxed);  // nobody runs yet
  }

  void take(const record_view& record) {
    switch (record.header.kind) {
      case record_kind::name:
        names_[record.header.place] = std::string{
            reinterpret_cast<const char*>(record.payload.data()), record.payload.size()};
        break;
      case record_kind::meta:
        take_meta(reader{record.payload});
        break;
      case record_kind::actor:
        take_actor(record);
        break;
      case record_kind::mail:
      case record_kind::reply:
        take_mail(record);
        break;
      case record_kind::gone:
      case record_kind::claim:
        break;  // what a store keeps for itself
    }
  }

  void take_meta(reader from) {
    if (from.get<std::uint8_t>() != 1) {
      throw error{errc::newer_schema, "snapshot " + std::to_string(raw(counts_.from)) +
                                          " was written by a newer version of cairn"};
    }
    all_.next_id.store(from.get<std::uint64_t>(), std::memory_order_relaxed);    // nobody runs yet
    all_.first_new_id = actor_id{all_.next_id.load(std::memory_order_relaxed)};  // as above
    cut_at_ = std::chrono::microseconds{from.get<std::int64_t>()};
    began_ = {all_.steady_now(), micros_of(all_.wall_now()), cut_at_};
    const auto cells = from.get<std::uint32_t>();
    if (cells > cell_table::max_cells) {
      throw error{errc::damaged, "a snapshot counts " + std::to_string(cells) + " cells"};
    }
    all_.cells.reserve(cells);
    program_ = from.get_text();
    all_.orderly = from.get<std::uint8_t>() != 0;
  }

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
    made_.push_back(&one);
    current_ = &one;
    ++counts_.actors;
  }

  [[nodiscard]] const actor_type& type_of(const record_header& header) const {
    const actor_type* known = all_.types.find(header.type);
    if (known == nullptr) {
      const auto retired = all_.types.retired.find(header.type);
      if (retired != all_.types.retired.end()) return retired->second;
      throw error{errc::unknown_type, "the store holds an actor of type \"" +
                                          name_of(names_, header.type) +
                                          "\", which cairn::actors<...> does not list"};
    }
    if (header.schema > known->schema) {
      throw error{errc::newer_schema, "the store holds an actor of type \"" +
                                          std::string{known->name} +
                                          "\": " + newer_text(header.schema, known->schema)};
    }
    return *known;
  }

  /// The meta record comes first: it has made the cells.
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
    cell& one = *all_.cells.at(slot_index);
    if (one.type != nullptr) refuse(errc::damaged, "is in a cell with another");
    return one;
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
    get_log(from, log, all_, *one.type, names_);
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
      const auto when = get_restart(from, began_);
      // Who starts a program again that had ended orderly has decided something: they are forgiven.
      // Those of a group are its supervisor's state, see `forgive`.
      all_.orderly ? void(one.changed = true) : one.rest().restarts.push_back(when);
    }
    for (auto left = from.get<std::uint32_t>(); left > 0; --left) {
      auto kept = get_timer(from, began_, [&](reader& rest, std::uint32_t schema) {
        auto message = read_envelope(one, rest, schema);
        message->to = &one;
        return message;
      });
      if (!kept) continue;
      one.rest().timers.push_back(std::move(*kept));
      ++counts_.timers;
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
      one.rest().failed_at = began_.now;
    }
    if (declared != bits_of(child_options{})) one.rest().declared = options_of(declared);
    if (first.empty()) return;
    one.rest().first_schema = schema;
    one.rest().first_state.append(first);
  }

  /// Nothing in a snapshot was sent after it: that would bring a worker to an epoch ahead of all.
  [[nodiscard]] envelope_ptr read_envelope(const cell& one, reader& from,
                                           std::uint32_t schema) const {
    auto message = get_envelope(from, schema, all_, *one.type, names_);
    if (message->sent > counts_.from) throw error{errc::damaged, "a message of a later epoch"};
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
    ++counts_.messages;
  }

  /// Nobody is left to declare an actor whose parent has stopped, nor those below it: they wake at
  /// once, for the parent's word to stop is among what waits for them. The same below a retired
  /// one.
  static void wake(cell& top) {
    for_subtree(
        top, [](const cell&) { return false; },
        [](cell& one) {
          one.box.replies.push_back(wake_word(one.self(), one.at));
          one.home.load(std::memory_order_relaxed)->ready.push(one);  // nobody runs yet
        });
  }

  /// Enters a restored actor in its parent's table, under its parent's rules.
  void adopt(cell& one) {
    for (auto& each : one.more ? one.more->timers : none_) {
      if (each.message) each.message->target = one.self().id;
    }
    // Relaxed: nobody runs.
    tell_of_lost(one, all_.rolled_back_to.load(std::memory_order_relaxed) != 0, all_.lost);
    cell* parent = one.parent.where;
    const bool keeper = one.type->hash == type_hash<letter_keeper>;  // nobody declares it
    if (keeper) all_.letters.found(one.self());
    one.careful = all_.is_accused(one);  // after a rollback; at the start nobody is yet
    const bool orphan = parent == nullptr || !parent->is(one.parent.id);
    // A retired one leaves its name to whom the program spawns in its place.
    if (keeper || orphan || one.type->is_retired) {
      orphans_.push_back(&one);
      return;
    }
    const bool supervised = parent->type == nullptr || is_supervisor(parent->type);
    const auto shutdown = one.more ? one.more->declared.shutdown : child_options{}.shutdown;
    parent->rest().children.add(
        {one.self(), one.type, supervised || parent->slot_index == 1, shutdown}, one.name);
  }

  world& all_;
  name_table names_{};
  std::vector<cell*> made_{};
  cell* current_ = nullptr;
  restored_counts counts_{};
  std::string program_{};
  std::chrono::microseconds cut_at_{};  ///< the snapshot, by the wall clock
  restart_times began_{};
  /// Whose parent had stopped, its word had not come yet; and whose type is retired.
  std::vector<cell*> orphans_{};
  std::vector<timer> none_{};
};

}  // namespace cairn::detail
