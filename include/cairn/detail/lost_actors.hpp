// Actors that a rollback took away, and that the root task will spawn again: they keep their ids,
// so that refs outside stay valid, and who watches them need not know.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actor_type.hpp"
#include "cell.hpp"

namespace cairn::detail {

/// Any thread.
class lost_actors {
 public:
  /// Whether there is any. Where there is none any more, what is known of the last one that has
  /// come is known: pairs with the release in note()
  [[nodiscard]] bool any() const noexcept { return any_.load(std::memory_order_acquire); }

  void add(actor_id parent, const std::string& name, const address& who, const actor_type& type) {
    const std::lock_guard lock{guard_};
    all_.emplace(std::pair{parent, name}, one{who, &type, {}});
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

  struct one {
    address who{};
    const actor_type* type = nullptr;
    std::vector<address> watchers{};  ///< since the rollback
  };

  /// A child of this name lives, `in` this epoch first. What was known of the one that is lost,
  /// where there is one.
  [[nodiscard]] std::optional<one> arrived(actor_id parent, const std::string& name, epoch in) {
    const std::lock_guard lock{guard_};
    auto found = all_.extract({parent, name});
    if (!found.empty()) arrivals_.insert_or_assign(found.mapped().who.id, in);
    note();
    if (found.empty()) return {};
    return std::move(found.mapped());
  }
  /// The first epoch whose snapshot has one that was lost and is not any more; 0: not known, which
  /// is of an epoch that is committed.
  [[nodiscard]] epoch arrival_of(actor_id who) const {
    const std::lock_guard lock{guard_};
    const auto found = arrivals_.find(who);
    return found == arrivals_.end() ? epoch{} : found->second;
  }
  /// No mail that waited for those that came in this epoch waits any more.
  void forget_arrivals(epoch committed) {
    const std::lock_guard lock{guard_};
    std::erase_if(arrivals_, [&](const auto& each) { return each.second <= committed; });
  }

  /// True: it is lost, and the watch waits with it. Only of an ephemeral actor, since no record but
  /// of such a watch says that its end is still to be told.
  [[nodiscard]] bool watch(actor_id whom, const address& watcher) {
    bool waits = false;
    change(whom, [&](one& each) {
      if (each.type->persistent) return;
      waits = true;
      if (std::ranges::find(each.watchers, watcher) == each.watchers.end()) {
        each.watchers.push_back(watcher);
      }
    });
    return waits;
  }
  void unwatch(actor_id whom, const address& watcher) {
    change(whom, [&](one& each) { std::erase(each.watchers, watcher); });
  }
  struct watch_of {
    actor_id whom{};
    address by{};
  };
  /// The watches that wait, which do so no longer.
  [[nodiscard]] std::vector<watch_of> take_watches() {
    std::vector<watch_of> taken;
    const std::lock_guard lock{guard_};
    for (auto& [name, each] : all_) {
      for (const address& by : std::exchange(each.watchers, {})) taken.push_back({each.who.id, by});
    }
    return taken;
  }

 private:
  template <class Is>
  [[nodiscard]] bool is_any(Is&& is) const {
    const std::lock_guard lock{guard_};
    return std::any_of(all_.begin(), all_.end(), [&](const auto& each) { return is(each.second); });
  }
  template <class Change>
  void change(actor_id who, Change&& change_it) {
    if (!any()) return;
    const std::lock_guard lock{guard_};
    for (auto& [name, each] : all_) {
      if (each.who.id == who) change_it(each);
    }
  }
  void note() noexcept {
    any_.store(!all_.empty(), std::memory_order_release);
  }  // pairs with any()

  mutable std::mutex guard_;
  std::map<std::pair<actor_id, std::string>, one> all_{};
  std::map<actor_id, epoch> arrivals_{};
  std::atomic<bool> any_{false};
};

}  // namespace cairn::detail
