// Older snapshots: looked through, and resumed from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <cairn/file_store.hpp>
#include <cairn/store.hpp>

#include "say.hpp"

namespace bank {

/// A store that resumes from a snapshot that need not be its latest, and keeps no other. Journals
/// are the store's own: give it a copy.
class as_of {
 public:
  as_of(std::string directory, cairn::epoch number)
      : inner_{std::move(directory)}, number_{number} {}

  cairn::opened open(const cairn::store_options& options) {
    auto found = inner_.open(options);
    found.latest = number_;
    return found;
  }
  void begin(cairn::epoch) {}
  void append(cairn::bytes_view) {}
  void commit(bool) {}
  void abort() noexcept {}
  void read(cairn::epoch n, const cairn::record_visitor& visit) { inner_.read(n, visit); }
  /// The one snapshot only: nothing that it needs of a journal is forgotten.
  [[nodiscard]] std::vector<cairn::snapshot_info> list() {
    auto all = inner_.list();
    std::erase_if(all, [&](const auto& each) { return each.number != number_; });
    return all;
  }
  void keep(cairn::epoch, const std::string&) {}
  void remove(const std::string&) {}
  [[nodiscard]] std::unique_ptr<cairn::journal_log> journal(const std::string& name) {
    return inner_.journal(name);
  }
  [[nodiscard]] std::string describe() const { return inner_.describe(); }
  [[nodiscard]] cairn::store_stats stats() const { return inner_.stats(); }

 private:
  cairn::file_store inner_;
  cairn::epoch number_;
};

static_assert(cairn::store<as_of>);

/// Reads every retained snapshot, and changes nothing. Throws what is wrong with one.
inline void list_snapshots(const std::string& directory) {
  cairn::file_store kept{directory};
  kept.open({.read_only = true, .warn = [](const auto& text) { say("event warning : {}", text); }});
  for (const auto& each : kept.list()) {
    std::uint64_t records = 0;
    kept.read(each.number, [&](const cairn::record_view&) { ++records; });
    say("retained {}: {} records", raw(each.number), records);
  }
}

}  // namespace bank
