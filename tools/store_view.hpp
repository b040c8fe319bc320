// What a store holds, read without the program that wrote it: no type needs to be known.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cairn/file_store.hpp>

namespace cairn_store {

using cairn::detail::reader;

struct actor_view {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
  std::string path{};  ///< names from the top, joined by '/'; "#id" where there is none
  std::string type{};
  std::uint32_t schema = 0;
  std::uint64_t position = 0;
  std::uint64_t bytes = 0;    ///< of its record
  std::uint64_t waiting = 0;  ///< messages and answers in flight to it
  bool suspended = false;
};

struct snapshot_view {
  std::string program{};  ///< version of the program that wrote it
  bool orderly = false;   ///< it ended with this epoch
  std::vector<actor_view> actors{};
};

/// The layout is that of docs/format.md.
class snapshot_reader {
 public:
  void take(const cairn::record_view& record) {
    const auto& header = record.header;
    switch (header.kind) {
      case cairn::record_kind::name:
        names_[header.place] = std::string{reinterpret_cast<const char*>(record.payload.data()),
                                           record.payload.size()};
        break;
      case cairn::record_kind::meta:
        take_meta(reader{record.payload});
        break;
      case cairn::record_kind::actor:
        take_actor(record);
        break;
      case cairn::record_kind::mail:
      case cairn::record_kind::reply:
        if (!found_.actors.empty() && found_.actors.back().id == raw(header.actor)) {
          ++found_.actors.back().waiting;
        }
        break;
      case cairn::record_kind::gone:
      case cairn::record_kind::claim:
        break;
    }
  }

  [[nodiscard]] snapshot_view finish() && {
    for (auto& each : found_.actors) each.path = path_of(each.id);
    std::sort(found_.actors.begin(), found_.actors.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return std::move(found_);
  }

 private:
  void take_meta(reader from) {
    if (from.get<std::uint8_t>() != 1) return;  // of a newer cairn; the actors say so by name
    (void)from.take(sizeof(std::uint64_t) + sizeof(std::int64_t) + sizeof(std::uint32_t));
    found_.program = from.get_text();
    found_.orderly = from.get<std::uint8_t>() != 0;
  }

  void take_actor(const cairn::record_view& record) {
    const auto& header = record.header;
    actor_view one;
    one.id = raw(header.actor);
    const auto known = names_.find(header.type);
    one.type = known != names_.end() ? known->second : "type " + std::to_string(header.type);
    one.schema = header.schema;
    one.position = raw(header.position);
    one.bytes = record.payload.size();
    reader from{record.payload};
    if (from.get<std::uint8_t>() != 1) {
      throw cairn::error{
          cairn::errc::newer_schema,
          "actor " + std::to_string(one.id) + " (" + one.type + ") was written by a newer cairn"};
    }
    (void)from.get<std::uint32_t>();
    one.parent = from.get<std::uint64_t>();
    (void)from.get<std::uint32_t>();
    labels_[one.id] = {one.parent, std::string{from.get_text()}};
    (void)from.get<std::uint32_t>();
    one.suspended = (from.get<std::uint8_t>() & 1U) != 0;
    found_.actors.push_back(std::move(one));
  }

  [[nodiscard]] std::string path_of(std::uint64_t id) const {
    std::string path;
    std::set<std::uint64_t> seen;  // forged bytes may lead in a circle
    for (auto at = labels_.find(id); at != labels_.end(); at = labels_.find(at->second.first)) {
      if (!seen.insert(at->first).second) break;
      const auto& name = at->second.second;
      const std::string own = name.empty() ? "#" + std::to_string(at->first) : name;
      path = path.empty() ? own : own + "/" + path;
    }
    return path;
  }

  snapshot_view found_{};
  std::map<std::uint64_t, std::string> names_{};
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> labels_{};
};

/// Errors: throws what the store throws, naming the file.
[[nodiscard]] inline snapshot_view read_snapshot(cairn::file_store& store, cairn::epoch number) {
  snapshot_reader to;
  store.read(number, [&](const cairn::record_view& record) { to.take(record); });
  return std::move(to).finish();
}

/// The name of a journal, from what stands of it in the names of its files.
///
/// Errors: throws `errc::damaged` where it is not what cairn makes of any name.
[[nodiscard]] inline std::string journal_name(std::string_view safe, const std::string& path) {
  std::string name;
  for (std::size_t at = 0; at < safe.size(); ++at) {
    unsigned code = static_cast<unsigned char>(safe[at]);
    if (safe[at] == '%') {
      const auto digits = safe.substr(at + 1, 2);
      code = 0;
      (void)std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
      at += 2;
    }
    name += static_cast<char>(code);
  }
  if (cairn::detail::file_safe(name) == safe) return name;
  throw cairn::error{cairn::errc::damaged, path + ": this is the name of no journal's file"};
}

/// The names of the journals in a store's directory.
///
/// Errors: throws `errc::damaged` naming a file that none can have.
[[nodiscard]] inline std::vector<std::string> journals_in(const std::string& directory) {
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator{directory}) {
    const std::string file = entry.path().filename().string();
    const auto end = file.find_last_of('-');
    if (!file.starts_with("journal-") || end <= 8) continue;
    if (!cairn::detail::number_of(file, file.substr(0, end + 1))) continue;
    found.insert(journal_name(std::string_view{file}.substr(8, end - 8), entry.path().string()));
  }
  return {found.begin(), found.end()};
}

}  // namespace cairn_store
