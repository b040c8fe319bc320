// How the tool answers. Standard output has results alone, and whole: what cannot be written there
// is an error.
#pragma once

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <cairn/error.hpp>
#include <nlohmann/json.hpp>

namespace cairn_store {

using nlohmann::json;

/// Names and what exceptions say are any bytes, JSON is UTF-8: what is none becomes U+FFFD.
inline std::string text_of(const json& one, int indent = -1) {
  return one.dump(indent, ' ', false, json::error_handler_t::replace);
}

/// For people: a line stays a line whatever a name holds, its control bytes become `\x0a` and such.
inline std::string line_of(std::string_view text) {
  std::string line;
  for (const char each : text) {
    const auto code = static_cast<unsigned char>(each);
    if (code < 0x20 || code == 0x7f) {
      line += fmt::format("\\x{:02x}", code);
    } else {
      line += each;
    }
  }
  return line;
}

[[noreturn]] inline void raise_output() {
  throw cairn::error{cairn::errc::io, std::string{"standard output: "} + std::strerror(errno)};
}

/// One result.
///
/// Errors: throws `errc::io`.
inline void put(std::string text) {
  text += '\n';
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) raise_output();
}
template <class... Args>
void put_line(fmt::format_string<Args...> how, Args&&... args) {
  put(line_of(fmt::format(how, std::forward<Args>(args)...)));
}

/// What stands in the buffer is written: an export that is not there must not look like one.
///
/// Errors: throws `errc::io`.
inline void flush() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) raise_output();
}

/// On standard error. Where that cannot be written nobody can be told.
inline void tell(std::string line) {
  line += '\n';
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

/// A file of the store that took the place of a standard stream that is closed would be written to.
inline void hold_standard_streams() {
  for (int each = 0; each < 3; ++each) {
    if (::fcntl(each, F_GETFD) == -1) (void)::open("/dev/null", O_RDONLY);
  }
}

}  // namespace cairn_store
