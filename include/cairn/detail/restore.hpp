// The process begins again: the records of a snapshot become actors, before any worker runs.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../context.hpp"
#include "../other_version.hpp"
#include "../store.hpp"
#include "../supervisor.hpp"
#include "letter_keeper.hpp"
#include "lost_watches.hpp"
#include "restore_crew.hpp"
#include "restored_events.hpp"
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
    found_.counts.from = facts_.from = latest;
    facts_.now = epoch{all_.now_epoch.load(std::memory_order_relaxed)};  // nobody runs
    const cell_table::making cells{all_.cells};
    const scoped_current<runtime> scope{current_runtime, &all_};
    {
      room_pool rooms;
      const scoped_current<room_pool> pool{current_pool, &rooms};
      restore_crew crew{all_, facts_};
      store.read(latest, [&](const record_view& record) { take(record, crew); });
      crew.finish(found_);
    }
    all_.cells.make_rest();
    expect_children();
    all_.restored_ids.reserve(counts().actors);
    // By their cells: however many threads have taken them, and wrote them, most are there in the
    // order of their ids, in which their parents' tables and who wakes them want them.
    for (std::uint32_t index = 0; index < claimed_.size(); ++index) {
      if (claimed_[index] == 0) continue;
      cell& one = *all_.cells.at(index);
      adopt(one);
      // Who waits for an answer of a retired one waits for nobody.
      if (!one.type->is_retired) all_.restored_ids.push_back(one.self().id);
    }
    auto& ids = all_.restored_ids;
    if (!std::ranges::is_sorted(ids)) std::ranges::sort(ids);  // where cells were used again
    for (cell* one : found_.replays) {
      ++found_.counts.suspended_handlers;
      if (is_supervisor(one->type)) continue;  // its handlers are cairn's, not the program's
      if (program_ != program) ask_other(*one, program, other);
      check_log(*one);
    }
  }

  /// Gives those cells a home that nobody lives in, and that will be used again.
  void settle() {
    claimed_.resize(all_.cells.used());
    const bool some_lost = all_.lost.any();
    for (std::uint32_t index = 2; index < all_.cells.used(); ++index) {
      const bool vacant = claimed_[index] == 0;
      if (!vacant && !some_lost) continue;  // it has one
      cell& one = *all_.cells.at(index);
      const bool first = all_.lost.lived_in(one);  // who will spawn it again in there
      const std::size_t home = first ? 0 : index % all_.workers.size();
      if (!vacant && first) move_home(one);
      if (!vacant) continue;
      if (one.owner == nullptr) one.owner = &all_;  // threads outside may read it
      one.home.store(all_.workers[home].get(), std::memory_order_relaxed);  // nobody runs yet
      if (!first) all_.workers[home]->vacant.push_back(&one);
    }
    for (cell* one : found_.unsaved) touch(*one);
    for (cell* one : found_.replays) {
      if (one->abandons || one->changed) touch(*one);
    }
    for (std::size_t at = 0; at < found_.homes.size(); ++at) {
      worker_counters::add(all_.workers[at]->counters.actors, found_.homes[at]);
    }
    for (cell* one : orphans_) wake(*one);
  }

  /// Says what was found.
  void tell() const { tell_restored(all_, found_.counts, found_.suspended); }

  [[nodiscard]] const restored_counts& counts() const noexcept { return found_.counts; }
  [[nodiscard]] const name_table& names() const noexcept { return facts_.names; }

 private:
  /// What to do with a handler that another version of the program has recorded.
  void ask_other(cell& one, const std::string& program, const version_handler& other) {
    const log_entry entry = *last_message_of(one.saved->log).entry;  // no log is without one
    recorded_handler what{world::label(one), std::string{one.type->name},
                          name_of(facts_.names, entry.type), program_, program};
    const auto answer = one.abandons ? version_answer::abandon  // an operator has said so
                        : other      ? other(what)
                                     : version_answer::refuse;
    one.abandons = answer == version_answer::abandon && one.open_handler;
    if (answer == version_answer::suspend_actor && !std::exchange(one.suspended, true)) {
      found_.suspended.push_back(&one);
    }
    if (answer != version_answer::refuse) {
      // What a message carries may be more in this version: the digests of values are the other's,
      // and are in no record of this one.
      one.changed = true;
      return one.saved->log.forget_values();
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
    const last_message last = last_message_of(one.saved->log);
    replay_log::cursor at{};
    for (auto before = at; const found_entry each = one.saved->log.next(at); before = at) {
      if (each->kind != log_kind::message || each->index != no_handler) continue;
      if (before != last.at || !one.abandons) refuse_message(*one.type, facts_.names, each->type);
    }
  }

  /// To the first worker.
  void move_home(cell& one) {
    --found_.homes[one.home.load(std::memory_order_relaxed)->index];  // nobody runs yet
    ++found_.homes[0];
    one.home.store(all_.workers[0].get(), std::memory_order_relaxed);  // as above
  }

  /// The first snapshot says what was decided: the next process finds it, however this one ends.
  void touch(cell& one) const {
    worker& home = *one.home.load(std::memory_order_relaxed);  // nobody runs yet
    one.changed = true;
    one.touched_in = one.at;
    home.touched.push_back(one);
    all_.dirty.store(true, std::memory_order_relaxed);  // nobody runs yet
  }

  void take(const record_view& record, restore_crew& crew) {
    switch (record.header.kind) {
      case record_kind::name:
        crew.finish(found_);  // nobody reads the names now
        facts_.names[record.header.place] = std::string{
            reinterpret_cast<const char*>(record.payload.data()), record.payload.size()};
        break;
      case record_kind::meta:
        crew.finish(found_);
        take_meta(reader{record.payload});
        break;
      case record_kind::actor:
        claim_cell(record);
        crew.add(record);
        break;
      case record_kind::mail:
      case record_kind::reply:
        crew.add(record);
        break;
      case record_kind::gone:
      case record_kind::claim:
        break;  // what a store keeps for itself
    }
  }

  /// Two actors in one cell would be taken by two threads.
  void claim_cell(const record_view& record) {
    const auto index = record_taker::cell_index(record);
    claimed_.resize(all_.cells.used());
    if (index >= claimed_.size()) return;  // who takes it complains
    if (std::exchange(claimed_[index], 1) != 0) {
      throw error{errc::damaged, "actor #" + std::to_string(raw(record.header.actor)) +
                                     " is in a cell with another"};
    }
  }

  void take_meta(reader from) {
    if (from.get<std::uint8_t>() != 1) {
      throw error{errc::newer_schema, "snapshot " + std::to_string(raw(counts().from)) +
                                          " was written by a newer version of cairn"};
    }
    all_.next_id.store(from.get<std::uint64_t>(), std::memory_order_relaxed);    // nobody runs yet
    all_.first_new_id = actor_id{all_.next_id.load(std::memory_order_relaxed)};  // as above
    cut_at_ = std::chrono::microseconds{from.get<std::int64_t>()};
    facts_.began = {all_.steady_now(), micros_of(all_.wall_now()), cut_at_};
    const auto cells = from.get<std::uint32_t>();
    if (cells > cell_table::max_cells) {
      throw error{errc::damaged, "a snapshot counts " + std::to_string(cells) + " cells"};
    }
    all_.cells.reserve_rooms(cells);
    program_ = from.get_text();
    all_.orderly = from.get<std::uint8_t>() != 0;
  }

  /// Nobody is left to declare an actor whose parent has stopped, nor those below it: they wake at
  /// once, for the parent's word to stop is among what waits for them. The same below a retired
  /// one.
  static void wake(cell& top) {
    std::vector<cell*> left{&top};  // not by recursion: a subtree may be as deep as it likes
    while (!left.empty()) {
      cell& one = *left.back();
      left.pop_back();
      if (one.more) {
        one.more->children.for_each(
            [&](const std::string&, const child& each) { left.push_back(each.where.where); });
      }
      one.box.replies.push_back(wake_word(one.self(), one.at));
      one.home.load(std::memory_order_relaxed)->ready.push(one);  // nobody runs yet
    }
  }

  /// A parent may have a million children: its table is not to grow with each of them.
  void expect_children() {
    std::unordered_map<cell*, std::size_t> counts;
    for (const auto& each : found_.broods) {
      if (each.count >= many_children) counts[each.parent] += each.count;
    }
    for (const auto& [parent, count] : counts) {
      if (parent->type != nullptr) parent->rest().children.expect(count);
    }
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
    one.careful = all_.caution_of(one);  // after a rollback; at the start nobody is yet
    const bool orphan = parent == nullptr || !parent->is(one.parent.id);
    // A retired one leaves its name to whom the program spawns in its place.
    if (keeper || orphan || one.type->is_retired || is_disowned(one)) {
      orphans_.push_back(&one);
      return;
    }
    const bool supervised = parent->type == nullptr || is_supervisor(parent->type);
    const auto said = declared_of(one);
    parent->rest().children.add(
        {one.self(), one.type, supervised || parent->slot_index == 1, said.restart, said.shutdown},
        one.name);
  }

  /// Whether its parent has begun afresh, which it has not heard yet: its name is free.
  [[nodiscard]] static bool is_disowned(cell& one) {
    for (const envelope* each = one.box.queue.front(); each != nullptr; each = each->next) {
      const bool stops =
          each->kind == envelope_kind::control && control{each->index} == control::stop;
      if (stops && disowns(note_of(*each))) return true;
    }
    return false;
  }

  /// As an earlier run has said, also where it had not yet heard it.
  [[nodiscard]] static child_options declared_of(cell& one) {
    auto said = one.more ? one.more->declared : child_options{};
    for (const envelope* each = one.box.queue.front(); each != nullptr; each = each->next) {
      if (each->kind == envelope_kind::control && control{each->index} == control::declare) {
        said = options_of(note_of(*each).number);
      }
    }
    return said;
  }

  static constexpr std::uint32_t many_children = 1000;

  world& all_;
  snapshot_facts facts_{};
  restored_actors found_{};
  std::vector<char> claimed_{};  ///< by the index of a cell
  std::string program_{};
  std::chrono::microseconds cut_at_{};  ///< the snapshot, by the wall clock
  /// Whose parent had stopped, its word had not come yet; and whose type is retired.
  std::vector<cell*> orphans_{};
  std::vector<timer> none_{};
};

}  // namespace cairn::detail
