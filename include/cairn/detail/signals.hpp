// A running program and the world around it: signals, the service manager, an operator.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include "systemd.hpp"

namespace cairn::detail {

/// Listens as long as it lives, on a thread of its own.
class watchman {
 public:
  struct calls {
    std::function<void()> stop{};            ///< on the first SIGTERM or SIGINT
    std::function<std::string()> status{};   ///< on SIGUSR1, for standard error
    std::function<bool()> is_progressing{};  ///< before the watchdog is told
    std::chrono::nanoseconds at_most{};      ///< from `stop` until the process leaves by force
    int forced = 0;                          ///< its exit code then
  };

  explicit watchman(calls to) : to_{std::move(to)}, manager_{notifier::named_socket()} {
    wait_for_end();
    wait_for_look();
    pulse_every_ = manager_.is_wanted() ? watchdog_interval(std::getenv("WATCHDOG_USEC"),
                                                            std::getenv("WATCHDOG_PID"))
                                        : std::chrono::microseconds{0};
    if (pulse_every_.count() != 0) pulse();
    thread_ = std::thread{[this] { io_.run(); }};
  }
  watchman(const watchman&) = delete;
  watchman& operator=(const watchman&) = delete;
  ~watchman() {
    io_.stop();
    thread_.join();
  }

  /// Any thread.
  void say(std::string_view lines) const noexcept { manager_.send(lines); }

  /// The signal that asked for the end, 0: none did.
  [[nodiscard]] int signal() const noexcept {
    return signal_.load(std::memory_order_acquire);  // pairs with the store in wait_for_end()
  }

 private:
  void wait_for_end() {
    end_.async_wait([this](const asio::error_code& failed, int number) {
      if (failed) return;
      if (signal() != 0) std::_Exit(128 + number);       // the second one: at once, nothing unwound
      signal_.store(number, std::memory_order_release);  // pairs with the load in signal()
      wait_for_end();
      to_.stop();
      leave_by_force();
    });
  }
  /// A handler or a run that is stuck holds a thread that the end waits for: it would never come.
  void leave_by_force() {
    force_.expires_after(to_.at_most);
    force_.async_wait([this](const asio::error_code& failed) {
      if (failed) return;
      std::fputs("cairn: a handler or a run did not end within the deadline; leaving without it\n",
                 stderr);
      std::_Exit(to_.forced);
    });
  }
  void wait_for_look() {
    look_.async_wait([this](const asio::error_code& failed, int) {
      if (failed) return;
      const std::string text = to_.status();
      (void)std::fwrite(text.data(), 1, text.size(), stderr);
      wait_for_look();
    });
  }
  /// A service whose workers are stuck says nothing, and is then restarted by its manager.
  void pulse() {
    timer_.expires_after(pulse_every_);
    timer_.async_wait([this](const asio::error_code& failed) {
      if (failed) return;
      if (to_.is_progressing()) manager_.send("WATCHDOG=1");
      pulse();
    });
  }

  const calls to_;
  const notifier manager_;
  asio::io_context io_{1};
  asio::signal_set end_{io_, SIGTERM, SIGINT};
  asio::signal_set look_{io_, SIGUSR1};
  asio::steady_timer timer_{io_};
  asio::steady_timer force_{io_};
  std::chrono::microseconds pulse_every_{};
  std::atomic<int> signal_{0};
  std::thread thread_;
};

}  // namespace cairn::detail
