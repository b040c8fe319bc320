// Who was resumed though the process had died of it: once a snapshot is to say so, those deaths
// count no more. Not before: the cut itself may be what is deadly.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "../ids.hpp"

namespace cairn::detail {

class pardons {
 public:
  /// Any worker.
  void note(actor_id whose, epoch in) {
    const std::lock_guard lock{guard_};
    waiting_.emplace_back(whose, in);
  }

  /// Those that this snapshot says. The writer.
  [[nodiscard]] std::vector<actor_id> take(epoch until) {
    std::vector<actor_id> found;
    const std::lock_guard lock{guard_};
    std::erase_if(waiting_, [&](const auto& each) {
      if (each.second > until) return false;
      found.push_back(each.first);
      return true;
    });
    return found;
  }

  /// In a rollback: what was not committed has not happened.
  void forget() {
    const std::lock_guard lock{guard_};
    waiting_.clear();
  }

 private:
  std::mutex guard_{};
  std::vector<std::pair<actor_id, epoch>> waiting_{};
};

}  // namespace cairn::detail
