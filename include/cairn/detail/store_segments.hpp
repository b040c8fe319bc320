// Segment files: written in extents, read by location.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "../ids.hpp"
#include "buffer.hpp"
#include "disk.hpp"
#include "record.hpp"
#include "store_index.hpp"
#include "store_log.hpp"
#include "store_manifest.hpp"

namespace cairn::detail {

/// XXH3-64 of bytes that come piece by piece.
class running_checksum {
 public:
  running_checksum() { XXH3_64bits_reset(&state_); }
  void add(bytes_view bytes) { XXH3_64bits_update(&state_, bytes.data(), bytes.size()); }
  [[nodiscard]] std::uint64_t value() const { return XXH3_64bits_digest(&state_); }

 private:
  XXH3_state_t state_;
};

/// Appends to segments, one extent for each epoch and segment, and claims between them.
class segment_writer {
 public:
  segment_writer(disk& where, std::string directory, std::uint64_t limit)
      : disk_{&where}, directory_{std::move(directory)}, limit_{limit} {}

  /// Numbers of segments made from here on.
  void number_from(std::uint32_t next) { next_ = next; }

  /// Appends bytes and returns where they begin.
  ///
  /// Errors: throws `cairn::error`; `abandon` has to follow.
  location append(epoch n, bytes_view bytes) {
    if (!current_ || current_.end >= limit_) roll();
    if (open_.empty() || open_.back().first != number_) {
      open_.emplace_back(number_, extent{n, current_.end, 0, 0});
      sum_ = running_checksum{};
    }
    if (bytes.size() > 0xffff'ffffU - current_.end) {
      throw error{errc::misuse, "one append of " + std::to_string(bytes.size()) + " bytes"};
    }
    const location at{number_, static_cast<std::uint32_t>(current_.end),
                      static_cast<std::uint32_t>(bytes.size())};
    current_.append(bytes);
    files_[number_] = current_.end;
    sum_.add(bytes);
    open_.back().second.length += bytes.size();
    return at;
  }

  /// Makes the epoch's extents durable and returns them.
  std::vector<std::pair<std::uint32_t, extent>> finish() {
    close_extent();
    if (current_ && !open_.empty()) current_.sync();
    if (!made_.empty()) names_.make_durable(*disk_, directory_);
    return open_;
  }

  /// The epoch is committed.
  void keep() {
    open_.clear();
    made_.clear();
  }

  /// The epoch is given up. Its files are not written to again; those that hold nothing else are
  /// returned.
  std::vector<std::uint32_t> abandon() {
    if (!open_.empty() || !made_.empty()) leave();
    open_.clear();
    return std::exchange(made_, {});
  }

  /// So much of the manifest is durable: it is said here at once, and in front of what follows.
  /// Not synced: it becomes durable with the next extent of its file. Within an extent nothing is
  /// said; the claim after the commit says it too.
  ///
  /// Errors: throws `cairn::error`; the file is then left alone.
  void say(const claim& what) {
    claim_ = encode(what);
    if (!current_ || !open_.empty()) return;
    try {
      current_.append(claim_.view());
      files_[number_] = current_.end;
    } catch (...) {
      leave();
      throw;
    }
  }

  /// The segment that is being written, or 0.
  [[nodiscard]] std::uint32_t current() const noexcept { return current_ ? number_ : 0; }
  /// Every segment file and its length, whatever counts of it.
  [[nodiscard]] const std::map<std::uint32_t, std::uint64_t>& files() const { return files_; }
  [[nodiscard]] std::uint64_t length(std::uint32_t number) const {
    const auto found = files_.find(number);
    return found == files_.end() ? 0 : found->second;
  }
  void found(std::uint32_t number, std::uint64_t length) { files_[number] = length; }
  void removed(std::uint32_t number) { files_.erase(number); }

 private:
  void close_extent() {
    if (!open_.empty()) open_.back().second.check = sum_.value();
  }

  /// What an append that failed has left there counts too.
  void leave() noexcept {
    if (!current_) return;
    try {
      files_[number_] = current_.file->size();
    } catch (const std::exception&) {  // then as far as it is known
    }
    current_ = {};
  }

