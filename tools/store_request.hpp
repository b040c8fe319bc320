// What the tool is asked to do, and how it opens a store, answers and commits for it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <cairn/file_store.hpp>
#include <nlohmann/json.hpp>

#include "store_change.hpp"

namespace cairn_store {

using nlohmann::json;

struct request {
  std::string directory{};
  std::optional<std::uint64_t> epoch{};
  bool as_json = false;
  bool dry_run = false;              ///< says what would be done
  bool all = false;                  ///< instead of `words`
  std::vector<std::string> words{};  ///< what the verb is about
};

/// What an exception or a path said may be no UTF-8.
inline std::string line_of(const json& one) {
  return one.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// On standard error: standard output has results alone.
inline void warn(const request& what, const std::string& text) {
  fmt::print(stderr, "{}\n", what.as_json ? line_of({{"warning", text}}) : "cairn-store: " + text);
}

/// A store that is open to be read: others may read it too, its program may not run.
struct reading {
  explicit reading(const request& what) : store{what.directory} {
    cairn::store_options how;
    how.read_only = true;
    how.warn = [this, what](const std::string& text) {
      warned = true;
      warn(what, text);
    };
    found = store.open(how);
  }
  [[nodiscard]] cairn::epoch chosen(const request& what) const {
    if (what.epoch) return cairn::epoch{*what.epoch};
    if (found.latest) return *found.latest;
    throw cairn::error{cairn::errc::not_found, what.directory + ": there is no snapshot yet"};
  }
  reading(const reading&) = delete;  // the store's warnings come here
  reading& operator=(const reading&) = delete;

  cairn::file_store store;
  bool warned = false;  ///< of damage that the latest snapshot does not need
  cairn::opened found{};
};

inline void say(const request& what, const json& for_machines, const std::string& for_people) {
  fmt::print("{}\n", what.as_json ? for_machines.dump(2) : for_people);
}

/// A store that is open to be changed: nobody else has it open. A dry run only reads.
struct writing {
  explicit writing(const request& what, cairn::store_options how = {}) : store{what.directory} {
    if (!std::filesystem::exists(what.directory)) {
      throw cairn::error{cairn::errc::not_found, what.directory + ": there is no such directory"};
    }
    how.read_only = what.dry_run;
    how.retain = std::numeric_limits<std::size_t>::max();  // to drop epochs is the program's affair
    how.warn = [this, what](const std::string& text) {
      warned = true;
      warn(what, text);
    };
    found = store.open(how);
    if (!found.latest) {
      throw cairn::error{cairn::errc::not_found, what.directory + ": there is no snapshot yet"};
    }
  }
  writing(const writing&) = delete;  // the store's warnings come here
  writing& operator=(const writing&) = delete;

  /// Writes these actors anew, as an epoch of its own.
  void commit(const request& what, const std::vector<cairn_store::stored_actor>& actors) {
    if (what.dry_run) return;
    (void)cairn_store::commit(store, found, [&](cairn_store::change& to, cairn::epoch in) {
      for (const auto& each : actors) to.put(each, in);
    });
  }

  cairn::file_store store;
  bool warned = false;
  cairn::opened found{};
};

}  // namespace cairn_store
