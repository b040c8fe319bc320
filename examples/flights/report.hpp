// The report: written whole, or not at all.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <cairn/error.hpp>

#include "actors.hpp"

namespace flights {

using rows = std::vector<std::pair<std::string, figures>>;

[[nodiscard]] inline std::string report_text(const rows& by_airport) {
  std::string text{report_header};
  for (const auto& [airport, all] : by_airport) {
    text += fmt::format("{},{},{},{},{}\n", airport, all.departures, all.arrivals, all.delay_sum,
                        all.delay_max);
  }
  return text;
}

namespace detail {

inline void require(bool good, std::string_view what, const std::string& path) {
  if (good) return;
  throw cairn::error{cairn::errc::io,
                     fmt::format("{}: {}: {}", path, what, std::generic_category().message(errno))};
}

inline void sync(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(file >= 0, "cannot open", path);
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  require(synced, "cannot sync", path);
}

}  // namespace detail

/// Where the report is written before it is renamed.
[[nodiscard]] inline std::string first_report(const std::string& path) { return path + ".new"; }

/// Writes beside `path` and renames: whoever looks finds the whole report or the one before.
///
/// Precondition: `path` is absolute. Errors: throws `cairn::error` with the file's name.
inline void write_report(const std::string& path, const rows& by_airport) {
  const std::string first = first_report(path);
  const std::string text = report_text(by_airport);
  {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(first.c_str(), "wbe"),
                                                               &std::fclose};
    detail::require(file != nullptr, "cannot open", first);
    const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                         std::fflush(file.get()) == 0;
    detail::require(written, "cannot write", first);
  }
  detail::sync(first);
  detail::require(std::rename(first.c_str(), path.c_str()) == 0, "cannot replace", path);
  detail::sync(path.substr(0, path.find_last_of('/') + 1));
}

/// The same as a value: empty, or why it could not be done.
inline std::string try_report(std::string path, rows by_airport) {
  try {
    write_report(path, by_airport);
    return {};
  } catch (const cairn::error& why) {
    return why.what();
  }
}

}  // namespace flights
