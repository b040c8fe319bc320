// What systemd wants to know of a service: one datagram at a time, no library (sd_notify(3)).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace cairn::detail {

/// Sends to the socket that the service manager named. Without one it does nothing.
///
/// Thread safety: any thread; a datagram is sent as a whole.
class notifier {
 public:
  notifier() = default;
  /// A path, or '@' and a name in the abstract namespace.
  explicit notifier(const std::string& socket_name) {
    if (socket_name.size() < 2 || socket_name.size() >= sizeof to_.sun_path) return;
    if (socket_name[0] != '/' && socket_name[0] != '@') return;
    to_.sun_family = AF_UNIX;
    std::memcpy(to_.sun_path, socket_name.data(), socket_name.size());
    if (socket_name[0] == '@') to_.sun_path[0] = '\0';
    // A name is as long as the address says; a path's terminating zero does not count either.
    length_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_name.size());
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  }
  notifier(const notifier&) = delete;
  notifier& operator=(const notifier&) = delete;
  ~notifier() {
    if (socket_ >= 0) ::close(socket_);
  }

  /// From NOTIFY_SOCKET.
  [[nodiscard]] static std::string named_socket() {
    const char* name = std::getenv("NOTIFY_SOCKET");
    return name != nullptr ? name : "";
  }

  [[nodiscard]] bool is_wanted() const noexcept { return socket_ >= 0; }

  /// Lines such as "READY=1". Never waits: what the manager has no room for is lost.
  bool send(std::string_view lines) const noexcept {
    if (socket_ < 0) return false;
    const auto sent = ::sendto(socket_, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                               reinterpret_cast<const sockaddr*>(&to_), length_);
    return sent == static_cast<ssize_t>(lines.size());
  }

 private:
  sockaddr_un to_{};
  socklen_t length_ = 0;
  int socket_ = -1;
};

/// How often the watchdog is to be told, half of what WATCHDOG_USEC allows; 0: it is not on, or
/// meant for another process (sd_watchdog_enabled(3)).
[[nodiscard]] inline std::chrono::microseconds watchdog_interval(const char* allowed,
                                                                 const char* process) {
  if (allowed == nullptr || *allowed < '0' || *allowed > '9') return {};
  if (process != nullptr && std::strtoll(process, nullptr, 10) != ::getpid()) return {};
  char* end = nullptr;
  const std::int64_t whole = std::strtoll(allowed, &end, 10);
  if (*end != '\0' || whole < 2) return {};
  return std::chrono::microseconds{whole / 2};
}

}  // namespace cairn::detail
