// A journal in files: entries with numbers, durable when synced, forgotten file by file.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "../store.hpp"
#include "buffer.hpp"
#include "disk.hpp"
#include "pausing.hpp"
#include "store_log.hpp"

namespace cairn::detail {

/// A name as part of a file's name: what is not a letter, digit, '.', '_' or '-' becomes %XX.
[[nodiscard]] inline std::string file_safe(std::string_view name) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string safe;
  for (const char c : name) {
    if (plain.find(c) != std::string_view::npos) {
      safe += c;
    } else {
      const auto code = static_cast<unsigned char>(c);
      safe += {'%', hex[code >> 4U], hex[code & 15U]};
    }
  }
  return safe;
}

/// Files `journal-NAME-000001` and on. Each says in its header which entry it begins with; entries
/// of earlier files from that number on are void (their sync failed, so nobody was told of them).
class file_journal final : public journal_log {
 public:
  file_journal(std::shared_ptr<disk> where, std::string directory, const std::string& name,
               std::uint64_t file_bytes, bool read_only)
      : disk_{std::move(where)},
        directory_{std::move(directory)},
        prefix_{"journal-" + file_safe(name) + "-"},
        file_bytes_{file_bytes},
        read_only_{read_only} {
    if (name.empty() || prefix_.size() > 200) {
      throw error{errc::bad_name, "'" + name + "' cannot be the name of a journal"};
    }
    for (const auto& file : disk_->list(directory_)) {
      if (const auto number = number_of(file, prefix_)) files_[*number] = first_of(*number);
    }
    if (!files_.empty()) next_file_ = files_.rbegin()->first + 1;
    read_from(std::numeric_limits<std::uint64_t>::max(), [](std::uint64_t, bytes_view) {});
    durable_ = next_ - 1;
    if (!read_only_) secure_end();
  }

  std::uint64_t append(bytes_view entry) override {
    if (read_only_) throw error{errc::misuse, directory_ + " is opened read-only"};
    if (entry.size() > max_entry) throw error{errc::misuse, prefix_ + ": the entry is too long"};
    guarded([&] {
      if (current_ && current_.end >= file_bytes_) {
        current_.sync();
        durable_ = next_ - 1;
        current_ = {};
      }
      if (!current_) begin_file(next_, {});
      current_.append(frame{entry_kind, next_, entry});
    });
    return next_++;
  }

  void sync() override {
    if (durable_ + 1 == next_) return;
    guarded([&] { current_.sync(); });
    const bool several = next_ > durable_ + 2;
    durable_ = next_ - 1;
    if (several) seal();
  }

  [[nodiscard]] std::uint64_t last() const override { return next_ - 1; }

  void read_from(std::uint64_t number, const visitor& visit) override {
    std::uint64_t next = files_.empty() ? 1 : files_.begin()->second;
    for (auto it = files_.begin(); it != files_.end(); ++it) {
      const auto [file, first] = *it;
      const auto after = std::next(it);
      const auto until = after == files_.end() ? ~std::uint64_t{0} : after->second;
      if (first > next) {
        raise_damaged(path(file), 0,
                      "the file begins with entry " + std::to_string(first) +
                          ", those before it end with " + std::to_string(next - 1));
      }
      next = read_file(file, first, until, number, visit);
    }
    next_ = next;
  }

  /// With a file: that the journal begins here must be known before it has an entry.
  void begin_at(std::uint64_t number) override {
    if (read_only_) throw error{errc::misuse, directory_ + " is opened read-only"};
    if (!files_.empty() || next_ != 1) {
      throw error{errc::misuse, directory_ + "/" + prefix_ + ": the journal has begun already"};
    }
    next_ = number;
    durable_ = number - 1;
    if (number != 1) guarded([&] { begin_file(number, {}); });
  }

  void trim_before(std::uint64_t number) override {
    while (trims_ && files_.size() > 1 && std::next(files_.begin())->second <= number) {
      disk_->remove(path(files_.begin()->first));
      files_.erase(files_.begin());
      // One by one: were this name still there after a crash, and the next one not, entries would
      // seem to be missing. After a sync that failed nobody knows, and the rest is left alone.
      trims_ = false;
      new_names{}.make_durable(*disk_, directory_);
      trims_ = true;
    }
  }

 private:
  static constexpr std::uint32_t entry_kind = 1;
  static constexpr std::uint32_t seal_kind = 2;
  static constexpr std::size_t max_entry = std::size_t{1} << 30U;

