// Gives space back: carries the live records of the emptiest segment along, a share each epoch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "../ids.hpp"
#include "buffer.hpp"
#include "pausing.hpp"
#include "record.hpp"
#include "store_index.hpp"
#include "store_manifest.hpp"
#include "store_segments.hpp"

namespace cairn::detail {

/// Chooses what to carry. A segment without live records is dropped by the commit after.
///
/// Bounds: an epoch carries at most twice what it wrote and a 64th of a segment, and looks at four
/// times that. As a victim is at most half alive, carrying as much as was written keeps up
/// (Rosenblum and Ousterhout, "The design and implementation of a log-structured file system",
/// 1992).
class reclaimer {
 public:
  explicit reclaimer(std::uint64_t segment_bytes) : segment_bytes_{segment_bytes} {}

  /// Returns what is damaged, where a segment turns out to be. It is left alone from then on: an
  /// epoch does not fail for what it did not write.
  ///
  /// Errors: throws what reading and appending throw, `damaged` excepted.
  std::optional<std::string> carry(epoch n, std::uint64_t written, const manifest& state,
                                   store_index& index, record_reader& records, segment_writer& to) {
    // A segment that emptied by itself while it was gone through may have been dropped since.
    if (cursor_.segment && !state.segments.contains(*cursor_.segment)) cursor_ = {};
    saved_ = cursor_;
    try {
      carry_some(n, written, state, index, records, to);
      write(n, to);
    } catch (const error& problem) {
      if (problem.code() != errc::damaged) throw;
      write(n, to);  // what was read before
      spoilt_.insert(std::exchange(cursor_.segment, std::nullopt).value_or(0));
      return problem.what();
    }
    return std::nullopt;
  }

  /// The epoch is committed: the records are where they were carried to.
  void apply(store_index& index, const store_index::alive_fn& alive) {
    for (const auto& [header, from, to] : moves_) index.relocate(header, from, to, alive);
    for (const auto& [header, at] : idle_) index.forget(header, at);
    clear();
  }

  /// The epoch is given up: they are where they were.
  void revert() {
    if (!moves_.empty()) sometimes("carrying taken back");
    if (!moves_.empty() || !idle_.empty() || !done_.empty()) cursor_ = saved_;
    clear();
  }

 private:
  struct position_in {
    std::optional<std::uint32_t> segment{};
    std::size_t extent = 0;
    std::uint64_t offset = 0;
  };
  struct move {
    record_header header;
    location from;
    location to;
  };

  void carry_some(epoch n, std::uint64_t written, const manifest& state, store_index& index,
                  record_reader& records, segment_writer& to) {
    auto budget = 2 * written + segment_bytes_ / 64;
    auto looks = 4 * budget;
    while (budget > 0 && looks > 0) {
      if (!cursor_.segment && !choose(state, index, to)) return;
      const auto& segment = state.segments.at(*cursor_.segment);
      if (cursor_.extent == segment.extents.size()) {
        done_.push_back(*std::exchange(cursor_.segment, std::nullopt));
        continue;
      }
      const auto& e = segment.extents[cursor_.extent];
      if (cursor_.offset == e.length) {
        ++cursor_.extent;
        cursor_.offset = 0;
        continue;
      }
      const location at{*cursor_.segment, static_cast<std::uint32_t>(e.offset + cursor_.offset),
                        static_cast<std::uint32_t>(e.length - cursor_.offset)};
      const auto length = carry_one(at, state, index, records, budget);
      if (carried_.size() >= most_at_once) write(n, to);
      cursor_.offset += length;
      looks -= std::min<std::uint64_t>(looks, length);
    }
  }

  /// The emptiest segment, if too much of the disk is dead or lies in too many files. What was
  /// given up at a file's end is dead like the rest.
  ///
  /// Segments that are written in retained epochs still are not thought of: what is in there only
  /// for the older ones of these dies by itself. Where all actors change all the time, nothing is
  /// carried at all.
  bool choose(const manifest& state, const store_index& index, const segment_writer& to) {
    std::uint64_t bytes = 0;
    std::uint64_t live = 0;
    std::size_t count = 0;
    std::optional<std::uint32_t> emptiest;
    std::uint64_t least = 0;
    for (const auto& [number, segment] : state.segments) {
      if (segment.dropped != never) continue;
      if (!segment.extents.empty() && segment.extents.back().number >= state.oldest) continue;
      const auto alive = index.live_bytes(number);
      // Those go by themselves, or cannot go, or have been gone through just now.
      const bool counts = alive != 0 && !spoilt_.contains(number) &&
                          std::find(done_.begin(), done_.end(), number) == done_.end();
      if (!counts) continue;
      bytes += to.length(number);
      live += alive;
      ++count;
      if (number == to.current() || (emptiest && alive >= least)) continue;
      emptiest = number;
      least = alive;
    }
    const bool many_bytes = bytes > 2 * live + segment_bytes_ / 2;
    const bool many_files = count > 8 + 4 * live / segment_bytes_;
    if (!emptiest || (!many_bytes && !many_files)) return false;
    cursor_ = {emptiest, 0, 0};
    return true;
  }

  std::uint32_t carry_one(location at, const manifest& state, store_index& index,
                          record_reader& records, std::uint64_t& budget) {
    return records.read_header(at, [&](const record_view& record, bytes_view bytes, bool whole) {
      const auto& header = record.header;
      const location from{at.segment, at.offset, static_cast<std::uint32_t>(bytes.size())};
      if (!index.knows(header, from)) return;  // it may be damaged: nobody needs it
      if (!whole) raise_damaged(records.path(at.segment), at.offset, record_cursor::broken_text);
      const auto alive = [&](std::uint32_t segment) { return state.alive(segment); };
      if (header.kind == record_kind::gone && !index.needed(header, at.segment, alive)) {
        sometimes("tombstone forgotten");
        idle_.emplace_back(header, from);
        return;
      }
      sometimes("record carried along");
      const auto offset = static_cast<std::uint32_t>(carried_.size());
      moves_.push_back({header, from, {0, offset, from.length}});
      carried_.append(bytes);
      budget -= std::min<std::uint64_t>(budget, bytes.size());
    });
  }

  /// What has been read is written in one go: to call the system for each record costs more than
  /// all else of carrying it.
  void write(epoch n, segment_writer& to) {
    if (carried_.size() == 0) return;
    const location first = to.append(n, carried_.view());
    for (; placed_ < moves_.size(); ++placed_) {
      location& place = moves_[placed_].to;
      place.segment = first.segment;
      place.offset += first.offset;
    }
    forget_carried();
  }
  /// One large record leaves no room behind that lasts.
  void forget_carried() noexcept {
    carried_.clear();
    if (carried_.room() > 2 * most_at_once) carried_ = buffer{};
  }

  void clear() {
    moves_.clear();
    forget_carried();
    placed_ = 0;
    idle_.clear();
    done_.clear();
  }

  static constexpr std::size_t most_at_once = 256 * 1024;

  std::uint64_t segment_bytes_;
  position_in cursor_{};
  position_in saved_{};
  std::vector<move> moves_{};
  buffer carried_{};        ///< records that have been read and not written
  std::size_t placed_ = 0;  ///< so many of the moves have their place
  std::vector<std::pair<record_header, location>> idle_{};
  std::set<std::uint32_t> spoilt_{};
  std::vector<std::uint32_t> done_{};  ///< gone through in this epoch
};

}  // namespace cairn::detail
