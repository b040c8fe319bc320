// Actors that a rollback took away, and that the root task will spawn again: they keep their ids,
// so that refs outside stay valid, and who watches them need not know.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
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
  /// Differs once somebody has come or gone. Who has found one not lost sees what that one's coming
  /// made of it: relaxed, for it is changed under the lock.
  [[nodiscard]] std::uint64_t changes() const noexcept {
    return changes_.load(std::memory_order_relaxed);
  }

  void add(actor_id parent, const std::string& name, const address& who, const actor_type& type) {
    const std::lock_guard lock{guard_};
    const auto [made, is_new] = all_.emplace(std::pair{parent, name}, one{who, &type, {}});
    if (is_new) {
      ids_[who.id] = &made->second;
      ++cells_[who.where];
    }
    note();
  }
  /// `there(address)`: it is not lost.
  template <class There>
  void forget_if(There&& there) {
    const std::lock_guard lock{guard_};
    std::erase_if(all_, [&](const auto& each) {
      if (!there(each.second.who)) return false;
      leave(each.second.who);
      return true;
    });
    note();
  }
  [[nodiscard]] bool lived_in(const cell& where) const {
    if (!any()) return false;
    const std::lock_guard lock{guard_};
    return cells_.contains(&where);
  }
  [[nodiscard]] bool is_lost(actor_id who) const {
    if (!any()) return false;
    const std::lock_guard lock{guard_};
    return ids_.contains(who);
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
    if (found.empty()) return {};
    const address& who = found.mapped().who;
    leave(who);
    arrivals_.insert_or_assign(who.id, in);
    note();
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
  template <class Change>
  void change(actor_id who, Change&& change_it) {
    if (!any()) return;
    const std::lock_guard lock{guard_};
    if (const auto found = ids_.find(who); found != ids_.end()) change_it(*found->second);
  }
  void leave(const address& who) {
    ids_.erase(who.id);
    if (const auto found = cells_.find(who.where); --found->second == 0) cells_.erase(found);
  }
  void note() noexcept {
    changes_.fetch_add(1, std::memory_order_relaxed);      // see changes()
    any_.store(!all_.empty(), std::memory_order_release);  // pairs with any()
  }

  mutable std::mutex guard_;
  std::map<std::pair<actor_id, std::string>, one> all_{};
  std::unordered_map<actor_id, one*> ids_{};
  std::unordered_map<const cell*, std::size_t> cells_{};  ///< how many lived in each
  std::unordered_map<actor_id, epoch> arrivals_{};
  std::atomic<std::uint64_t> changes_{0};
  std::atomic<bool> any_{false};
};

}  // namespace cairn::detail
