// The manifest: what the files of a store hold, as a state and as the edits that lead to it.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "../ids.hpp"
#include "../store.hpp"
#include "buffer.hpp"
#include "pausing.hpp"
#include "record.hpp"
#include "store_log.hpp"

namespace cairn::detail {

/// Kinds of frames in a manifest file. The first frame is a state, and whole: the file was synced
/// before it got its name. Whether a commit releases outputs is part of the kind: the frame's
/// header tells it where the rest is damaged.
enum class edit_kind : std::uint32_t { state = 1, commit = 2, keep = 3, remove = 4, release = 5 };

/// The run of bytes that one epoch wrote into one segment.
struct extent {
  epoch number{};
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t check = 0;
};

inline constexpr epoch never{std::numeric_limits<std::uint64_t>::max()};
/// So many that no store comes near, and so few that there is always a next one.
inline constexpr epoch last_epoch{std::uint64_t{1} << 56U};

/// A segment that a retained snapshot may need. Dropped ones stay as long as a snapshot from before
/// the drop is retained: it is what an opening falls back to.
struct segment_state {
  epoch dropped = never;
  std::vector<extent> extents{};

  [[nodiscard]] std::uint64_t bytes() const {
    return extents.empty() ? file_header_bytes : extents.back().offset + extents.back().length;
  }
};

/// What a commit changes.
struct commit_edit {
  snapshot_info info{};
  epoch oldest{};  ///< snapshots before it go, savepoints excepted
  std::vector<std::pair<std::uint32_t, extent>> extents{};
  std::vector<std::uint32_t> dropped{};
};

inline void put_extent(buffer& to, const extent& e) {
  to.put(e.number);
  to.put(e.offset);
  to.put(e.length);
  to.put(e.check);
}
inline extent get_extent(reader& from) {
  extent e;
  e.number = from.get<epoch>();
  e.offset = from.get<std::uint64_t>();
  e.length = from.get<std::uint64_t>();
  e.check = from.get<std::uint64_t>();
  return e;
}
inline void put_snapshot(buffer& to, const snapshot_info& s) {
  to.put(s.number);
  to.put(s.records);
  to.put(s.bytes);
  to.put(static_cast<std::uint8_t>(s.released));
}
inline snapshot_info get_snapshot(reader& from) {
  snapshot_info s;
  s.number = from.get<epoch>();
  s.records = from.get<std::uint64_t>();
  s.bytes = from.get<std::uint64_t>();
  s.released = from.get<std::uint8_t>() != 0;
  return s;
}

inline buffer encode(const commit_edit& edit) {
  buffer bytes;
  put_snapshot(bytes, edit.info);
  bytes.put(edit.oldest);
  bytes.put(static_cast<std::uint32_t>(edit.extents.size()));
  for (const auto& [segment, e] : edit.extents) {
    bytes.put(segment);
    put_extent(bytes, e);
  }
  bytes.put(static_cast<std::uint32_t>(edit.dropped.size()));
  for (const auto segment : edit.dropped) bytes.put(segment);
  return bytes;
}

/// The state that a manifest describes.
class manifest {
 public:
  std::uint32_t next_segment = 1;
  epoch oldest{};
  std::map<epoch, snapshot_info> snapshots{};  ///< names are in `names` alone
  std::map<std::string, epoch> names{};
  std::map<std::uint32_t, segment_state> segments{};

  [[nodiscard]] buffer encode_state() const {
    buffer bytes;
    bytes.put(next_segment);
    bytes.put(oldest);
    bytes.put(static_cast<std::uint32_t>(snapshots.size()));
    for (const auto& [number, info] : snapshots) put_snapshot(bytes, info);
    bytes.put(static_cast<std::uint32_t>(names.size()));
    for (const auto& [name, number] : names) {
      bytes.put_text(name);
      bytes.put(number);
    }
    bytes.put(static_cast<std::uint32_t>(segments.size()));
    for (const auto& [number, segment] : segments) {
      bytes.put(number);
      bytes.put(segment.dropped);
      bytes.put(static_cast<std::uint32_t>(segment.extents.size()));
      for (const auto& e : segment.extents) put_extent(bytes, e);
    }
    return bytes;
  }

