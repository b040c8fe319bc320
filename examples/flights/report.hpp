// The report: written whole, or not at all.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

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

inline void require(bool good, const std::string& path) {
  if (!good) throw std::system_error{errno, std::generic_category(), path};
}

inline void sync(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(file >= 0, path);
  const bool synced = ::fsync(file) == 0;
  ::close(file);
  require(synced, path);
}

}  // namespace detail

/// Writes beside `path` and renames: whoever looks finds the whole report or the one before.
inline void write_report(std::string path, rows by_airport) {
  const std::string beside = path + ".new";
  const std::string text = report_text(by_airport);
  {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(beside.c_str(), "wbe"),
                                                               &std::fclose};
    detail::require(file != nullptr, beside);
    detail::require(std::fwrite(text.data(), 1, text.size(), file.get()) == text.size(), beside);
    detail::require(std::fflush(file.get()) == 0, beside);
  }
  detail::sync(beside);
  detail::require(std::rename(beside.c_str(), path.c_str()) == 0, path);
  const auto slash = path.find_last_of('/');
  detail::sync(slash == path.npos ? "." : path.substr(0, slash + 1));
}

}  // namespace flights