  [[nodiscard]] std::string path(std::uint32_t file) const {
    return directory_ + "/" + numbered(prefix_, file);
  }

  std::uint64_t first_of(std::uint32_t file) {
    buffer head;
    head.resize(file_header_bytes);
    head.resize(disk_->open(path(file))->read(0, head.data(), head.size()));
    const auto first = verify_file_header(head.view(), journal_magic, file, path(file));
    if (first == 0) raise_damaged(path(file), 0, "no entry has the number 0");
    return first;
  }

  /// Returns the number after the file's last entry that is not void.
  std::uint64_t read_file(std::uint32_t file, std::uint64_t first, std::uint64_t until,
                          std::uint64_t from, const visitor& visit) {
    const auto bytes = read_whole(*disk_, path(file));
    verify_file_header(bytes.view(), journal_magic, file, path(file));
    const auto found = scan_frames(bytes.view(), file_header_bytes);
    if (found.end == log_end::damaged) {
      raise_damaged(path(file), found.offset, "an entry does not verify");
    }
    auto next = first;
    for (const auto& entry : found.frames) {
      if (entry.kind == seal_kind) continue;
      if (entry.number != next || entry.kind != entry_kind) {
        raise_damaged(path(file), 0,
                      "entry " + std::to_string(entry.number) + " stands where " +
                          std::to_string(next) + " should");
      }
      if (next == until) break;
      if (next >= from) visit(next, entry.payload);
      ++next;
    }
    return next;
  }

  /// Says behind entries that were synced together that they were. Else a damaged one among them
  /// would look like one that was never synced: none of the others knows. Not synced itself, and
  /// where it cannot be written the next entry begins a file, which says it too.
  void seal() noexcept {
    try {
      current_.append(frame{seal_kind, durable_, {}});
    } catch (const std::exception&) {
      current_ = {};
    }
  }

  /// A process that was killed may have left entries that it never synced, at the end of the last
  /// file. Whoever reads them now hands them on, and numbers what follows behind them: they are
  /// written again, as a sync of that file may have failed before.
  void secure_end() {
    if (files_.empty()) return;
    const auto [file, first] = *files_.rbegin();
    const auto whole = read_whole(*disk_, path(file));
    const auto bytes = whole.view();
    const auto found = scan_frames(bytes, file_header_bytes);
    std::uint64_t durable = 0;
    for (const auto& entry : found.frames) durable = std::max(durable, entry.durable);
    std::vector<bytes_view> unsure;
    for (const auto& entry : found.frames) {
      const auto begin = static_cast<std::uint64_t>(entry.payload.data() - bytes.data());
      if (entry.kind == entry_kind && begin >= durable) unsure.push_back(entry.payload);
    }
    if (unsure.empty()) return;
    sometimes("journal's end made durable at a start");
    begin_file(next_ - unsure.size(), unsure);
    seal();
  }

  /// A file that begins with these entries. Its name is durable before another entry in it can be:
  /// a file is synced with its directory.
  void begin_file(std::uint64_t first, const std::vector<bytes_view>& entries) {
    const auto file = next_file_;
    const auto header = file_header(journal_magic, file, first);
    const auto temporary = path(file) + ".tmp";
    remove_leftover(*disk_, temporary);
    const new_names names;
    auto made = log_writer::create(*disk_, temporary, header.view());
    for (auto number = first; const auto& entry : entries) {
      made.append(frame{entry_kind, number++, entry});
    }
    made.sync();
    made.rename(*disk_, path(file));
    ++next_file_;  // not before: what could not be made is made again, and leaves nothing behind
    files_[file] = first;
    names.make_durable(*disk_, directory_);
    current_ = std::move(made);
  }

  /// After an error the file is left alone and the entries since the last sync are void.
  template <class Step>
  void guarded(Step step) {
    try {
      step();
    } catch (...) {
      current_ = {};
      next_ = durable_ + 1;
      throw;
    }
  }

  std::shared_ptr<disk> disk_;
  std::string directory_;
  std::string prefix_;
  std::uint64_t file_bytes_;
  bool read_only_;
  bool trims_ = true;
  std::map<std::uint32_t, std::uint64_t> files_{};  ///< number of a file and of its first entry
  std::uint32_t next_file_ = 1;
  std::uint64_t next_ = 1;
  std::uint64_t durable_ = 0;
  log_writer current_{};
};

}  // namespace cairn::detail
