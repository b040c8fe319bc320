// `cairn::run`: a whole program.
#pragma once

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "detail/signals.hpp"
#include "system.hpp"

namespace cairn {

/// How a program ends that its root task did not end itself; the numbers of sysexits(3). A signal
/// that ended it gives 128 plus the signal's number.
namespace exit_code {
inline constexpr int damaged = 65;   ///< the store's bytes do not verify
inline constexpr int software = 70;  ///< an exception of the root task, or any other failure
inline constexpr int io = 74;        ///< the disk refused or is full; the last epoch is not there
inline constexpr int locked = 75;    ///< another process holds the store: try again later
inline constexpr int config = 78;    ///< program and store do not fit, or an option is wrong
}  // namespace exit_code

namespace detail {

[[nodiscard]] constexpr int exit_code_of(errc why) noexcept {
  switch (why) {
    case errc::damaged:
      return exit_code::damaged;
    case errc::io:
    case errc::no_space:
    case errc::write_buffer_full:
      return exit_code::io;
    case errc::locked:
      return exit_code::locked;
    case errc::unknown_type:
    case errc::newer_schema:
    case errc::misuse:
    case errc::bad_name:
    case errc::name_taken:
      return exit_code::config;
    default:
      return exit_code::software;
  }
}

inline int complain(std::string_view text, int code) noexcept {
  std::fprintf(stderr, "cairn: %.*s\n", static_cast<int>(text.size()), text.data());
  return code;
}

[[nodiscard]] inline std::string greeting(const restored_counts& from, bool restored) {
  if (!restored) return "READY=1\nSTATUS=running";
  return "READY=1\nSTATUS=running, restored " + std::to_string(from.actors) + " actors of epoch " +
         std::to_string(raw(from.from));
}

[[nodiscard]] inline int exit_code_of(const ended& how, int signal) {
  const int code = how.finished ? how.code : 128 + signal;
  if (how.committed) return code;
  const int other = how.finished && code != 0 ? code : exit_code::io;
  return complain("the last epoch was not committed: " + how.text, other);
}

}  // namespace detail

/// Runs `app` with the listed actors until it returns, or until SIGTERM or SIGINT: the first of
/// them lets `root.until_stopped()` go on, and at the latest after half of `.shutdown` a last epoch
/// is committed and the root task destroyed where it stands. A second one ends the process at once;
/// a handler or a run that is stuck has until one second after `.shutdown`.
/// SIGUSR1 prints the status on standard error. Under systemd, tells when the root task's first
/// turn has ended (READY=1), the watchdog, and that it stops.
///
/// Returns what the root task returned, 128 plus the signal's number where a signal ended it before
/// it did, or one of `exit_code`, with a line on standard error that says why.
template <class Actors>
int run(application app, options chosen = {}) {
  // While the store is awaited and read there is no status yet, and no reason to die of the
  // question.
  std::signal(SIGUSR1, SIG_IGN);
  const auto at_most = detail::bounded(chosen.shutdown) + std::chrono::seconds{1};
  try {
    system<Actors> all{std::move(chosen)};
    detail::watchman watch{{
        .stop = [&] { all.request_stop(); },
        .status = [&] { return to_text(all.status()); },
        .is_progressing = [&] { return all.inner().board().progressed(); },
        .at_most = at_most,
        .forced = exit_code::io,
    }};
    all.on_started([&] { watch.say(detail::greeting(all.restored_counts(), all.restored())); });
    all.start(std::move(app));
    all.wait_orderly();
    watch.say("STOPPING=1\nSTATUS=committing the last epoch");
    const ended how = all.stop();
    return detail::exit_code_of(how, watch.signal());
  } catch (const error& why) {
    return detail::complain(why.what(), detail::exit_code_of(why.code()));
  } catch (const std::exception& why) {
    return detail::complain(why.what(), exit_code::software);
  } catch (...) {
    return detail::complain("an exception of an unknown type", exit_code::software);
  }
}

}  // namespace cairn
