// Which messages the process dies of: each worker's note outlives it in a file of the store, and
// the next process counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../store.hpp"
#include "letter_keeper.hpp"
#include "store_log.hpp"
#include "supervisor_actor.hpp"
#include "turn_note.hpp"
#include "world.hpp"

namespace cairn::detail {

/// The file `TURNS`: what its process began with, what was counted so far, then a note for each
/// worker. `docs/format.md` has the layout for people.
class turn_file {
 public:
  static constexpr std::uint64_t enough = 2;         ///< deaths, to accuse
  static constexpr std::size_t most_suspects = 127;  ///< what fits in front of the notes
  static constexpr std::size_t most_workers = 60;
  static constexpr std::size_t most_notes = most_workers + 4;  ///< the last ones are of `self.run`
  static constexpr std::size_t notes_at = 4096;
  static constexpr std::size_t bytes = notes_at + most_notes * sizeof(turn_note);
  static_assert(4 * sizeof(std::uint64_t) + most_suspects * sizeof(deadly_turn) <= notes_at);

  struct contents {
    epoch begun{};  ///< the snapshot that its process began with; none: it had no store before
    std::vector<deadly_turn> counted{};
    std::string lost{};  ///< why nobody knows what was counted; empty: it is known
  };

  /// What the file of the process before says: its own deaths are counted. Nothing where there was
  /// none, or where it does not verify.
  [[nodiscard]] static contents read(bytes_view file) {
    if (file.empty()) return {};
    if (file.size() != bytes) return unreadable("its size is " + std::to_string(file.size()));
    contents found;
    auto& all = found.counted;
    reader from{file};
    const auto magic = from.get<std::uint64_t>();
    found.begun = epoch{from.get<std::uint64_t>()};
    const auto count = from.get<std::uint64_t>();
    if (magic != mark) return unreadable("it does not begin as such a file");
    if (count > most_suspects) return unreadable("its head does not verify");
    for (std::uint64_t at = 0; at < count; ++at) {
      deadly_turn one;
      one.actor = from.get<std::uint64_t>();
      one.at = from.get<std::uint64_t>();
      one.message = from.get<std::uint64_t>();
      one.deaths = from.get<std::uint64_t>();
      all.push_back(one);
    }
    const auto head = file.size() - from.left();
    if (from.get<std::uint64_t>() != checksum(file.first(head))) {
      return unreadable("its head does not verify");
    }
    for (std::size_t at = notes_at; at < bytes; at += sizeof(turn_note)) {
      reader note{file.subspan(at)};
      const deadly_turn seen{note.get<std::uint64_t>(), note.get<std::uint64_t>(),
                             note.get<std::uint64_t>(), 0};
      if (seen.actor != 0) count_in(all, seen);
    }
    return found;
  }

  /// A new file, nobody in a turn. Where there are too many, those stay that were counted most.
  [[nodiscard]] static buffer make(epoch begun, std::vector<deadly_turn> suspects) {
    buffer to;
    std::ranges::sort(suspects, std::greater{}, &deadly_turn::deaths);
    const auto count = std::min(suspects.size(), most_suspects);
    to.put(mark);
    to.put(raw(begun));
    to.put(std::uint64_t{count});
    for (std::size_t at = 0; at < count; ++at) to.append(&suspects[at], sizeof(deadly_turn));
    to.put(checksum(to.view()));
    to.resize(bytes);
    return to;
  }

 private:
  static constexpr std::uint64_t mark = 0x326e727474726163;  ///< "carttrn2"

  [[nodiscard]] static contents unreadable(const std::string& why) {
    return {{}, {}, "TURNS: " + why + "; the deaths that it counted are forgotten"};
  }

  static void count_in(std::vector<deadly_turn>& all, deadly_turn seen) {
    const auto known = std::find_if(all.begin(), all.end(),
                                    [&](const deadly_turn& each) { return each.same(seen); });
    if (known != all.end()) {
      ++known->deaths;
      known->at = seen.at;
    } else {
      seen.deaths = 1;
      all.push_back(seen);
    }
  }
};

/// Whether the restored actor has yet to handle it.
[[nodiscard]] inline bool is_ahead(const cell& one, const deadly_turn& each) noexcept {
  if (each.is_between()) return raw(one.consumed) <= each.at;
  if (each.message == in_run) return one.needs_replay || one.next_number <= each.at;
  return raw(one.consumed) < each.at || (raw(one.consumed) == each.at && one.needs_replay);
}

/// Whether what the actor runs is cairn's alone, as not even the journal's is, which decodes. Then
/// the process has died of something else, and nobody could do without what it would give up: a
/// supervisor's word, or a letter.
[[nodiscard]] inline bool is_cairns_own(const actor_type& type) noexcept {
  return is_supervisor(&type) || type.hash == type_hash<letter_keeper>;
}

inline void warn_of_notes(world& all, const std::string& why) {
  event what;
  what.kind = event_kind::store_warning;
  what.text = "noting what kills the process: " + why;
  all.report(what);
}

/// Accuses what has killed the process more often than once, and has each worker say from now on
/// what it is in. Before the system runs, with its actors restored from this snapshot, or from
/// none.
inline void watch_deaths(world& all, any_store& store, epoch begun) {
  std::vector<deadly_turn> suspects;
  const auto next_file = [&](bytes_view before) {
    auto [since, counted, lost] = turn_file::read(before);
    if (!lost.empty()) warn_of_notes(all, lost);
    // An orderly end forgives what came before it, not what its own snapshot has led to since. Nor
    // who could not be serialized: that one is not in it.
    if (all.orderly && since != begun) {
      std::erase_if(counted, [](const auto& each) { return !each.is_writing(); });
    }
    for (std::uint32_t index = 2; !counted.empty() && index < all.cells.used(); ++index) {
      cell& one = *all.cells.at(index);
      if (one.type == nullptr || is_cairns_own(*one.type)) continue;
      for (const deadly_turn& each : counted) {
        if (each.actor != raw(one.self().id) || !is_ahead(one, each)) continue;
        suspects.push_back(each);
        if (each.deaths < turn_file::enough) continue;
        all.accused.push_back(each);
        one.careful = all.caution_of(one);
      }
    }
    return turn_file::make(begun, suspects);
  };
  try {
    std::shared_ptr<disk_file> page = store.turn_page(next_file);
    std::byte* first = page ? page->map(turn_file::bytes) : nullptr;
    if (first == nullptr) return;
    auto* notes = reinterpret_cast<turn_note*>(first + turn_file::notes_at);
    const auto count = std::min(all.workers.size(), turn_file::most_workers);
    for (std::size_t at = 0; at < count; ++at) all.workers[at]->note = &notes[at];
    for (std::size_t at = 0; at < all.run_notes.size(); ++at) {
      all.run_notes[at] = &notes[turn_file::most_workers + at];
    }
    all.strike_deaths = [&all, page, begun, suspects](epoch in) mutable {
      const auto whose = all.pardoned.take(in);
      if (whose.empty()) return;
      all.forgiven.insert(all.forgiven.end(), whose.begin(), whose.end());
      strike_out(suspects, whose);
      try {  // In front of the notes, which the workers go on writing.
        page->write(0, turn_file::make(begun, suspects).view().first(turn_file::notes_at));
        page->sync();
      } catch (const error& why) {  // the next process holds them back
        warn_of_notes(all, why.what());
      }
    };
  } catch (const error& why) {  // it runs without
    warn_of_notes(all, why.what());
  }
}

}  // namespace cairn::detail