  /// Applies a verified frame.
  ///
  /// Errors: throws `damaged` for one that makes no sense.
  void apply(const frame& edit) {
    reader from{edit.payload};
    switch (static_cast<edit_kind>(edit.kind)) {
      case edit_kind::state:
        apply_state(from);
        break;
      case edit_kind::commit:
      case edit_kind::release:
        apply_commit(from);
        break;
      case edit_kind::keep:
        names[std::string{from.get_text()}] = epoch{edit.number};
        break;
      case edit_kind::remove:
        apply_remove(std::string{from.get_text()});
        break;
      default:
        throw error{errc::damaged, "an edit of no known kind"};
    }
    if (from.left() != 0) throw error{errc::damaged, "an edit is longer than it should be"};
  }

  /// What holds of every state that was written, and of forged ones where it must. Of what was read
  /// only: an edit of our own is durable by the time it is applied.
  ///
  /// Errors: throws `damaged`.
  void require_sound() const {
    const auto latest = snapshots.empty() ? epoch{} : snapshots.rbegin()->first;
    // Commits count from the latest snapshot: without it the next one would go at once.
    if (oldest > latest) throw error{errc::damaged, "it lets go of the latest snapshot"};
    if (latest > last_epoch) throw error{errc::damaged, "a snapshot of an epoch beyond all others"};
  }

  /// The state as of snapshot `m`, one of those retained.
  [[nodiscard]] manifest as_of(epoch m) const {
    manifest then = *this;
    std::erase_if(then.snapshots, [&](const auto& s) { return s.first > m; });
    std::erase_if(then.names, [&](const auto& name) { return name.second > m; });
    for (auto& [number, segment] : then.segments) {
      if (segment.dropped > m) segment.dropped = never;
      std::erase_if(segment.extents, [&](const extent& e) { return e.number > m; });
    }
    std::erase_if(then.segments, [](const auto& s) { return s.second.extents.empty(); });
    return then;
  }

  [[nodiscard]] bool alive(std::uint32_t segment) const {
    const auto found = segments.find(segment);
    return found != segments.end() && found->second.dropped == never;
  }
  [[nodiscard]] std::vector<epoch> numbers() const {
    std::vector<epoch> all;
    for (const auto& [number, info] : snapshots) all.push_back(number);
    return all;
  }
  [[nodiscard]] bool named(epoch n) const {
    return std::any_of(names.begin(), names.end(), [&](const auto& e) { return e.second == n; });
  }
  /// The first of the latest `retain` snapshots, once `n` is there.
  [[nodiscard]] epoch oldest_with(epoch n, std::size_t retain) const {
    auto first = n;
    auto it = snapshots.rbegin();
    for (std::size_t i = 1; i < retain && it != snapshots.rend(); ++i, ++it) first = it->first;
    return std::max(first, oldest);
  }

 private:
  void apply_state(reader& from) {
    *this = manifest{};
    next_segment = from.get<std::uint32_t>();
    oldest = from.get<epoch>();
    for (auto count = from.get<std::uint32_t>(); count > 0; --count) {
      const auto info = get_snapshot(from);
      snapshots[info.number] = info;
    }
    for (auto count = from.get<std::uint32_t>(); count > 0; --count) {
      std::string name{from.get_text()};
      names[std::move(name)] = from.get<epoch>();
    }
    for (auto count = from.get<std::uint32_t>(); count > 0; --count) {
      auto& segment = segments[from.get<std::uint32_t>()];
      segment.dropped = from.get<epoch>();
      for (auto extents = from.get<std::uint32_t>(); extents > 0; --extents) {
        segment.extents.push_back(get_extent(from));
      }
    }
  }

