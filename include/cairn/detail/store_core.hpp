// The store in files: opening, epochs, reading. What it writes is described in docs/format.md.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "../ids.hpp"
#include "../store.hpp"
#include "buffer.hpp"
#include "disk.hpp"
#include "pausing.hpp"
#include "record.hpp"
#include "store_index.hpp"
#include "store_journal.hpp"
#include "store_log.hpp"
#include "store_manifest.hpp"
#include "store_reclaim.hpp"
#include "store_segments.hpp"

namespace cairn::detail {

/// What `file_store` and `memory_store` stand on.
class store_core {
 public:
  store_core(std::shared_ptr<disk> where, std::string directory, std::uint64_t segment_bytes)
      : disk_{std::move(where)},
        directory_{std::move(directory)},
        segment_bytes_{std::clamp<std::uint64_t>(segment_bytes, 4096, std::uint64_t{1} << 30U)},
        reader_{*disk_, directory_},
        segments_{*disk_, directory_, segment_bytes_} {}

  opened open(const store_options& options) {
    if (lock_ || is_open_) throw error{errc::misuse, directory_ + " is already open"};
    options_ = options;
    options_.retain = std::max<std::size_t>(1, options.retain);
    if (!options_.read_only) disk_->make_directory(directory_);
    require_ours(disk_->list(directory_));
    take_lock();
    try {
      load(disk_->list(directory_));
    } catch (...) {
      lock_.reset();
      throw;
    }
    is_open_ = true;
    return {latest(), list(), newest_.value_or(epoch{}), std::exchange(left_behind_, {})};
  }

  void begin(epoch n) {
    require_writable();
    settle();
    if (open_) throw error{errc::misuse, directory_ + ": an epoch is open already"};
    if (latest() && n <= *latest()) {
      throw error{errc::misuse, directory_ + ": epoch " + std::to_string(raw(n)) +
                                    " is not beyond the committed ones"};
    }
    open_ = n;
  }

  void append(bytes_view framed_records) {
    require_epoch();
    if (framed_records.empty()) return;
    const auto first_new = pending_.size();
    const std::string where = directory_ + ": appended bytes";
    record_cursor cursor{framed_records, where};
    while (const auto record = cursor.next()) {
      if (record->header.epoch != *open_ || record->header.kind == record_kind::claim) {
        throw error{errc::misuse, directory_ + ": a record of another epoch, or the store's own"};
      }
      const auto length = static_cast<std::uint32_t>(cursor.offset() - cursor.last());
      pending_.push_back(store_index::entry_of(
          record->header, {0, static_cast<std::uint32_t>(cursor.last()), length}));
    }
    const auto at = segments_.append(*open_, framed_records);
    for (auto i = first_new; i < pending_.size(); ++i) {
      location& place = pending_[i].item.at;
      place.segment = at.segment;
      place.offset += at.offset;
      written_ += place.length;
    }
  }

  /// What is left to do then has time: see `settle`.
  void commit(bool releases) {
    require_epoch();
    const auto n = *open_;
    const auto damage = reclaim_.carry(n, written_, manifest_, index_, reader_, segments_);
    if (damage) sometimes("damaged segment left alone");
    if (damage) warn(*damage + "; the segment is kept as it is");
    commit_edit edit;
    edit.info = {n, {}, pending_.size(), written_, releases};
    edit.oldest = manifest_.oldest_with(n, options_.retain);
    edit.extents = segments_.finish();
    for (const auto& [number, segment] : manifest_.segments) {
      const bool idle = segment.dropped == never && index_.live_bytes(number) == 0;
      const bool written = std::any_of(edit.extents.begin(), edit.extents.end(),
                                       [n = number](const auto& e) { return e.first == n; });
      if (idle && !written && number != segments_.current()) edit.dropped.push_back(number);
    }
    const auto payload = encode(edit);
    const auto kind = releases ? edit_kind::release : edit_kind::commit;
    in_doubt_ = true;
    writer_->publish(manifest_, {static_cast<std::uint32_t>(kind), raw(n), payload.view()});
    in_doubt_ = false;
    segments_.keep();
    open_.reset();
    unsettled_ = n;
    claim_manifest();
  }
  /// The index follows what was committed, and files that are no longer needed go. Until then it
  /// is as the epoch before has left it: every verb that reads it comes here first.
  ///
  /// Errors: throws where memory is short. The epoch stands; it goes on from there the next time.
  void settle() {
    if (!unsettled_) return;
    apply(*unsettled_);
    collect();
  }

