// The stores that inputs become: files as they would be, on a disk in memory.
#pragma once

#include <cairn/detail/record.hpp>

#include <algorithm>
#include <cairn/detail/cell_table.hpp>
#include <cairn/detail/store_manifest.hpp>
#include <cairn/detail/store_memory.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "input.hpp"

namespace fuzz {

using cairn::epoch;
using cairn::detail::buffer;
using cairn::detail::bytes_view;

inline const std::string store_name = "store";

[[nodiscard]] inline bytes_view view_of(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}
[[nodiscard]] inline std::string text_of(bytes_view from) {
  return {reinterpret_cast<const char*>(from.data()), from.size()};
}

/// Puts a number over some bytes of a text, which grows where it must.
template <class T>
void put_into(std::string& text, std::size_t at, T value) {
  if (text.size() < at + sizeof value) text.resize(at + sizeof value);
  std::memcpy(text.data() + at, &value, sizeof value);
}
/// The number in some bytes of a text, as if there were zeros behind it.
template <class T>
[[nodiscard]] T get_from(const std::string& text, std::size_t at) {
  T value{};
  if (at < text.size())
    std::memcpy(&value, text.data() + at, std::min(sizeof value, text.size() - at));
  return value;
}

inline void put_checksum(std::string& text) {
  put_into(text, text.size(), cairn::detail::checksum(view_of(text)));
}

[[nodiscard]] inline std::string header_of(std::string part, bool mend) {
  if (!mend) return part;
  part.resize(cairn::detail::file_header_bytes - sizeof(std::uint64_t));
  put_checksum(part);
  return part;
}

/// A system has as many cells as the one that wrote the snapshot: here that costs little.
inline void bound_cells(std::string& record) {
  constexpr std::size_t kind_at = 4;
  constexpr std::size_t count_at = cairn::detail::record_header_bytes + 17;
  constexpr std::uint32_t most = 4096;
  if (get_from<std::uint8_t>(record, kind_at) != 1 || record.size() < count_at + 4) return;
  const auto count = get_from<std::uint32_t>(record, count_at);
  if (count > most &&
      count <= cairn::detail::cell_table::max_slabs * cairn::detail::cell_table::slab_cells) {
    put_into(record, count_at, count % most);
  }
}

[[nodiscard]] inline std::string record_of(std::string part, const input& from) {
  constexpr std::size_t kind_at = 4;
  if (from.has(mend_kinds) || from.where == door::payloads) {
    const auto kind = static_cast<std::uint8_t>(get_from<std::uint8_t>(part, kind_at) - 1);
    put_into(part, kind_at, static_cast<std::uint8_t>(kind % 6 + 1));
  }
  if (from.where == door::payloads) bound_cells(part);
  if (!from.has(mend_frames) && from.where != door::payloads) return part;
  if (part.size() < cairn::detail::record_header_bytes) {
    part.resize(cairn::detail::record_header_bytes);
  }
  put_into(part, 0, static_cast<std::uint32_t>(part.size() - cairn::detail::record_header_bytes));
  put_into(part, cairn::detail::record_check_at, cairn::detail::record_check(view_of(part)));
  put_checksum(part);
  return part;
}

[[nodiscard]] inline std::string frame_of(std::string part, const input& from) {
  if (!from.has(mend_frames)) return part;
  constexpr std::size_t head = cairn::detail::frame_header_bytes - sizeof(std::uint64_t);
  if (part.size() < head) part.resize(head);
  std::string made = part.substr(0, head);
  put_into(made, 0, static_cast<std::uint32_t>(part.size() - head));
  put_checksum(made);
  made.append(part, head);
  put_checksum(made);
  return made;
}

/// Where a record's header has its epoch.
inline constexpr std::size_t epoch_at = 40;

/// Runs of records of the same epoch, as a segment has them.
[[nodiscard]] inline std::vector<cairn::detail::extent> extents_of(
    const std::vector<std::string>& records, std::uint64_t offset) {
  std::vector<cairn::detail::extent> made;
  std::vector<std::string> held;
  for (const auto& each : records) {
    const epoch number{get_from<std::uint64_t>(each, epoch_at)};
    if (made.empty() || made.back().number != number) {
      made.push_back({number, offset, 0, 0});
      held.emplace_back();
    }
    held.back() += each;
    made.back().length += each.size();
    offset += each.size();
  }
  for (std::size_t at = 0; at < made.size(); ++at) {
    made[at].check = cairn::detail::checksum(view_of(held[at]));
  }
  return made;
}

using files = std::map<std::string, std::string>;

/// The store of a released format, as it lies in tests/golden.
[[nodiscard]] inline const files& good_store() {
  static const files all = [] {
    files read;
    for (const auto& each :
         std::filesystem::directory_iterator{CAIRN_SOURCE_DIR "/tests/golden/format-1"}) {
      std::ifstream in{each.path(), std::ios::binary};
      read[each.path().filename().string()] = {std::istreambuf_iterator<char>{in}, {}};
    }
    return read;
  }();
  return all;
}

inline const std::string good_manifest_name = "manifest-000002";

/// What the good store's manifest says.
[[nodiscard]] inline const cairn::detail::manifest& good_manifest() {
  static const cairn::detail::manifest read = [] {
    cairn::detail::manifest made;
    const auto found = cairn::detail::scan_frames(view_of(good_store().at(good_manifest_name)),
                                                  cairn::detail::file_header_bytes);
    for (const auto& each : found.frames) made.apply(each);
    return made;
  }();
  return read;
}

[[nodiscard]] inline std::string manifest_file(const cairn::detail::manifest& state) {
  auto made = cairn::detail::file_header(cairn::detail::manifest_magic, 2);
  const auto payload = state.encode_state();
  cairn::detail::append_frame(
      made, {static_cast<std::uint32_t>(cairn::detail::edit_kind::state), 0, payload.view()});
  return text_of(made.view());
}

inline void put_segment(files& into, const input& from, std::string header,
                        const std::vector<std::string>& parts, cairn::detail::manifest state) {
  std::vector<std::string> records;
  for (const auto& each : parts) records.push_back(record_of(each, from));
  auto& segment = state.segments[1];
  segment.extents = extents_of(records, header.size());
  if (!from.has(mend_extents) && from.where != door::payloads) {
    for (auto& each : segment.extents) each.check ^= 1;
  }
  state.next_segment = 2;
  for (const auto& each : records) header += each;
  into["segment-000001"] = std::move(header);
  into[good_manifest_name] = manifest_file(state);
}

/// The golden store's snapshots, and all of their records in one segment.
[[nodiscard]] inline files segment_files(const input& from) {
  files made;
  auto state = good_manifest();
  state.segments.clear();
  std::string header;
  std::vector<std::string> rest = from.parts;
  if (!rest.empty()) {
    header = header_of(rest.front(), from.has(mend_header));
    rest.erase(rest.begin());
  }
  put_segment(made, from, std::move(header), rest, std::move(state));
  return made;
}

[[nodiscard]] inline files manifest_files(const input& from) {
  files made = good_store();
  std::string text;
  for (std::size_t at = 0; at < from.parts.size(); ++at) {
    text +=
        at == 0 ? header_of(from.parts[at], from.has(mend_header)) : frame_of(from.parts[at], from);
  }
  made[good_manifest_name] = std::move(text);
  return made;
}

inline const std::string journal_name = "j";

[[nodiscard]] inline files journal_files(const input& from) {
  files made = good_store();
  std::uint32_t number = 1;
  std::string* file = nullptr;
  for (const auto& each : from.parts) {
    if (each.empty()) {
      file = nullptr;
    } else if (file == nullptr) {
      file = &made[cairn::detail::numbered("journal-" + journal_name + "-", number++)];
      *file = header_of(each, from.has(mend_header));
    } else {
      *file += frame_of(each, from);
    }
  }
  return made;
}

/// One snapshot of the newest epoch that the records have.
[[nodiscard]] inline files payload_files(const input& from) {
  files made;
  cairn::detail::manifest state;
  std::uint64_t latest = 1;
  for (const auto& each : from.parts) {
    latest = std::max(latest, get_from<std::uint64_t>(each, epoch_at));
  }
  state.oldest = epoch{latest};
  state.snapshots[epoch{latest}].number = epoch{latest};
  put_segment(made, from,
              text_of(cairn::detail::file_header(cairn::detail::segment_magic, 1).view()),
              from.parts, std::move(state));
  return made;
}

[[nodiscard]] inline std::shared_ptr<cairn::detail::memory_disk> disk_of(const files& all) {
  auto made = std::make_shared<cairn::detail::memory_disk>();
  for (const auto& [name, text] : all)
    made->create(store_name + "/" + name)->write(0, view_of(text));
  return made;
}

[[nodiscard]] inline files files_of(cairn::detail::disk& from) {
  files made;
  for (const auto& name : from.list(store_name)) {
    made[name] = text_of(read_whole(from, store_name + "/" + name).view());
  }
  return made;
}

}  // namespace fuzz
