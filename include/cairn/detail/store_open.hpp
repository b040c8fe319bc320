// How a store finds its latest snapshot, and which files it lets go of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "side_by_side.hpp"
#include "store_core.hpp"

namespace cairn::detail {

inline bool is_temporary(const std::string& name) { return name.ends_with(".tmp"); }

inline void store_core::require_ours(const std::vector<std::string>& names) const {
  bool ours = true;
  bool parts = false;
  for (const auto& name : names) {
    if (number_of(name, "manifest-")) return;
    if (name == "LOCK" || name == "TURNS" || is_temporary(name)) continue;
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
  reader_.forget();  // files of an opening that failed may have been put right since
  std::uint32_t newest = 0;
  std::uint32_t last_segment = 0;
  for (const auto& name : names) {
    newest = std::max(newest, number_of(name, "manifest-").value_or(0));
    last_segment = std::max(last_segment, number_of(name, "segment-").value_or(0));
  }
  manifest_ = {};
  index_.clear();
  touched_.clear();
  segments_ = segment_writer{*disk_, directory_, segment_bytes_};
  std::string witness;
  claim most;
  reach known;
  if (newest != 0) {
    known = load_manifest(newest);
    most = survey_segments(names, witness);
    require_claimed(newest, known.end, most, witness);
  }
  // No number is used twice: what is claimed of a manifest that is lost must not be read as said
  // of a new one, nor the files of a commit that never came about as those of another.
  writer_.emplace(*disk_, directory_, std::max(newest, most.manifest) + 1,
                  std::min<std::uint64_t>(segment_bytes_, std::uint64_t{64} * 1024));
  segments_.number_from(std::max(manifest_.next_segment, last_segment + 1));
  if (newest != 0) {
    const auto last = latest();
    choose_snapshot();
    const bool durable = most.manifest >= newest && most.bytes >= known.end;
    if (known.whole && !durable && latest() == last) make_durable();
  } else if (!options_.read_only) {
    for (const auto& name : names) {
      if (is_temporary(name)) disk_->remove(directory_ + "/" + name);
    }
    // Who made the directory may have died before its name was durable.
    const auto slash = directory_.find_last_of('/');
    disk_->sync_directory(slash == std::string::npos ? "." : directory_.substr(0, slash + 1));
    writer_->publish_state(manifest_, 0);
    claim_manifest();
  }
}

/// A process that was killed may have left an edit that it never synced. Whoever is told of it now
/// lets outputs go: it is written again, as a sync of that file may have failed before.
inline void store_core::make_durable() {
  if (options_.read_only) return;
  sometimes("manifest made durable at a start");
  writer_->publish_state(manifest_, raw(latest().value_or(epoch{})));
  claim_manifest();
  collect();
}

inline store_core::reach store_core::load_manifest(std::uint32_t number) {
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
    manifest_.require_sound();
  } catch (const error& problem) {
    throw error{errc::damaged, path + ": " + problem.what()};
  }
  if (found.end == log_end::torn) sometimes("torn end of the manifest");
  if (found.end != log_end::damaged) return {found.offset, true};
  // A commit that is damaged, whole in length and followed by nothing: the snapshot before it may
  // take its place, as where its records are damaged. Its kind says that it released nothing.
  const bool last_commit =
      found.broken && found.broken->kind == static_cast<std::uint32_t>(edit_kind::commit);
  if (!last_commit && !options_.accept_older) {
    raise_damaged(path, found.offset, "an entry of the manifest does not verify");
  }
  warn(path + ", offset " + std::to_string(found.offset) +
       ": an entry of the manifest does not verify; going on with what stands before it");
  return {last_commit ? bytes.size() : found.offset, false};
}

/// Takes down what there is of segments, and returns what they claim of the latest manifest.
inline claim store_core::survey_segments(const std::vector<std::string>& names,
                                         std::string& where) {
  claim most;
  for (const auto& name : names) {
    const auto number = number_of(name, "segment-");
    if (!number) continue;
    const auto known = manifest_.segments.find(*number);
    const auto [length, said] = reader_.survey(
        *number, known == manifest_.segments.end() ? segment_state{} : known->second);
    segments_.found(*number, length);
    if (said <= most) continue;
    most = said;
    where = name;
  }
  return most;
}

/// A manifest that ends too early looks as if a crash had ended it, but for what segments say: what
/// was durable once was not lost in a crash.
inline void store_core::require_claimed(std::uint32_t number, std::uint64_t end, const claim& most,
                                        const std::string& where) const {
  if (most.manifest < number || (most.manifest == number && most.bytes <= end)) return;
  auto text = directory_ + "/" + numbered("manifest-", most.manifest);
  if (most.manifest == number) {
    text += ", offset " + std::to_string(end) + ": the manifest ends here, but ";
  } else {
    text += ": the manifest is missing, but ";
  }
  text += where + " says that " + std::to_string(most.bytes) +
          " bytes of it were durable, with snapshot " + std::to_string(raw(most.latest));
  if (!options_.accept_older) throw error{errc::damaged, text};
  warn(text + "; going on with what is there, up to snapshot " +
       std::to_string(raw(latest().value_or(epoch{}))));
}

/// The caller's word: those after the snapshot it wants are left aside, until a commit forgets
/// them.
inline void store_core::go_back(epoch wanted) {
  const auto found = manifest_.snapshots.find(wanted);
  if (found == manifest_.snapshots.end() || wanted < manifest_.oldest) {
    throw error{errc::not_found, directory_ + ": snapshot " + std::to_string(raw(wanted)) +
                                     " is none of the latest ones"};
  }
  for (auto after = std::next(found); after != manifest_.snapshots.end(); ++after) {
    if (!after->second.released || options_.accept_older) continue;
    throw error{errc::misuse, directory_ + ": outputs of snapshot " +
                                  std::to_string(raw(after->first)) +
                                  " have left: going back past it takes accept_older"};
  }
  manifest_ = manifest_.as_of(wanted);
}

inline void store_core::choose_snapshot() {
  std::optional<error> first;
  newest_ = latest();
  left_behind_ = list();
  if (options_.as_of) go_back(*options_.as_of);
  const auto newest = latest();
  for (auto it = manifest_.snapshots.rbegin(); it != manifest_.snapshots.rend(); ++it) {
    if (it->first < manifest_.oldest) break;
    if (options_.as_of && it->first != *options_.as_of) break;
    auto state = manifest_.as_of(it->first);
    std::optional<error> problem;
    try {
      load_segments(state);
      problem = damage_in(it->first);
    } catch (const error& why) {
      if (why.code() != errc::damaged) throw;
      problem = why;
    }
    if (problem) {
      if (!first) first = problem;
      if (it->second.released && !options_.accept_older) break;
      continue;
    }
    if (first) {
      sometimes("older snapshot used");
      warn(std::string{first->what()} + "; snapshot " + std::to_string(raw(*newest)) +
           " is damaged, going back to " + std::to_string(raw(it->first)));
    }
    manifest_ = std::move(state);
    std::erase_if(left_behind_, [&](const auto& each) { return each.number <= *latest(); });
    warn_of_damage();
    index_.prune_all(manifest_.numbers(), alive());
    touched_[*latest()] = index_.with_several();
    return;
  }
  index_.clear();
  if (first) sometimes("no snapshot may be used");
  if (first) throw *first;
}

/// A record whose header verifies may be damaged: each snapshot that needs it is, and no other.
inline void store_core::load_segments(const manifest& state) {
  index_.clear();
  broken_.clear();
  struct found {
    std::uint32_t number = 0;
    const segment_state* state = nullptr;
    huge_vector<store_index::entry> records{};
    std::vector<location> broken{};
  };
  std::vector<found> all;
  std::uint64_t bytes = 0;
  for (const auto& [number, segment] : state.segments) {
    if (segment.dropped != never) continue;
    all.push_back({number, &segment});
    bytes += segment.bytes();
  }
  index_.expect(bytes);
  // Each by itself; they are put together in the order of their numbers, whoever was first.
  const bool alone = options_.threads < 2 || all.size() < 2;
  const auto scan = [&](std::size_t at) {
    found& each = all[at];
    if (!alone) each.records.reserve(store_index::usual_count(each.state->bytes()));
    reader_.scan(each.number, *each.state,
                 [&](const record_header& header, location where, bool whole) {
                   const auto entry = store_index::entry_of(header, where);
                   alone ? index_.add(entry) : each.records.push_back(entry);
                   if (!whole) each.broken.push_back(where);
                 });
  };
  const auto put = [&](std::size_t at) {
    found& each = all[at];
    for (const auto& entry : each.records) index_.add(entry);
    broken_.insert(broken_.end(), each.broken.begin(), each.broken.end());
    each = {};
  };
  side_by_side(all.size(), options_.threads, scan, put);
}

/// Where a snapshot is damaged, if it is.
inline std::optional<error> store_core::damage_in(epoch n) {
  std::optional<error> found;
  if (broken_.empty()) return found;
  index_.each_standing(n, [&](const index_item& item) {
    if (found || !std::binary_search(broken_.begin(), broken_.end(), item.at)) return;
    found.emplace(errc::damaged, damage_at(item.at));
  });
  return found;
}

/// The newest snapshot is whole; others may not be.
inline void store_core::warn_of_damage() {
  bool needed = false;
  for (const auto& info : list()) {
    const auto problem = damage_in(info.number);
    if (!problem) continue;
    needed = true;
    const auto name = info.name.empty() ? std::string{} : "savepoint '" + info.name + "', ";
    warn(std::string{problem->what()} + "; " + name + "snapshot " +
         std::to_string(raw(info.number)) + " is damaged and cannot be read, snapshot " +
         std::to_string(raw(*latest())) + " can");
  }
  if (!needed && !broken_.empty()) {
    warn(damage_at(broken_.front()) + "; no snapshot needs it");
  }
  broken_.clear();
}

inline void store_core::collect() {
  if (writer_->current().empty()) return;  // its last entry failed: which one counts is not known
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
      segments_.removed(*segment);
      index_.forget_segment(*segment);
      reader_.forget();  // an open file would keep its space
    }
  } catch (const std::exception& problem) {
    warn(directory_ + ": while removing files that are no longer needed: " + problem.what());
  }
}

}  // namespace cairn::detail
