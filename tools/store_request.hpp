// What the tool is asked to do, and how it opens a store and commits for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <cairn/file_store.hpp>

#include "store_change.hpp"
#include "store_output.hpp"

namespace cairn_store {

struct request {
  std::string directory{};
  std::optional<std::uint64_t> epoch{};
  bool as_json = false;
  bool dry_run = false;              ///< says what would be done
  bool all = false;                  ///< instead of `words`
  bool drop_savepoints = false;      ///< also goes back past them
  std::vector<std::string> words{};  ///< what the verb is about
};

/// On standard error.
inline void warn(const request& what, const std::string& text) {
  tell(what.as_json ? text_of({{"warning", text}}) : line_of("cairn-store: " + text));
}

/// Errors: throws `errc::not_found` where there is no directory, or nothing of a store in it: an
/// opening to be written would make one.
inline void require_store(const std::string& directory) {
  std::error_code problem;
  const std::filesystem::directory_iterator files{directory, problem};
  if (problem == std::errc::no_such_file_or_directory || problem == std::errc::not_a_directory) {
    throw cairn::error{cairn::errc::not_found, directory + ": there is no such directory"};
  }
  if (problem) return;  // what the matter is the store says
  for (const auto& each : files) {
    const auto name = each.path().filename().string();
    const bool part = name.starts_with("manifest-") || name.starts_with("segment-") ||
                      name.starts_with("journal-");
    if (part && !cairn::detail::is_temporary(name)) return;
  }
  throw cairn::error{cairn::errc::not_found, directory + ": there is no store in it"};
}

/// A store that is open to be read: others may read it too, its program may not run.
struct reading {
  explicit reading(const request& what) : store{what.directory} {
    require_store(what.directory);
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
  bool warned = false;  ///< of damage that does not keep the store from being opened
  cairn::opened found{};
};

/// A store that is open to be changed: nobody else has it open. A dry run only reads.
struct writing {
  explicit writing(const request& what, cairn::store_options how = {}) : store{what.directory} {
    require_store(what.directory);
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

/// What a change comes to, or would: `for_people` says which. It is committed by then.
///
/// Errors: throws `errc::io` where standard output cannot be written.
inline void say(const request& what, json for_machines, const std::string& for_people) {
  if (what.dry_run) for_machines["dry_run"] = true;
  try {
    what.as_json ? put(text_of(for_machines, 2)) : put(line_of(for_people));
    flush();
  } catch (const cairn::error& why) {
    if (what.dry_run) throw;
    throw cairn::error{why.code(), std::string{"this is done, but cannot be said: "} + why.what()};
  }
}
/// Before a participle.
inline const char* would_be(const request& what) { return what.dry_run ? "would be " : ""; }

}  // namespace cairn_store
