// What the store's files have in common: names, headers, and frames that show a torn end.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "buffer.hpp"
#include "disk.hpp"
#include "record.hpp"

namespace cairn::detail {

inline constexpr std::uint32_t store_format = 1;
inline constexpr std::size_t file_header_bytes = 32;
inline constexpr std::size_t frame_header_bytes = 32;
inline constexpr std::size_t frame_overhead = frame_header_bytes + sizeof(std::uint64_t);

inline constexpr std::string_view segment_magic = "cairnseg";
inline constexpr std::string_view manifest_magic = "cairnman";
inline constexpr std::string_view journal_magic = "cairnjou";

/// `segment-000001`
[[nodiscard]] inline std::string numbered(std::string_view prefix, std::uint32_t number) {
  auto digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return std::string{prefix} + digits;
}

/// The number in a name of that prefix, or nothing where it is another's name.
[[nodiscard]] inline std::optional<std::uint32_t> number_of(std::string_view name,
                                                            std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  std::uint32_t number = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool good = problem == std::errc{} && end == name.data() + name.size() && name.size() >= 6;
  return good ? std::optional{number} : std::nullopt;
}

[[noreturn]] inline void raise_damaged(const std::string& path, std::uint64_t offset,
                                       const std::string& what) {
  throw error{errc::damaged, path + ", offset " + std::to_string(offset) + ": " + what};
}

/// The first bytes of every file. This layout holds for every format to come.
[[nodiscard]] inline buffer file_header(std::string_view magic, std::uint32_t number,
                                        std::uint64_t first = 0) {
  buffer bytes;
  bytes.append(magic.data(), magic.size());
  bytes.put(store_format);
  bytes.put(number);
  bytes.put(first);
  bytes.put(checksum(bytes.view()));
  return bytes;
}

/// Verifies a file's first bytes and returns its `first`.
///
/// Errors: throws `damaged`, or `newer_schema` where a newer cairn wrote the file.
inline std::uint64_t verify_file_header(bytes_view bytes, std::string_view magic,
                                        std::uint32_t number, const std::string& path) {
  if (bytes.size() < file_header_bytes) raise_damaged(path, bytes.size(), "the file is too short");
  reader from{bytes.first(file_header_bytes)};
  const auto head = from.take(magic.size());
  const bool ours = std::equal(head.begin(), head.end(), magic.begin(),
                               [](std::byte a, char b) { return a == static_cast<std::byte>(b); });
  const auto format = from.get<std::uint32_t>();
  const auto found = from.get<std::uint32_t>();
  const auto first = from.get<std::uint64_t>();
  const bool verified = from.get<std::uint64_t>() == checksum(bytes.first(file_header_bytes - 8));
  if (!ours || !verified) raise_damaged(path, 0, "the file's header does not verify");
  if (format > store_format) {
    throw error{errc::newer_schema, path + ": written in format " + std::to_string(format) +
                                        ", this cairn reads up to " + std::to_string(store_format)};
  }
  if (found != number) raise_damaged(path, 0, "the file is number " + std::to_string(found));
  return first;
}

/// One entry of a log file.
struct frame {
  std::uint32_t kind = 0;
  std::uint64_t number = 0;
  bytes_view payload{};
  std::uint64_t durable = 0;  ///< so much of its file was durable before it was written
};

inline void append_frame(buffer& to, const frame& entry) {
  const auto begin = to.size();
  to.put(static_cast<std::uint32_t>(entry.payload.size()));
  to.put(entry.kind);
  to.put(entry.number);
  to.put(entry.durable);
  to.put(checksum(to.view_from(begin)));  // so that the length can be trusted
  to.append(entry.payload);
  to.put(checksum(to.view_from(begin)));
}

/// How a log file ends. *Torn*: as a process or a machine that dies while appending leaves it.
enum class log_end : std::uint8_t { whole, torn, damaged };

struct log_scan {
  std::vector<frame> frames{};
  log_end end = log_end::whole;
  std::size_t offset = 0;         ///< of the first byte that is not part of a good frame
  std::optional<frame> broken{};  ///< damaged and whole in length, and the last of the file
};

/// The frame header at the front of `bytes`, its payload empty, and the payload's length.
inline std::optional<std::pair<frame, std::size_t>> parse_frame_header(bytes_view bytes) {
  if (bytes.size() < frame_header_bytes) return std::nullopt;
  reader from{bytes};
  const std::size_t length = from.get<std::uint32_t>();
  frame head;
  head.kind = from.get<std::uint32_t>();
  head.number = from.get<std::uint64_t>();
  head.durable = from.get<std::uint64_t>();
  const auto stored = from.get<std::uint64_t>();
  if (stored != checksum(bytes.first(frame_header_bytes - 8))) return std::nullopt;
  return std::pair{head, length};
}

/// What a sector holds that was never written: the file grew before its blocks came.
[[nodiscard]] inline bool has_lost_sector(bytes_view file, std::size_t at, std::size_t end) {
  constexpr std::size_t sector = 512;
  while (at < end) {
    const auto next = std::min(end, at - at % sector + sector);
    const auto piece = file.subspan(at, next - at);
    const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
    if (std::all_of(piece.begin(), piece.end(), is_zero)) return true;
    at = next;
  }
  return false;
}

/// Whether what is broken at `at`, up to `end`, may be an append that a failing machine cut off.
/// Appends that were not synced may be lost in any order, so good frames may follow; each says how
/// much of the file was durable before it, and what was durable is damaged where it is not good.
[[nodiscard]] inline bool is_torn(bytes_view file, std::size_t at, std::size_t end) {
  constexpr std::size_t most = 16 * 1024 * 1024;  // not synced at once; behind it nothing is torn
  const auto rest = file.subspan(at);
  if (rest.size() < frame_header_bytes) return true;
  bool followed = false;
  std::size_t next = end - at;
  while (next + frame_header_bytes <= std::min(rest.size(), most)) {
    const auto head = parse_frame_header(rest.subspan(next));
    if (head && head->first.durable > at) return false;
    followed |= head.has_value();
    next += head ? frame_overhead + head->second : 1;  // a payload may hold what looks like a frame
  }
  return followed || (rest.size() <= most && has_lost_sector(file, at, end));
}

/// Finds the frames from `at` on, and how they end.
[[nodiscard]] inline log_scan scan_frames(bytes_view file, std::size_t at) {
  log_scan found;
  const auto broken_until = [&](std::size_t end) {
    found.end = is_torn(file, at, end) ? log_end::torn : log_end::damaged;
  };
  for (; at < file.size(); found.offset = at) {
    found.offset = at;
    const auto rest = file.subspan(at);
    const auto head = parse_frame_header(rest);
    if (!head) {
      broken_until(std::min(file.size(), at + frame_header_bytes));
      return found;
    }
    auto [entry, length] = *head;
    if (length > rest.size() - frame_header_bytes ||
        rest.size() - frame_header_bytes - length < sizeof(std::uint64_t)) {
      found.end = log_end::torn;
      return found;
    }
    entry.payload = rest.subspan(frame_header_bytes, length);
    const auto body = rest.first(frame_header_bytes + length);
    const auto whole = body.size() + sizeof(std::uint64_t);
    if (reader{rest.subspan(body.size())}.get<std::uint64_t>() != checksum(body)) {
      broken_until(at + whole);
      if (rest.size() == whole) found.broken = entry;
      return found;
    }
    found.frames.push_back(entry);
    at += whole;
  }
  found.offset = at;
  return found;
}

/// A file that this process made and appends to. Nobody appends to a file made by another process:
/// whatever a crash left at its end stays there, outside of what counts, and cannot be mixed up.
struct log_writer {
  std::unique_ptr<disk_file> file{};
  std::string path{};
  std::uint64_t end = 0;
  std::uint64_t durable = 0;  ///< bytes before the end of the last sync that went well
  std::uint64_t begun = 0;    ///< bytes that the disk has been told to begin with

  explicit operator bool() const noexcept { return file != nullptr; }

  static log_writer create(disk& where, std::string path, bytes_view header) {
    log_writer made{where.create(path), std::move(path)};
    made.append(header);
    return made;
  }
  /// In whole steps: what is written next touches nothing that is on its way.
  void append(bytes_view bytes) {
    constexpr std::uint64_t step = 1 << 20U;
    file->write(end, bytes);
    end += bytes.size();
    const std::uint64_t until = end - end % step;
    if (until > begun) file->begin_sync(std::exchange(begun, until), until);
  }
  void append(frame entry) {
    entry.durable = durable;
    buffer bytes;
    append_frame(bytes, entry);
    append(bytes.view());
  }
  void sync() {
    file->sync();
    durable = begun = end;
  }
  /// Gives a file that was made under a temporary name its own.
  void rename(disk& where, std::string to) {
    where.rename(path, to);
    path = std::move(to);
    file->renamed(path);
  }
};

}  // namespace cairn::detail
