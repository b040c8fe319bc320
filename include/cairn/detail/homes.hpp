// Where actors live: cells are given to them and taken back, by the worker whose step it is.
#pragma once

#include <string>
#include <utility>

#include "world.hpp"

namespace cairn::detail {

/// The worker whose step runs on this thread.
inline constinit thread_local worker* current_worker = nullptr;

class homes : public world {
 public:
  [[nodiscard]] cell& allocate_child(const actor_type& type, cell& parent,
                                     std::string_view name) override {
    if (current_worker->index != 0 || !lost.any()) return allocate_named(type, name);
    const auto before = lost.find(parent.self().id, std::string{name}, type);
    if (!before) return allocate_named(type, name);
    cell& made = *before->where;
    static_cast<cell_body&>(made) = cell_body{};
    settle_in(made, type);
    rename(made, name);
    made.id.store(before->id, std::memory_order_relaxed);  // as there
    return made;
  }

  [[nodiscard]] cell& allocate_cell(const actor_type& type) override {
    cell* made = nullptr;
    auto& vacant = current_worker->vacant;
    if (!vacant.empty()) {
      made = vacant.back();
      vacant.pop_back();
    } else {
      made = &cells.fresh();
    }
    settle_in(*made, type);
    // Relaxed: ids need only differ.
    made->id.store(actor_id{next_id.fetch_add(1, std::memory_order_relaxed)},
                   std::memory_order_relaxed);
    return *made;
  }

  void release_cell(cell& gone) noexcept override {
    if (gone.state != nullptr) gone.type->destroy(gone);
    leaver& last = current_worker->left;
    last.id = gone.self().id;
    last.at = gone.at;
    last.consumed = gone.consumed;
    last.name.clear();
    if (gone.name.empty()) {
      gone.id.store(actor_id{}, std::memory_order_relaxed);  // a number; see rename()
    } else {
      names_aloud.close(gone);
      last.name.swap(gone.name);
    }
    static_cast<cell_body&>(gone) = cell_body{};
    gone.woken.store(0, std::memory_order_relaxed);  // see rouse()
    // One that is lost is given to nobody else.
    if (!lost.lived_in(gone)) current_worker->vacant.push_back(&gone);
  }

 private:
  [[nodiscard]] cell& allocate_named(const actor_type& type, std::string_view name) {
    cell& made = allocate_cell(type);
    if (name.empty()) return made;
    const actor_id who = made.self().id;
    rename(made, name);
    made.id.store(who, std::memory_order_relaxed);  // as above
    return made;
  }
  /// Some thread may still read the name of the cell's last actor, who had none. The cell has
  /// nobody then.
  void rename(cell& made, std::string_view name) {
    if (name.empty()) return;
    names_aloud.close(made);
    made.name = name;
  }
  void settle_in(cell& made, const actor_type& type) {
    made.type = &type;  // all else is as in a new cell, see release_cell()
    if (made.owner == nullptr) made.owner = this;  // threads outside may read it
    made.policy = default_supervision;
    made.home.store(current_worker, std::memory_order_release);  // pairs with delivery::send()
  }
};

}  // namespace cairn::detail
