// How a system opens its store.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>

#include "../options.hpp"
#include "pausing.hpp"
#include "world.hpp"

namespace cairn::detail {

[[nodiscard]] inline store_options opening_of(const options& chosen, world& all) {
  store_options how;
  how.lock_wait = chosen.lock_wait;
  how.retain = chosen.epoch.retain;
  how.accept_older = chosen.accept_older;
  how.as_of = chosen.as_of;
  // Also where there are fewer workers: nobody else runs, and no actor's code is called there.
  const auto processors =
      std::max<std::size_t>(all.workers.size(), std::thread::hardware_concurrency());
  how.threads = current_pauser != nullptr ? 1 : processors;  // a simulation has one
  how.warn = [&all](const std::string& text) {
    event what;
    what.kind = event_kind::store_warning;
    what.text = text;
    all.report(what);
  };
  return how;
}

/// An older snapshot was asked for, and savepoints after it are gone with the first commit.
inline void warn_of_savepoints(const opened& found, world& all) {
  std::string names;
  for (const snapshot_info& each : found.left_behind) {
    if (each.name.empty()) continue;
    names += (names.empty() ? "'" : ", '") + each.name + "' (epoch " +
             std::to_string(raw(each.number)) + ")";
  }
  if (names.empty()) return;
  event what;
  what.kind = event_kind::store_warning;
  what.at = *found.latest;
  what.text = "savepoints after epoch " + std::to_string(raw(*found.latest)) +
              " are gone with the next commit: " + names;
  all.report(what);
}

/// The first epoch of this process: beyond the snapshot that it begins from, and beyond those that
/// it leaves behind.
[[nodiscard]] inline std::uint64_t first_epoch(const opened& found) {
  return std::max(raw(*found.latest), raw(found.newest)) + 1;
}

}  // namespace cairn::detail
