// How a store finds its latest snapshot, and which files it lets go of.
#pragma once

#include <exception>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store_core.hpp"

namespace cairn::detail {

inline bool is_temporary(const std::string& name) { return name.ends_with(".tmp"); }

inline void store_core::require_ours(const std::vector<std::string>& names) const {
  bool ours = true;
  bool parts = false;
  for (const auto& name : names) {
    if (number_of(name, "manifest-")) return;
    if (name == "LOCK" || is_temporary(name)) continue;
    const bool part = number_of(name, "segment-") || name.starts_with("journal-");
    parts |= part;
    ours &= part;
  }
  if (!ours) throw error{errc::misuse, directory_ + ": the directory is neither empty nor a store"};
  if (parts) throw error{errc::damaged, directory_ + ": the manifest is missing"};
}

inline void store_core::take_lock() {
  try {
    lock_ = disk_->lock(directory_ + "/LOCK", options_.read_only, options_.lock_wait);
  } catch (const error& problem) {
    // A reader makes no file: without LOCK nobody has opened the store for writing.
    if (!options_.read_only || problem.code() != errc::not_found) throw;
  }
}

inline void store_core::load(const std::vector<std::string>& names) {
  std::uint32_t newest = 0;
  std::uint32_t last_segment = 0;
  for (const auto& name : names) {
    newest = std::max(newest, number_of(name, "manifest-").value_or(0));
    last_segment = std::max(last_segment, number_of(name, "segment-").value_or(0));
  }
  manifest_ = {};
  index_ = {};
  touched_.clear();
  writer_.emplace(*disk_, directory_, newest + 1);
  if (newest != 0) {
    load_manifest(newest);
    choose_snapshot();
  } else if (!options_.read_only) {
    for (const auto& name : names) {
      if (is_temporary(name)) disk_->remove(directory_ + "/" + name);
    }
    // Who made the directory may have died before its name was durable.
    const auto slash = directory_.find_last_of('/');
    disk_->sync_directory(slash == std::string::npos ? "." : directory_.substr(0, slash + 1));
    writer_->publish_state(manifest_, 0);
  }
  // Files of a commit that never came about keep their numbers: no number is used twice.
  segments_.number_from(std::max(manifest_.next_segment, last_segment + 1));
}

inline void store_core::load_manifest(std::uint32_t number) {
  const auto path = directory_ + "/" + numbered("manifest-", number);
  const auto bytes = read_whole(*disk_, path);
  verify_file_header(bytes.view(), manifest_magic, number, path);
  const auto found = scan_frames(bytes.view(), file_header_bytes);
  if (found.frames.empty() ||
      found.frames[0].kind != static_cast<std::uint32_t>(edit_kind::state)) {
    raise_damaged(path, file_header_bytes, "the manifest's first entry does not verify");
  }
  try {
    for (const auto& edit : found.frames) manifest_.apply(edit);
  } catch (const error& problem) {
    throw error{errc::damaged, path + ": " + problem.what()};
  }
  if (found.end != log_end::damaged) return;
  // A damaged last commit was followed by nothing, so nothing of it is known to be released.
  const bool last_commit =
      found.broken && found.broken->kind == static_cast<std::uint32_t>(edit_kind::commit);
  if (!last_commit && !options_.accept_older) {
    raise_damaged(path, found.offset, "an entry of the manifest does not verify");
  }
  warn(path + ", offset " + std::to_string(found.offset) +
       ": an entry of the manifest does not verify; going on with what stands before it");
}

inline void store_core::choose_snapshot() {
  std::optional<error> first;
  const auto newest = latest();
  for (auto it = manifest_.snapshots.rbegin(); it != manifest_.snapshots.rend(); ++it) {
    if (it->first < manifest_.oldest) break;
    auto state = manifest_.as_of(it->first);
    try {
      load_segments(state);
    } catch (const error& problem) {
      if (problem.code() != errc::damaged) throw;
      if (!first) first = problem;
      if (it->second.released && !options_.accept_older) break;
      continue;
    }
    if (first) {
      warn(std::string{first->what()} + "; snapshot " + std::to_string(raw(*newest)) +
           " is damaged, going back to " + std::to_string(raw(it->first)));
    }
    manifest_ = std::move(state);
    index_.prune_all(manifest_.numbers(), alive());
    touched_[*latest()] = index_.with_several();
    return;
  }
  index_ = {};
  if (first) throw *first;
}

inline void store_core::load_segments(const manifest& state) {
  index_ = {};
  for (const auto& [number, segment] : state.segments) {
    if (segment.dropped != never) continue;
    reader_.scan(number, segment,
                 [&](const record_header& header, location at) { index_.add(header, at); });
  }
}

inline void store_core::collect() {
  try {
    const auto current = directory_ + "/" + numbered("segment-", segments_.current());
    for (const auto& name : disk_->list(directory_)) {
      const auto path = directory_ + "/" + name;
      const auto segment = number_of(name, "segment-");
      const bool old_manifest = number_of(name, "manifest-") && path != writer_->current();
      const bool stale = segment && !manifest_.segments.contains(*segment) && path != current;
      const bool temporary = is_temporary(name) && name.starts_with("manifest-");
      if (!old_manifest && !stale && !temporary) continue;
      disk_->remove(path);
      if (!segment) continue;
      index_.forget_segment(*segment);
      reader_.forget();  // an open file would keep its space
    }
  } catch (const std::exception& problem) {
    warn(directory_ + ": while removing files that are no longer needed: " + problem.what());
  }
}

}  // namespace cairn::detail
