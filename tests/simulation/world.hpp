// What the workloads of the simulation share: planned failures, order checked at every receiver,
// and what the world outside has been given.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
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
  std::map<std::string, std::string> files{};
  std::vector<std::string> complaints{};
  std::string result{};           ///< what the root task found at its end
  std::function<void()> nudge{};  ///< what a thread outside does now and then
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

inline void complain(std::string what) {
  if (!outside->dying) outside->complaints.push_back(std::move(what));
}

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
