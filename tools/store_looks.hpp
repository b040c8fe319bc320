// The verbs that only look: what a store holds, as a table for people or as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <cairn/dead_letter.hpp>

#include "store_deaths.hpp"
#include "store_request.hpp"
#include "store_view.hpp"

namespace cairn_store {

inline int show_epochs(const request& what) {
  const reading from{what};
  if (what.as_json) {
    json all = json::array();
    for (const auto& each : from.found.snapshots) {
      all.push_back({{"epoch", raw(each.number)},
                     {"savepoint", each.name},
                     {"records", each.records},
                     {"bytes", each.bytes},
                     {"released", each.released}});
    }
    put(text_of(all, 2));
    return 0;
  }
  put_line("{:>10} {:>10} {:>12} {:>9}  {}", "epoch", "records", "bytes", "released", "savepoint");
  for (const auto& each : from.found.snapshots) {
    put_line("{:>10} {:>10} {:>12} {:>9}  {}", raw(each.number), each.records, each.bytes,
             each.released ? "yes" : "no", each.name);
  }
  return 0;
}

inline int show_actors(const request& what) {
  reading from{what};
  const auto number = from.chosen(what);
  const auto found = read_snapshot(from.store, number);
  const noted_deaths deaths{what};
  const bool next = number == from.found.latest;  // the one that the next process begins from
  const auto held_back = [&](const actor_view& each) {
    return next && !each.suspended && deaths.hold_back(each.id, each.position);
  };
  const auto why = [&](const actor_view& each) {
    return next ? deaths.why(each.id, each.position) : std::string{};
  };
  if (what.as_json) {
    json actors = json::array();
    for (const auto& each : found.actors) {
      actors.push_back({{"path", each.path},
                        {"id", each.id},
                        {"type", each.type},
                        {"schema", each.schema},
                        {"position", each.position},
                        {"bytes", each.bytes},
                        {"waiting", each.waiting},
                        {"suspended", each.suspended},
                        {"held_back", held_back(each)},
                        {"why", why(each)}});
    }
    const json all{{"epoch", raw(number)},
                   {"program", found.program},
                   {"orderly", found.orderly},
                   {"actors", std::move(actors)}};
    put(text_of(all, 2));
    return 0;
  }
  put_line("{:>10} {:>10} {:>8}  {:<10} {}", "position", "bytes", "waiting", "", "actor (type)");
  for (const auto& each : found.actors) {
    const auto reason = why(each);
    put_line("{:>10} {:>10} {:>8}  {:<10} {} ({}){}{}", each.position, each.bytes, each.waiting,
             each.suspended    ? "suspended"
             : held_back(each) ? "held back"
                               : "",
             each.path, each.type, reason.empty() ? "" : ": ", reason);
  }
  return 0;
}

/// Errors: throws `errc::damaged` also where the store can be opened, but not all of it verifies.
inline int verify(const request& what) {
  reading from{what};
  std::uint64_t records = 0;
  for (const auto& each : from.found.snapshots) {
    from.store.read(each.number, [&](const cairn::record_view&) { ++records; });
  }
  if (from.warned) {
    auto text = what.directory + ": there is damage, as the warnings say";
    if (from.found.latest) {
      text += fmt::format("; snapshot {} is the latest that is whole", raw(*from.found.latest));
    }
    throw cairn::error{cairn::errc::damaged, text};
  }
  std::uint64_t entries = 0;
  const auto journals = journals_in(what.directory);
  for (const auto& name : journals) {
    from.store.journal(name)->read_from(1, [&](std::uint64_t, cairn::bytes_view) { ++entries; });
  }
  if (what.as_json) {
    const json all{{"snapshots", from.found.snapshots.size()},
                   {"records", records},
                   {"journals", journals.size()},
                   {"entries", entries}};
    put(text_of(all, 2));
  } else {
    put_line("good: {} snapshots with {} records, {} journals with {} entries",
             from.found.snapshots.size(), records, journals.size(), entries);
  }
  return 0;
}

inline std::string hex(const std::vector<std::byte>& bytes) {
  std::string text;
  for (const auto each : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(each));
  return text;
}

inline json json_of(const cairn::kept_letter& each) {
  return {{"id", raw(each.id)},
          {"actor", each.letter.name},
          {"actor_id", raw(each.letter.target)},
          {"message", each.letter.message},
          {"code", std::string{to_string(each.letter.code)}},
          {"text", each.letter.text},
          {"position", raw(each.letter.at)},
          {"epoch", raw(each.letter.in)},
          {"schema", each.letter.schema},
          {"payload", hex(each.letter.payload)}};
}

inline int show_letters(const request& what) {
  reading from{what};
  const letters found{from.store, from.chosen(what)};
  if (what.as_json) {  // one a line, and at the end how many
    for (const auto& each : found.all()) put(text_of(json_of(each.what)));
    put(text_of({{"letters", found.all().size()}, {"displaced", found.displaced()}}));
    return 0;
  }
  put_line("{:>8} {:>8} {:>10} {:>8}  {}", "letter", "epoch", "position", "bytes",
           "actor: message: why");
  for (const auto& each : found.all()) {
    const auto& letter = each.what.letter;
    put_line("{:>8} {:>8} {:>10} {:>8}  {}: {}: {}", raw(each.what.id), raw(letter.in),
             raw(letter.at), letter.payload.size(), letter.name, letter.message, letter.text);
  }
  if (found.displaced() != 0) put_line("{} older ones are gone", found.displaced());
  return 0;
}

}  // namespace cairn_store
