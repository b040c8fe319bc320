// Actors that a rollback took away, and that the root task will spawn again: they keep their ids,
// so that refs outside stay valid.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "cell.hpp"

namespace cairn::detail {

/// Any thread.
class lost_actors {
 public:
  /// Whether there is any. Relaxed: set while no worker runs, which the stages order.
  [[nodiscard]] bool any() const noexcept { return any_.load(std::memory_order_relaxed); }

  void clear() {
    const std::lock_guard lock{guard_};
    all_.clear();
    note();
  }
  void add(actor_id parent, const std::string& name, const address& who, const actor_type& type) {
    const std::lock_guard lock{guard_};
    all_.emplace(std::pair{parent, name}, one{who, &type});
    note();
  }
  /// `there(address)`: it is not lost.
  template <class There>
  void forget_if(There&& there) {
    const std::lock_guard lock{guard_};
    std::erase_if(all_, [&](const auto& each) { return there(each.second.who); });
    note();
  }
  [[nodiscard]] bool lived_in(const cell& where) const {
    return any() && is_any([&](const one& each) { return each.who.where == &where; });
  }
  [[nodiscard]] bool is_lost(actor_id who) const {
    return any() && is_any([&](const one& each) { return each.who.id == who; });
  }

  /// Where the child of this name lived, and its id; nobody where another type is wanted.
  [[nodiscard]] std::optional<address> find(actor_id parent, const std::string& name,
                                            const actor_type& type) const {
    const std::lock_guard lock{guard_};
    const auto found = all_.find({parent, name});
    if (found == all_.end() || found->second.type != &type) return {};
    return found->second.who;
  }
  /// It lives. True: it was one of them.
  bool arrived(actor_id parent, const std::string& name) {
    const std::lock_guard lock{guard_};
    const bool was = all_.erase({parent, name}) != 0;
    note();
    return was;
  }

 private:
  struct one {
    address who{};
    const actor_type* type = nullptr;
  };

  template <class Is>
  [[nodiscard]] bool is_any(Is&& is) const {
    const std::lock_guard lock{guard_};
    return std::any_of(all_.begin(), all_.end(), [&](const auto& each) { return is(each.second); });
  }
  void note() noexcept { any_.store(!all_.empty(), std::memory_order_relaxed); }  // see any()

  mutable std::mutex guard_;
  std::map<std::pair<actor_id, std::string>, one> all_{};
  std::atomic<bool> any_{false};
};

}  // namespace cairn::detail
