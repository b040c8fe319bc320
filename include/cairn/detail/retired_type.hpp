// Types that a program has had: what is left of their actors, and their messages.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "../type_name.hpp"
#include "world.hpp"

namespace cairn::detail {

/// A message whose type is retired: nobody can read it, and nobody handles it.
struct retired_message {
  std::string name{};
  std::uint64_t hash = 0;
  std::uint32_t schema = 0;
  buffer bytes{};
};

[[nodiscard]] inline const retired_message* as_retired(const envelope& message) noexcept {
  return message.ops == &ops_of<retired_message>
             ? static_cast<const retired_message*>(message.payload())
             : nullptr;
}

/// The hash of a message's type, as records have it.
[[nodiscard]] inline std::uint64_t hash_of(const envelope& message) noexcept {
  const retired_message* old = as_retired(message);
  return old != nullptr ? old->hash : message.ops->hash;
}

/// In which schema its bytes are written.
[[nodiscard]] inline std::uint32_t schema_of(const envelope& message) noexcept {
  if (const retired_message* old = as_retired(message)) return old->schema;
  if (message.ops == &ops_of<encoded_value>) {
    return static_cast<const encoded_value*>(message.payload())->schema;
  }
  return message.ops->schema;
}

/// What an actor of a type that is retired is until it is stopped, as soon as it has a worker.
inline void register_retired(registry& types, std::string_view name) {
  actor_type type;
  type.name = name;
  type.hash = fnv1a(name);
  type.is_retired = true;
  type.handlers.resize(2);  // no hooks
  type.destroy = [](cell&) noexcept {};
  types.retired.insert_or_assign(type.hash, std::move(type));
}

[[nodiscard]] inline std::string retired_text(std::string_view name) {
  return "its type \"" + std::string{name} + "\" is retired";
}

/// Errors: throws `errc::misuse` where a name is retired that a message has or had.
inline void check_retired(const registry& types) {
  for (const auto& [hash, type] : types.retired) {
    if (!types.messages.contains(hash)) continue;
    throw error{errc::misuse, "cairn::retired<\"" + std::string{type.name} +
                                  "\"> is the name of a message that actors handle"};
  }
}

}  // namespace cairn::detail
