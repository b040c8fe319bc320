// The job's files: found before anything runs, and known by paths that are the same from every
// directory.
//
// Errors, of every function here: throws `cairn::error` with the file's name.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <cairn/error.hpp>

#include "report.hpp"

namespace flights {

namespace detail {

[[noreturn]] inline void refuse(std::string_view path, std::string_view why) {
  throw cairn::error{cairn::errc::io, fmt::format("{}: {}", path, why)};
}

/// What a file is that is no regular one, in the words of the operating system.
[[nodiscard]] inline std::string_view kind_of(std::filesystem::file_type type) {
  switch (type) {
    case std::filesystem::file_type::directory:
      return "Is a directory";
    case std::filesystem::file_type::fifo:
      return "Is a pipe";
    case std::filesystem::file_type::socket:
      return "Is a socket";
    case std::filesystem::file_type::block:
    case std::filesystem::file_type::character:
      return "Is a device";
    default:
      return "Is no regular file";
  }
}

/// Whether there is a file at `path`. Refuses what is not a regular one.
[[nodiscard]] inline bool is_there(const std::string& path, std::string_view verb = "open") {
  std::error_code failed;
  const auto found = std::filesystem::status(path, failed);
  if (found.type() == std::filesystem::file_type::not_found) return false;
  if (failed) refuse(path, fmt::format("cannot {}: {}", verb, failed.message()));
  if (found.type() == std::filesystem::file_type::regular) return true;
  refuse(path,
         fmt::format("cannot {}: {}; it must be a regular file", verb, kind_of(found.type())));
}

[[noreturn]] inline void refuse_folder(const std::string& path, const std::string& folder,
                                       std::error_code why) {
  refuse(path, fmt::format("cannot make a file in {}: {}", folder, why.message()));
}

}  // namespace detail

[[nodiscard]] inline std::string input_path(const std::string& given) {
  (void)detail::is_there(given, "read");
  std::error_code failed;
  const auto path = std::filesystem::canonical(given, failed);
  if (failed) detail::refuse(given, "cannot open: " + failed.message());
  return path.string();
}

/// Where an output is, or is to be made.
[[nodiscard]] inline std::string output_path(const std::string& given) {
  std::error_code failed;
  std::filesystem::path path{given};
  if (detail::is_there(given)) {
    path = std::filesystem::canonical(path, failed);
    if (failed) detail::refuse(given, "cannot open: " + failed.message());
    return path.string();
  }
  if (!path.has_filename()) detail::refuse(given, "cannot open: this is not a file's name");
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(path, failed))) {
    detail::refuse(given, "cannot open: it is a symbolic link to a file that is not there");
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  const auto found = std::filesystem::canonical(folder, failed);
  if (failed) detail::refuse_folder(given, folder.string(), failed);
  return (found / path.filename()).string();
}

[[nodiscard]] inline std::string store_path(const std::string& given) {
  std::error_code failed;
  const auto found = std::filesystem::status(given, failed);
  if (std::filesystem::exists(found) && !std::filesystem::is_directory(found)) {
    detail::refuse(given, "cannot be the store: Not a directory");
  }
  auto path = std::filesystem::weakly_canonical(std::filesystem::absolute(given), failed);
  if (failed) detail::refuse(given, "cannot be the store: " + failed.message());
  return path.has_filename() ? path.string() : path.parent_path().string();
}

struct files {
  std::string input{};
  std::string store{};
  std::string report{};
  std::string alerts{};
};

/// Two names for one file, or an output among the store's; empty where all is well.
[[nodiscard]] inline std::string clash(const files& of) {
  const std::array<std::pair<std::string_view, std::string>, 5> all{{
      {"INPUT", of.input},
      {"--alerts", of.alerts},
      {"--report", of.report},
      {"the file that the report is first written to", first_report(of.report)},
      {"--store", of.store},
  }};
  for (auto one = all.begin(); one != all.end(); ++one) {
    for (auto other = std::next(one); other != all.end(); ++other) {
      std::error_code failed;  // where one of them is not there they differ
      if (one->second != other->second &&
          !std::filesystem::equivalent(one->second, other->second, failed)) {
        continue;
      }
      return fmt::format("{} and {} are the same file: {}", one->first, other->first, one->second);
    }
    if (one->second.starts_with(of.store + "/")) {
      return fmt::format("{} lies in the store, which nothing else may write to: {}", one->first,
                         one->second);
    }
  }
  return {};
}

namespace detail {

/// Makes a file beside `path`, and removes it: permissions alone do not say whether that is so.
inline void require_writable_folder(const std::string& path) {
  const auto folder = path.substr(0, path.find_last_of('/') + 1);
  std::string probe = folder + ".flights-XXXXXX";
  const int made = ::mkostemp(probe.data(), O_CLOEXEC);
  if (made < 0) refuse_folder(path, folder, {errno, std::generic_category()});
  ::close(made);
  ::unlink(probe.c_str());
}

}  // namespace detail

/// Leaves everything as it is.
inline void require_writable(const files& of) {
  detail::require_writable_folder(of.report);  // where it is written anew and renamed
  (void)detail::is_there(first_report(of.report));
  if (!detail::is_there(of.alerts)) return detail::require_writable_folder(of.alerts);
  const int file = ::open(of.alerts.c_str(), O_WRONLY | O_CLOEXEC);
  detail::require(file >= 0, "cannot open", of.alerts);
  ::close(file);
}

}  // namespace flights
