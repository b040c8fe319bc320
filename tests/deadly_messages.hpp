// Messages that kill their process, and what they know of it.
#pragma once

#include <csignal>
#include <cstdlib>
#include <string>

namespace deadly {

inline std::string variable(const char* name) {
  const char* found = std::getenv(name);
  return found != nullptr ? found : "";
}

/// Whether this is such a process, and not the first.
inline bool is_later(const char* scenario) {
  return variable("CAIRN_DEADLY") == scenario && variable("CAIRN_RUN") != "0";
}
/// The same, and the program has not been mended.
inline bool is_early(const char* scenario) {
  return is_later(scenario) && std::stoi(variable("CAIRN_RUN")) < 3;
}

/// Ends the process without a word, as a wild pointer does; a sanitizer would say one.
inline void die() {
  std::signal(SIGSEGV, SIG_DFL);
  (void)::raise(SIGSEGV);
}

struct add {
  int value = 0;  ///< below 0: deadly
  void serialize(auto& ar) { ar(value); }
};
struct slow {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
/// Dies of being serialized in a later process.
struct heavy {
  void serialize(auto& ar);
};
/// Dies of being copied: below 0.
struct parcel {
  int value = 0;
  std::string text{};

  parcel() = default;
  explicit parcel(int given) : value{given}, text(40, 'x') {}
  parcel(const parcel& other) : value{other.value}, text{other.text} {
    if (value < 0) die();
  }
  parcel(parcel&&) = default;
  parcel& operator=(parcel&&) = default;
  void serialize(auto& ar) { ar(value, text); }
};
struct later {};
struct remind {};
struct outside {};
struct total {};

inline void heavy::serialize(auto&) {
  if (is_later("mail")) die();
}

}  // namespace deadly