  void roll() {
    const bool written = !open_.empty() && open_.back().first == number_;
    if (current_ && written) {
      close_extent();
      current_.sync();
    }
    current_ = {};
    number_ = next_++;
    auto path = directory_ + "/" + numbered("segment-", number_);
    if (made_.empty()) names_ = {};
    made_.push_back(number_);
    auto head = file_header(segment_magic, number_);
    head.append(claim_.view());
    files_[number_] = 0;
    current_ = log_writer::create(*disk_, std::move(path), head.view());
    files_[number_] = current_.end;
  }

  disk* disk_;
  std::string directory_;
  std::uint64_t limit_;
  std::uint32_t next_ = 1;
  std::uint32_t number_ = 0;
  log_writer current_{};
  buffer claim_{};  ///< the latest one of this process
  std::vector<std::pair<std::uint32_t, extent>> open_{};
  std::vector<std::uint32_t> made_{};
  new_names names_{};  ///< of those
  std::map<std::uint32_t, std::uint64_t> files_{};
  running_checksum sum_{};
};

/// Reads records by where they lie, through a few windows on the segments.
class record_reader {
 public:
  record_reader(disk& where, std::string directory)
      : disk_{&where}, directory_{std::move(directory)} {}

  [[nodiscard]] std::string path(std::uint32_t segment) const {
    return directory_ + "/" + numbered("segment-", segment);
  }

  /// Passes the one record at `at` and its bytes to `use`, verified. `at.length` may be too long:
  /// it only bounds the record. Returns its length.
  ///
  /// Errors: throws `damaged` with the file and the offset.
  template <class Use>
  std::uint32_t read(location at, Use use) {
    return read_header(at, [&](const record_view& record, bytes_view bytes, bool whole) {
      if (!whole) raise_damaged(path(at.segment), at.offset, record_cursor::broken_text);
      use(record, bytes);
    });
  }
  /// The same where the header alone has to verify; `use` is told whether the rest does too.
  template <class Use>
  std::uint32_t read_header(location at, Use use) {
    window& file = window_of(at.segment);
    const auto look = [&](std::uint64_t from, std::size_t length) { return file.at(from, length); };
    return read_header(file.path, at, look, use);
  }

  /// Verifies all of a segment and passes each record with its location to `use`, and whether it
  /// verifies to its end or its header alone does.
  ///
  /// Errors: throws `damaged` with the file and the offset; `io` where it cannot be read.
  /// Thread safety: any thread, it has a window of its own.
  template <class Use>
  void scan(std::uint32_t segment, const segment_state& state, Use use) const {
    window file{segment, path(segment), open(segment), 0, {}};
    verify_file_header(file.at(0, file_header_bytes), segment_magic, segment, file.path);
    const auto size = file.file->size();
    std::uint64_t end = file_header_bytes;
    for (const auto& e : state.extents) {
      if (e.length > size || e.offset > size - e.length) {
        raise_damaged(file.path, size, "the segment is too short");
      }
      if (e.offset < end) raise_damaged(file.path, e.offset, "two extents overlap");
      end = e.offset + e.length;
      bool all_whole = true;
      running_checksum all;
      bytes_view unsummed;  // in the window
      const auto look = [&](std::uint64_t from, std::size_t length) {
        if (!file.holds(from, length)) all.add(std::exchange(unsummed, {}));
        return file.at(from, length);
      };
      for (auto at = e.offset; at < end;) {
        const auto offset = static_cast<std::uint32_t>(at);
        const location rest{segment, offset, length_up_to(end - at)};
        at += read_header(
            file.path, rest, look, [&](const record_view& record, bytes_view bytes, bool whole) {
              use(record.header,
                  location{segment, offset, static_cast<std::uint32_t>(bytes.size())}, whole);
              const auto* first = unsummed.empty() ? bytes.data() : unsummed.data();
              unsummed = {first, bytes.data() + bytes.size()};
              all_whole &= whole;
            });
      }
      all.add(unsummed);
      // Beyond the records' own checksums: none of them is missing, none is another epoch's.
      if (all_whole && all.value() != e.check) {
        raise_damaged(file.path, e.offset, "an extent does not match its checksum");
      }
    }
  }

