// How a child comes to be, within its parent's turn: it lives once that has ended.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "../ref.hpp"
#include "actor_type.hpp"
#include "codec_digest.hpp"
#include "holder.hpp"

namespace cairn::detail {

/// What a spawn came to, as it stands in the log.
struct spawned {
  actor_id id{};
  std::uint32_t slot_index = 0;
  errc code = errc::ok;
  std::uint8_t padding[3] = {};
};

[[nodiscard]] inline bool is_good_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 255 && name.find('/') == std::string_view::npos;
}

/// The parent's child of this name, null if there is none.
[[nodiscard]] inline child* find_child(cell& parent, std::string_view name) {
  return parent.more ? parent.more->children.find(std::string{name}) : nullptr;
}

template <class C, class... Args>
void construct_child(cell& made, Args&&... args) {
  if constexpr (ephemeral_actor<C>) {
    static_assert((std::is_copy_constructible_v<std::decay_t<Args>> && ...),
                  "an ephemeral actor restarts from the arguments of its spawn: they are copied");
    made.rest().rebuild = [kept = std::make_tuple(std::decay_t<Args>(args)...)](cell& again) {
      std::apply([&](const auto&... each) { make_incarnation<C>(again, each...); }, kept);
    };
  }
  make_incarnation<C>(made, std::forward<Args>(args)...);
}

template <class C>
[[nodiscard]] const actor_type& type_of_child(turn& here) {
  const actor_type*& last = here.child_type;
  if (last == nullptr || last->hash != type_hash<C>) {
    last = &here.system->type_named(type_hash<C>, type_name<C>);
  }
  return *last;
}

/// Spawns within the turn; the child lives once the turn has ended.
template <class C, class... Args>
[[nodiscard]] spawned spawn_now(turn& here, cell& parent, std::string_view name, Args&&... args) {
  const actor_type& type = type_of_child<C>(here);
  if (!name.empty()) {
    if (!is_good_name(name)) return {.code = errc::bad_name};
    if (child* known = find_child(parent, name)) {
      if (!known->restored || known->type != &type) return {.code = errc::name_taken};
      known->restored = false;
      return {known->where.id, known->where.where->slot_index};
    }
  }
  cell& made = here.system->allocate_child(type, parent, name);
  try {
    construct_child<C>(made, std::forward<Args>(args)...);
  } catch (...) {
    here.system->release_cell(made);
    throw;
  }
  here.also().born.push_back({&made, &parent});
  parent.rest().children.add({made.self(), &type, false}, made.name);
  return {made.self().id, made.slot_index};
}

/// The child's name, and what its state is built from. An ephemeral one may be given what is no
/// value, such as a number of what `on_start` opens, which no replay has.
template <class C, class... Args>
[[nodiscard]] std::uint64_t digest_of_spawn(turn& here, std::string_view name,
                                            const Args&... args) noexcept {
  return here.value_of([&] {
    std::uint64_t value = digest_of_argument(name, here.hashing);
    if constexpr (!ephemeral_actor<C>) {
      ((value = mixed_of(value, digest_of_argument(args, here.hashing))), ...);
    }
    return value;
  });
}

template <class C, class... Args>
[[nodiscard]] ref<C> spawn(turn& here, cell& parent, std::string_view name, Args&&... args) {
  const bool compared = here.logs();
  const std::uint64_t value = compared ? digest_of_spawn<C>(here, name, args...) : 0;
  const spawned outcome = here.handed(
      handed_value::spawn,
      [&] { return spawn_now<C>(here, parent, name, std::forward<Args>(args)...); }, name);
  if (outcome.code != errc::ok) {
    throw error{outcome.code, "cannot spawn \"" + std::string{name} +
                                  "\": " + std::string{to_string(outcome.code)}};
  }
  if (compared) here.note(raw(outcome.id), origin_hash<C>, value);
  return ref<C>{address{here.system->locate(outcome.slot_index), outcome.id}};
}

/// What an actor says of a child that it has just spawned.
inline void declare_child(cell& parent, cell& one, const child_options& declared) {
  parent.rest().children.find(one.self().id, one.name)->shutdown = declared.shutdown;
  one.rest().declared = declared;
  if (declared.restart != permanent || !one.type->persistent) return;
  one.type->encode(one, one.rest().first_state);
  one.rest().first_schema = one.type->schema;
}

}  // namespace cairn::detail
