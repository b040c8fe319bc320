// Messages that fail, or stop their actor, because a simulation has been told so. Nothing in the
// library knows of it: the types of the simulated program get functions that do it after those of
// the actor.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../../detail/world.hpp"
#include "../faults.hpp"
#include "planned_failures.hpp"

namespace cairn::detail {

class actor_faults;

/// Those of the simulation that this thread steps.
inline constinit thread_local actor_faults* current_actor_faults = nullptr;

/// Counts what each actor handles over all processes of a simulation, tries included.
class actor_faults {
 public:
  explicit actor_faults(std::vector<testing::actor_fault> planned) : planned_{std::move(planned)} {}

  /// Before a system has these types.
  void take_over(registry& types) {
    if (planned_.empty()) return;
    own_.clear();
    for (auto& [hash, type] : types.actors) {
      own_[hash] = type.handlers;
      for (auto& each : type.handlers) {
        if (each.begin != nullptr) each.begin = &begin;
      }
    }
  }

 private:
  static void begin(cell& self, turn& here, envelope& message) {
    actor_faults& all = *current_actor_faults;
    all.own_.at(self.type->hash)[message.index].begin(self, here, message);
    if (!here.replaying()) all.after(self, here);
  }

  void after(const cell& self, turn& here) {
    const std::uint64_t now = ++handled_[self.name];
    for (const testing::actor_fault& each : planned_) {
      if (each.name != self.name || each.message != now) continue;
      if (each.what == testing::turn_fault::throws) throw testing::planned_failure{};
      here.also().stop = true;
      here.also().stop_reason = "the simulation stops it";
    }
  }

  std::vector<testing::actor_fault> planned_;
  std::unordered_map<std::uint64_t, std::vector<handler>> own_{};  ///< by the hash of the type
  std::unordered_map<std::string, std::uint64_t> handled_{};
};

}  // namespace cairn::detail
