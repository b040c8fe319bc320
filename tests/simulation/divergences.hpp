// What must come of a replay that diverges: the actor goes no further, and the system back to its
// latest snapshot, once; what diverges again, or fails, waits for the program.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "world.hpp"

namespace simulated {

/// Of the events of one process after the other.
class divergences {
 public:
  void begin() {
    outside->held.clear();
    owed_.clear();
    back_to_.reset();
  }

  /// The root task has ended, and nobody would begin anew.
  void end() { owed_.clear(); }

  /// Whether the actor wants the system to go back, unless it has done so.
  [[nodiscard]] static bool goes_back(const cairn::event& what) {
    return what.kind == cairn::event_kind::diverged ||
           (what.kind == cairn::event_kind::suspended &&
            what.text.starts_with("the system rolls back"));
  }

  /// `owes`: it has to go back.
  void take(const cairn::event& what, bool owes) {
    if (owed_.empty() && owes) owe(what.name);
    switch (what.kind) {
      case cairn::event_kind::diverged:
        outside->held.insert(what.name);
        if (what.text.find("at position") != 0) complain("a divergence does not say where");
        break;
      case cairn::event_kind::suspended:
        if (what.text.starts_with("replay failed at position")) outside->held.insert(what.name);
        break;
      case cairn::event_kind::resumed:
        outside->held.erase(what.name);
        break;
      case cairn::event_kind::committed:
        // One epoch may have been open.
        if (!owed_.empty() && ++commits_ > 1) {
          complain("for " + owed_ + " the system has to go back, and does not");
        }
        break;
      case cairn::event_kind::rolled_back:
        if (back_to_ == what.at && is_for_an_actor(what.text)) {
          complain("the system goes back again, and nothing was committed since");
        }
        back_to_ = what.at;
        outside->held.clear();
        owed_.clear();
        break;
      default:
        break;
    }
  }

 private:
  [[nodiscard]] static bool is_for_an_actor(const std::string& why) {
    return why.find(" diverged: ") != why.npos || why.find(" failed: ") != why.npos;
  }
  void owe(const std::string& name) {
    owed_ = name;
    commits_ = 0;
  }

  std::string owed_{};  ///< for whom the system has to go back
  int commits_ = 0;     ///< since then
  std::optional<cairn::epoch> back_to_{};
};

/// A handler of such an actor calls it.
inline void may_go_on(std::string_view name) {
  if (!outside->dying && outside->held.contains(std::string{name})) {
    complain(std::string{name} + " has diverged, and goes on");
  }
}

}  // namespace simulated