  void apply_commit(reader& from) {
    const auto info = get_snapshot(from);
    oldest = from.get<epoch>();
    for (auto count = from.get<std::uint32_t>(); count > 0; --count) {
      const auto number = from.get<std::uint32_t>();
      segments[number].extents.push_back(get_extent(from));
      next_segment = std::max(next_segment, number + 1);
    }
    for (auto count = from.get<std::uint32_t>(); count > 0; --count) {
      segments[from.get<std::uint32_t>()].dropped = info.number;
    }
    snapshots[info.number] = info;
    std::erase_if(snapshots, [&](const auto& s) { return s.first < oldest && !named(s.first); });
    // Dropped before every retained snapshot: nothing falls back to it any more.
    std::erase_if(segments, [&](const auto& s) { return s.second.dropped <= oldest; });
  }

  void apply_remove(const std::string& name) {
    const auto found = names.find(name);
    if (found == names.end()) throw error{errc::damaged, "an edit removes an unknown savepoint"};
    const auto number = found->second;
    names.erase(found);
    if (number < oldest && !named(number)) snapshots.erase(number);
  }
};

/// What a segment says of the manifest: so much of it was durable before this was written. Whoever
/// finds less has lost some of it. It proves nothing to the contrary: a claim may itself be lost.
struct claim {
  std::uint32_t manifest = 0;
  std::uint64_t bytes = 0;
  epoch latest{};  ///< for those who are told

  friend auto operator<=>(const claim&, const claim&) = default;
};

[[nodiscard]] inline buffer encode(const claim& what) {
  record_header header;
  header.kind = record_kind::claim;
  header.place = what.manifest;
  header.floor = what.bytes;
  header.epoch = what.latest;
  buffer bytes;
  append_record(bytes, header, {});
  return bytes;
}

/// Writes manifest files. A file that failed is never appended to again: the next edit goes into a
/// new one, with the whole state in front.
class manifest_writer {
 public:
  /// A file is folded once its edits take up three times the state and `slack` bytes.
  manifest_writer(disk& where, std::string directory, std::uint32_t next_number,
                  std::uint64_t slack)
      : disk_{&where}, directory_{std::move(directory)}, next_{next_number}, slack_{slack} {}

  /// Makes an edit durable, and the state that follows from it.
  ///
  /// Errors: throws `cairn::error`; whether the edit counts is then open until the next one does.
  void publish(manifest& state, const frame& edit) {
    if (!current_ || current_.end > fold_at_) {
      sometimes(current_ ? "manifest folded" : "manifest begun anew after an error");
      auto after = state;
      after.apply(edit);
      publish_state(after, edit.number);
      state = std::move(after);
      return;
    }
    auto file = std::exchange(current_, {});  // comes back only if all goes well
    file.append(edit);
    file.sync();
    state.apply(edit);
    current_ = std::move(file);
  }

  /// Writes a new manifest file that begins with `state`.
  void publish_state(const manifest& state, std::uint64_t number) {
    current_ = {};
    const auto name = numbered("manifest-", next_);
    const auto path = directory_ + "/" + name;
    const auto payload = state.encode_state();
    auto bytes = file_header(manifest_magic, next_);
    append_frame(bytes, {static_cast<std::uint32_t>(edit_kind::state), number, payload.view()});
    ++next_;
    remove_leftover(*disk_, path + ".tmp");
    const new_names made;
    auto file = log_writer::create(*disk_, path + ".tmp", bytes.view());
    file.sync();
    file.rename(*disk_, path);
    made.make_durable(*disk_, directory_);
    fold_at_ = file.end * 3 + slack_;
    current_ = std::move(file);
  }

  /// The file that counts, or nothing while that is open.
  [[nodiscard]] std::string current() const { return current_ ? current_.path : std::string{}; }
  /// Precondition: the last `publish` went well. All of the file is durable.
  [[nodiscard]] claim claimed(epoch latest) const { return {next_ - 1, current_.durable, latest}; }

 private:
  disk* disk_;
  std::string directory_;
  std::uint32_t next_;
  std::uint64_t slack_;
  log_writer current_{};
  std::uint64_t fold_at_ = 0;
};

}  // namespace cairn::detail