  /// A committed epoch stands.
  void abort() noexcept {
    if (unsettled_) return;
    try {
      close_epoch();
      reclaim_.revert();
      const auto made = segments_.abandon();
      if (std::exchange(in_doubt_, false)) {  // the edit may count: its files stay
        sometimes("commit in doubt");
        return;
      }
      for (const auto segment : made) {
        remove_leftover(*disk_, reader_.path(segment));
        segments_.removed(segment);
      }
    } catch (const std::exception& problem) {
      warn(directory_ + ": while giving up an epoch: " + problem.what());
    }
  }

  void read(epoch n, const record_visitor& visit) {
    require_open();
    settle();
    if (!manifest_.snapshots.contains(n)) {
      throw error{errc::not_found, directory_ + ": no snapshot " + std::to_string(raw(n))};
    }
    index_.each_standing(n, [&](const index_item& item) {
      reader_.read(item.at, [&](const record_view& record, bytes_view) { visit(record); });
    });
    reader_.forget();
  }

  [[nodiscard]] std::vector<snapshot_info> list() const {
    std::vector<snapshot_info> all;
    for (const auto& [number, info] : manifest_.snapshots) {
      const auto before = all.size();
      for (const auto& [name, kept] : manifest_.names) {
        if (kept != number) continue;
        all.push_back(info);
        all.back().name = name;
      }
      if (all.size() == before) all.push_back(info);
    }
    return all;
  }

  void keep(epoch n, const std::string& name) {
    require_writable();
    settle();
    if (name.empty()) throw error{errc::bad_name, directory_ + ": a savepoint needs a name"};
    if (manifest_.names.contains(name)) {
      throw error{errc::name_taken, directory_ + ": there is a savepoint '" + name + "'"};
    }
    if (!manifest_.snapshots.contains(n)) {
      throw error{errc::not_found, directory_ + ": no snapshot " + std::to_string(raw(n))};
    }
    publish_name(edit_kind::keep, raw(n), name);
  }

  void remove(const std::string& name) {
    require_writable();
    settle();
    if (!manifest_.names.contains(name)) {
      throw error{errc::not_found, directory_ + ": no savepoint '" + name + "'"};
    }
    publish_name(edit_kind::remove, 0, name);
    index_.prune_all(manifest_.numbers(), alive());
  }

  std::unique_ptr<journal_log> journal(const std::string& name) {
    require_open();
    return std::make_unique<file_journal>(disk_, directory_, name, segment_bytes_,
                                          options_.read_only);
  }

  /// The file `TURNS`, made anew of what it held; none where nothing is mapped.
  std::unique_ptr<disk_file> turn_page(const std::function<buffer(bytes_view)>& make) {
    require_writable();
    if (!disk_->maps()) return nullptr;
    const auto path = directory_ + "/TURNS";
    buffer before;
    try {
      before = read_whole(*disk_, path);
      if (before.size() == 0) warn(path + ": the file is empty; what it held is forgotten");
    } catch (const error& problem) {
      if (problem.code() != errc::not_found) throw;
    }
    const buffer made = make(before.view());
    remove_leftover(*disk_, path + ".tmp");
    const new_names names;
    auto file = disk_->create(path + ".tmp");
    file->write(0, made.view());
    file->sync();
    disk_->rename(path + ".tmp", path);
    names.make_durable(*disk_, directory_);
    return file;
  }

  [[nodiscard]] const std::string& directory() const noexcept { return directory_; }

  [[nodiscard]] store_stats stats() {
    settle();
    store_stats sizes;
    sizes.segments = segments_.files().size();
    for (const auto& [number, length] : segments_.files()) sizes.disk_bytes += length;
    sizes.live_bytes = index_.live_bytes();
    sizes.index_entries = index_.size();
    return sizes;
  }

 private:
  [[nodiscard]] std::optional<epoch> latest() const {
    if (manifest_.snapshots.empty()) return std::nullopt;
    return manifest_.snapshots.rbegin()->first;
  }
  [[nodiscard]] store_index::alive_fn alive() const {
    return [this](std::uint32_t segment) { return manifest_.alive(segment); };
  }
  void warn(const std::string& text) const {
    if (options_.warn) options_.warn(text);
  }
  void require_open() const {
    if (!is_open_) throw error{errc::misuse, directory_ + " is not open"};
  }
  void require_writable() const {
    require_open();
    if (options_.read_only) throw error{errc::misuse, directory_ + " is opened read-only"};
  }
  void require_epoch() const {
    require_writable();
    if (!open_) throw error{errc::misuse, directory_ + ": no epoch is open"};
  }

