// What a program may set about its system.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "clock.hpp"
#include "epoch.hpp"
#include "event.hpp"
#include "other_version.hpp"
#include "scheduler.hpp"
#include "store.hpp"

namespace cairn {

struct options {
  any_store store{};  ///< none: a memory_store of the system's own
  epoch_policy epoch{};
  unsigned workers = 0;            ///< 0: as many as the machine has processors
  unsigned run_threads = 4;        ///< for functions of `self.run`, 1 to 1024
  any_executor executor{};         ///< the caller's; none: threads of the system's own
  scheduler_factory schedulers{};  ///< who steps what; none: threads, and `executor` for workers
  std::chrono::nanoseconds ask_timeout = std::chrono::seconds{5};
  std::chrono::milliseconds lock_wait{0};  ///< how long to wait for the store's holder at start
  std::chrono::milliseconds rest = std::chrono::seconds{5};       ///< for handlers to end before a
                                                                  ///< snapshot at rest
  std::chrono::milliseconds shutdown = std::chrono::seconds{30};  ///< for an orderly end
  std::chrono::milliseconds rollback = std::chrono::seconds{30};  ///< for functions of `self.run`
                                                                  ///< to end before a rollback
  std::chrono::nanoseconds slow_turn = std::chrono::milliseconds{100};  ///< told of; 0: never
  std::chrono::nanoseconds stuck_turn = std::chrono::seconds{10};  ///< told of while it lasts; 0:
                                                                   ///< never
  std::size_t max_history = 16 * 1024 * 1024;  ///< bytes that one suspended handler may be handed
  std::size_t max_retained = 1'048'576;  ///< messages from outside that each worker keeps for a
                                         ///< rollback; then an epoch comes, and senders wait
  double audit = 0;  ///< share of the actors whose handlers are run again: docs/determinism.md
  std::size_t dead_letters = 1000;              ///< kept at most; then the oldest goes. 0: none
  bool accept_older = false;                    ///< the operator's word, see docs/format.md
  std::optional<cairn::epoch> as_of{};          ///< an older retained snapshot to begin from
  std::string program_version{};                ///< suspended handlers go on in the same one only
  version_handler other_version{};              ///< of a suspended handler; none: refuse
  event_handler on_event{};                     ///< none: warnings on standard error
  event_level least_event{};                    ///< below it nothing is told, nor made
  std::unique_ptr<const cairn::clock> clock{};  ///< none: the machine's
  std::optional<std::uint64_t> seed{};          ///< of `self.random()`; none: from the machine
};

}  // namespace cairn