  /// The length of a segment's file, and the last claim in it behind the extents that are known.
  /// Records are walked over as far as they verify: behind them lies what a crash has left.
  ///
  /// Errors: throws `io` where it cannot be read.
  std::pair<std::uint64_t, claim> survey(std::uint32_t segment, const segment_state& known) {
    const auto file = open(segment);
    const auto size = file->size();
    const auto from = known.bytes();
    claim last;
    if (size <= from) return {size, last};
    buffer bytes;
    bytes.resize_unset(size - from);
    bytes.resize(file->read(from, bytes.data(), bytes.size()));
    const std::string where = path(segment);
    record_cursor cursor{bytes.view(), where, from};
    try {
      while (const auto record = cursor.next()) {
        const auto& header = record->header;
        if (header.kind != record_kind::claim) continue;
        last = {static_cast<std::uint32_t>(header.place), header.floor, header.epoch};
      }
    } catch (const error&) {
    }
    return {size, last};
  }

  void forget() {
    windows_.clear();
    latest_ = nullptr;
  }

 private:
  [[nodiscard]] static std::uint32_t length_up_to(std::uint64_t most) noexcept {
    constexpr std::uint64_t longest = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::min(most, longest));
  }

  /// `look(offset, length)`: these bytes of the segment, fewer only at its end.
  template <class Look, class Use>
  static std::uint32_t read_header(const std::string& path, location at, Look look, Use use) {
    auto bytes = look(at.offset, std::min<std::size_t>(at.length, record_overhead));
    std::size_t length = bytes.size();
    if (length >= sizeof(std::uint32_t)) {
      length = std::min<std::size_t>(
          at.length, record_overhead + std::size_t{reader{bytes}.get<std::uint32_t>()});
    }
    bytes = look(at.offset, length);
    record_cursor cursor{bytes, path, at.offset};
    const auto record = cursor.next_header();
    if (!record) raise_damaged(path, at.offset, "a record is missing");
    use(*record, bytes.first(cursor.offset()), cursor.whole());
    return static_cast<std::uint32_t>(cursor.offset());
  }

  static constexpr std::size_t window_bytes = 256 * 1024;
  static constexpr std::size_t most_windows = 32;

  struct window {
    std::uint32_t segment = 0;
    std::string path{};
    std::unique_ptr<disk_file> file{};
    std::uint64_t offset = 0;
    buffer bytes{};

    [[nodiscard]] bool holds(std::uint64_t from, std::size_t length) const noexcept {
      return from >= offset && from + length <= offset + bytes.size();
    }
    /// `length` bytes, fewer only at the file's end. Those that it did not hold take the place of
    /// those that it held.
    [[nodiscard]] bytes_view at(std::uint64_t from, std::size_t length) {
      if (!holds(from, length)) {
        // Where reading fails it holds neither the old bytes nor the new ones.
        buffer next = std::exchange(bytes, {});
        offset = from;
        next.resize_unset(std::max(length, window_bytes));
        next.resize(file->read(offset, next.data(), next.size()));
        bytes = std::move(next);
      }
      const auto rest = bytes.view_from(static_cast<std::size_t>(from - offset));
      return rest.first(std::min(length, rest.size()));
    }
  };

  std::unique_ptr<disk_file> open(std::uint32_t segment) const {
    try {
      return disk_->open(path(segment));
    } catch (const error& problem) {
      if (problem.code() != errc::not_found) throw;
      throw error{errc::damaged, path(segment) + ": the segment is missing"};
    }
  }

  /// It stands until the next one is asked for.
  [[nodiscard]] window& window_of(std::uint32_t segment) {
    if (latest_ != nullptr && latest_->segment == segment) return *latest_;
    auto found = windows_.find(segment);
    if (found == windows_.end()) {
      if (windows_.size() >= most_windows) forget();
      found = windows_.emplace(segment, window{segment, path(segment), open(segment), 0, {}}).first;
    }
    latest_ = &found->second;
    return *latest_;
  }

  disk* disk_;
  std::string directory_;
  std::map<std::uint32_t, window> windows_{};
  window* latest_ = nullptr;
};

}  // namespace cairn::detail