  /// Looks before anything is written: a wrong directory stays as it is.
  void require_ours(const std::vector<std::string>& names) const;
  void take_lock();
  void load(const std::vector<std::string>& names);
  /// How far a manifest reaches, and whether all that it says could be taken.
  struct reach {
    std::uint64_t end = 0;
    bool whole = false;
  };
  reach load_manifest(std::uint32_t number);
  void make_durable();
  claim survey_segments(const std::vector<std::string>& names, std::string& where);
  void require_claimed(std::uint32_t number, std::uint64_t end, const claim& most,
                       const std::string& where) const;
  void choose_snapshot();
  void go_back(epoch wanted);
  void load_segments(const manifest& state);
  std::optional<error> damage_in(epoch n);
  void warn_of_damage();
  [[nodiscard]] std::string damage_at(location at) const {
    return reader_.path(at.segment) + ", offset " + std::to_string(at.offset) + ": " +
           record_cursor::broken_text;
  }

  void publish_name(edit_kind kind, std::uint64_t number, const std::string& name) {
    buffer payload;
    payload.put_text(name);
    writer_->publish(manifest_, {static_cast<std::uint32_t>(kind), number, payload.view()});
    claim_manifest();
  }

  /// What was published stands, whether or not it can be said.
  void claim_manifest() {
    try {
      segments_.say(writer_->claimed(latest().value_or(epoch{})));
    } catch (const std::exception& problem) {
      warn(std::string{"noting what the manifest holds: "} + problem.what());
    }
  }

  /// The epoch is durable: the index follows. Each step may be done again where a later one fails.
  void apply(epoch n) {
    for (; applied_ < pending_.size(); ++applied_) index_.add(pending_[applied_]);
    touched_[n] = touched_now();
    reclaim_.apply(index_, alive());
    const auto numbers = manifest_.numbers();
    index_.prune_common(numbers);
    // What was changed in `oldest` or before has no use left for the versions before that. What is
    // changed later stands as it was in a snapshot that is retained.
    while (!touched_.empty() && touched_.begin()->first <= manifest_.oldest) {
      for (const auto actor : touched_.begin()->second) index_.prune(actor, numbers, alive());
      touched_.erase(touched_.begin());
    }
    unsettled_.reset();
    close_epoch();
  }
  /// Those of whom the epoch has records, each once.
  [[nodiscard]] std::vector<actor_id> touched_now() const {
    std::vector<actor_id> touched;
    std::vector<actor_id> mailed;  // of one actor there may be many
    for (const auto& each : pending_) {
      if (store_index::comes_once(each)) {
        touched.push_back(each.actor);
      } else if (mailed.empty() || mailed.back() != each.actor) {
        mailed.push_back(each.actor);
      }
    }
    std::sort(mailed.begin(), mailed.end());
    const auto several = std::unique(mailed.begin(), mailed.end());
    touched.insert(touched.end(), mailed.begin(), several);
    return touched;
  }
  /// No epoch is open any more, whatever has become of it.
  void close_epoch() noexcept {
    constexpr std::size_t few = 65'536;  // what a million records took is not kept for the next
    open_.reset();
    if (pending_.capacity() > few) huge_vector<store_index::entry>{}.swap(pending_);
    pending_.clear();
    applied_ = 0;
    written_ = 0;
  }

  /// Removes files that no retained snapshot needs. The epoch stands: an error is only said.
  void collect();

  std::shared_ptr<disk> disk_;
  std::string directory_;
  std::uint64_t segment_bytes_;
  store_options options_{};
  std::unique_ptr<disk_lock> lock_{};
  bool is_open_ = false;
  manifest manifest_{};
  std::optional<epoch> newest_{};             ///< that the manifest knew when it was opened
  std::vector<snapshot_info> left_behind_{};  ///< by this opening
  std::optional<manifest_writer> writer_{};
  store_index index_{};
  std::vector<location> broken_{};  ///< records that the opening found damaged, in order
  record_reader reader_;
  segment_writer segments_;
  reclaimer reclaim_{segment_bytes_};
  std::optional<epoch> open_{};
  std::optional<epoch> unsettled_{};           ///< committed, and not in the index yet
  huge_vector<store_index::entry> pending_{};  ///< of the open epoch, or of the unsettled one
  std::size_t applied_ = 0;                    ///< so many of them are in the index
  std::uint64_t written_ = 0;
  bool in_doubt_ = false;
  std::map<epoch, std::vector<actor_id>> touched_{};
};

}  // namespace cairn::detail

#include "store_open.hpp"
