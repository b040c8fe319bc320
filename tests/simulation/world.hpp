// What the workloads of the simulation share: planned failures, order checked at every receiver,
// and what the world outside has been given.
#pragma once

#include <any>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <cairn/testing/simulation.hpp>

namespace simulated {

/// What is outside of the process: it outlives crashes, and a dying process cannot reach it.
struct outer_world {
  cairn::detail::sim_random faults{0, ""};
  std::uint64_t one_turn_in = 0;  ///< how often a handler throws; 0: never
  bool dying = false;
  bool failed_last = false;
  bool start_failed = false;
  std::map<std::string, std::string> files{};
  std::vector<std::string> complaints{};
  std::string result{};  ///< what the root task found at its end
  /// What threads outside have told: the system's epoch after each word.
  std::map<std::uint64_t, std::vector<cairn::epoch>> said{};
  /// Of these, thread and number, what was too much for actors that a rollback has lost.
  std::set<std::pair<std::uint64_t, std::uint64_t>> given_up{};
  int sleepers = -1;                                ///< chosen by the workload's first process
  std::map<std::string, std::uint64_t> promises{};  ///< answers held until their commit, by actor
  std::vector<std::shared_ptr<void>> kept{};        ///< what threads outside may still look at
  int talking = 0;                                  ///< threads outside that have not ended
  std::map<std::uint64_t, std::uint64_t> posted{};  ///< how many, by each thread
  std::set<std::pair<std::uint64_t, std::uint64_t>> confirmed{};  ///< posts that are durable
  int strayed = 0;                                                ///< handlers, in replay
  bool auditing = false;         ///< a snapshot is looked at, nobody runs
  std::set<std::string> held{};  ///< actors that have diverged, and may not go on
  bool killed = false;           ///< a handler has killed the process
  /// What the present process sees of the disk.
  std::shared_ptr<cairn::detail::disk> disk{};
  std::chrono::microseconds began{};  ///< the latest beginning or rollback, by the wall clock
  std::any own{};                     ///< see `notes`
  /// What a thread outside does now and then. Returns the epoch after it, where it told something.
  std::function<std::optional<cairn::epoch>(const struct nudge&)> nudge{};

  /// What the workload itself remembers of what its processes did.
  template <class T>
  [[nodiscard]] T& notes() {
    if (!own.has_value()) own = T{};
    return *std::any_cast<T>(&own);
  }

  /// For an `on_start` below a supervisor that allows no restart: where it throws, it does so again
  /// when its actor is resumed.
  void may_not_start() {
    if (one_turn_in == 0 || dying) return;
    const bool again = std::exchange(start_failed, false);
    start_failed = !again && faults.one_in(one_turn_in);
    if (again || start_failed) throw std::runtime_error{"a resource that is not there"};
  }
  /// Whether a state does not serialize now.
  [[nodiscard]] bool sick() { return one_turn_in != 0 && !dying && faults.one_in(one_turn_in); }
};
inline outer_world* outside = nullptr;

/// A handler calls it where it may fail: never twice running, so that the retry goes well, and not
/// in replay, where a turn that went well goes well again.
inline void may_fail() {
  if (outside->one_turn_in == 0 || outside->dying || cairn::detail::current_turn->replaying()) {
    return;
  }
  outside->failed_last = !outside->failed_last && outside->faults.one_in(outside->one_turn_in);
  if (outside->failed_last) throw std::runtime_error{"a planned failure"};
}

/// Whether a handler does something else than the first time. Of those that may: see
/// `workload::strays`.
[[nodiscard]] inline bool strays(std::uint64_t one_time_in) {
  constexpr int most = 60;  // what strays for ever never comes to an end
  if (outside->dying || outside->auditing || !cairn::detail::current_turn->replaying())
    return false;
  return outside->strayed < most && outside->faults.one_in(one_time_in) && ++outside->strayed > 0;
}

/// In replay: whether what this turn lets out is compared by value.
[[nodiscard]] inline bool values_count() {
  const cairn::detail::turn& here = *cairn::detail::current_turn;
  cairn::detail::replay_log& log = here.self->saved->log;
  auto at = *here.replay;
  while (const auto each = log.next(at)) {
    if (each->kind == cairn::detail::log_kind::turn) return each->ticket != 0;
  }
  return false;
}

/// The process dies here: nobody sees what comes after.
inline void kill_the_process() {
  outside->killed = true;
  while (!outside->dying) cairn::detail::pause_point();
}

inline void complain(std::string what) {
  if (!outside->dying) outside->complaints.push_back(std::move(what));
}

/// What a thread outside tells some actor. Each thread numbers what it tells to anybody.
struct nudge {
  std::uint64_t thread = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(thread, number); }
};

/// By a thread outside. What it tells is in every snapshot from this epoch on.
template <class A>
cairn::epoch tell(const cairn::ref<A>& whom, const nudge& what) {
  whom.template tell<nudge>(what);
  const auto& system = static_cast<const cairn::detail::world&>(*whom.where().where->owner);
  return cairn::epoch{system.now_epoch.load(std::memory_order_seq_cst)};  // after the send's own
}

/// What one actor was told by threads outside, each of which is in order.
struct heard {
  std::map<std::uint64_t, std::vector<std::uint64_t>> by{};
  void serialize(auto& ar) { ar(by); }
  void take(const nudge& what) {
    auto& all = by[what.thread];
    if (!all.empty() && all.back() >= what.number) complain("a thread's words out of order");
    all.push_back(what.number);
  }
};

/// Numbers what one actor sends to each of the others.
struct numbering {
  std::map<int, std::uint64_t> last{};
  void serialize(auto& ar) { ar(last); }
  [[nodiscard]] std::uint64_t next(int whom) { return ++last[whom]; }
};

/// Checks that what each of the others sent came once and in order.
struct order_check {
  std::map<int, std::uint64_t> last{};
  void serialize(auto& ar) { ar(last); }
  void take(int from, std::uint64_t number, int self) {
    const auto expected = last[from] + 1;
    if (number != expected) {
      complain("actor " + std::to_string(self) + " got message " + std::to_string(number) + " of " +
               std::to_string(from) + ", not " + std::to_string(expected));
    }
    last[from] = number;
  }
  [[nodiscard]] std::uint64_t total() const {
    std::uint64_t all = 0;
    for (const auto& [from, count] : last) all += count;
    return all;
  }
};

inline cairn::supervisor_options forgiving() {
  return {.intensity = {.restarts = 1'000'000, .within = std::chrono::seconds{1}}};
}

}  // namespace simulated
