// Which records stand in which snapshot: the rules of liveness, shared by every store.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../ids.hpp"
#include "huge_pages.hpp"
#include "record.hpp"

namespace cairn::detail {

/// Where a record lies.
struct location {
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;  ///< of the whole record

  friend auto operator<=>(const location&, const location&) = default;
};

/// One record that the index knows. A *remainder* tells that dead records of the actor lie in a
/// segment: they would rise again if the actor's tombstone were dropped before that segment.
struct index_item {
  cairn::epoch epoch{};
  std::uint64_t place = 0;  ///< of an actor record: its floor
  location at{};
  record_kind kind{};

  static constexpr record_kind remainder{};

  /// Order: kind, then key, then age. It is also the order in which records are read.
  [[nodiscard]] auto key() const { return std::pair{kind, kind == record_kind::actor ? 0 : place}; }
  friend bool operator<(const index_item& a, const index_item& b) {
    return std::tuple{a.key(), a.epoch, a.at.segment, a.at.offset} <
           std::tuple{b.key(), b.epoch, b.at.segment, b.at.offset};
  }
};

static_assert(sizeof(index_item) == 32);

/// The records of all snapshots that are retained. Floors of an actor never fall.
///
/// Cost: about 110 bytes for an actor with one record.
class store_index {
 public:
  using items = std::pmr::vector<index_item>;
  using alive_fn = std::function<bool(std::uint32_t)>;

  void clear() {
    common_.clear();
    kept_ = std::make_unique<pooled>();
    live_.clear();
    live_total_ = 0;
  }

  void add(const record_header& header, location at) {
    auto& list = list_of(header);
    list.push_back({header.epoch, place_of(header), at, header.kind});
    live_[at.segment] += at.length;
    live_total_ += at.length;
  }

  /// Whether the record at `at` is one that stands somewhere.
  [[nodiscard]] bool knows(const record_header& header, location at) const {
    const auto* list = find(header);
    return list && std::any_of(list->begin(), list->end(), [&](const index_item& item) {
             return item.at == at && item.kind != index_item::remainder;
           });
  }

  /// Whether a tombstone in `segment` still keeps dead records of its actor down.
  [[nodiscard]] bool needed(const record_header& gone, std::uint32_t segment,
                            const alive_fn& alive) const {
    const auto* list = find(gone);
    return list && holds_down(*list, segment, alive);
  }

  /// The record now lies at `to`; what is left at `from` is a remainder.
  void relocate(const record_header& header, location from, location to, const alive_fn& alive) {
    auto& list = list_of(header);
    const auto item = std::find_if(list.begin(), list.end(), [&](const index_item& i) {
      return i.at == from && i.kind != index_item::remainder;
    });
    if (item == list.end()) return;
    count(from, false);
    count(to, true);
    item->at = to;
    if (is_common(header)) return;
    const index_item left{header.epoch, 0, {from.segment, 0, 0}, index_item::remainder};
    const auto spare = std::find_if(list.begin(), list.end(), [&](const index_item& i) {
      return i.kind == index_item::remainder &&
             (i.at.segment == from.segment || !alive(i.at.segment));
    });
    if (spare != list.end()) {
      *spare = left;
    } else {
      list.push_back(left);
    }
  }

  /// Drops a tombstone that is no longer needed.
  void forget(const record_header& gone, location at) {
    const auto found = kept_->actors.find(gone.actor);
    if (found == kept_->actors.end()) return;
    const auto dropped = std::erase_if(found->second, [&](const index_item& item) {
      return item.at == at && item.kind == record_kind::gone;
    });
    if (dropped != 0) count(at, false);
    if (found->second.empty()) kept_->actors.erase(found);
  }

  /// Drops what stands in none of `snapshots`, of one actor.
  void prune(actor_id actor, std::span<const epoch> snapshots, const alive_fn& alive) {
    const auto found = kept_->actors.find(actor);
    if (found != kept_->actors.end() && prune(found->second, snapshots, alive))
      kept_->actors.erase(found);
  }
  /// The same of the records that belong to no actor.
  void prune_common(std::span<const epoch> snapshots, const alive_fn& alive) {
    prune(common_, snapshots, alive);
  }
  /// The same of all.
  void prune_all(std::span<const epoch> snapshots, const alive_fn& alive) {
    prune_common(snapshots, alive);
    for (auto it = kept_->actors.begin(); it != kept_->actors.end();) {
      it = prune(it->second, snapshots, alive) ? kept_->actors.erase(it) : std::next(it);
    }
  }

  /// Actors that have more than one record: those that have something to prune later.
  [[nodiscard]] std::vector<actor_id> with_several() const {
    std::vector<actor_id> found;
    for (const auto& [actor, list] : kept_->actors) {
      if (list.size() > 1) found.push_back(actor);
    }
    return found;
  }

  /// Visits where the records lie that stand in `n`, in the order of reading; actors in the order
  /// in which they lie on the disk.
  template <class Visit>
  void each_standing(epoch n, Visit visit) {
    std::vector<char> stands;
    const auto each = [&](items& list) {
      if (is_one(list)) {
        if (list[0].epoch <= n) visit(list[0]);
        return;
      }
      std::sort(list.begin(), list.end());
      stands.assign(list.size(), 0);
      mark(list, n, stands);
      for (std::size_t i = 0; i < list.size(); ++i) {
        if (stands[i] && list[i].kind != record_kind::gone) visit(list[i]);
      }
    };
    each(common_);
    // By place, then by actor: never by address, so that every run reads in the same order.
    std::vector<std::tuple<std::uint64_t, actor_id, items*>> order;
    order.reserve(kept_->actors.size());
    for (auto& [actor, list] : kept_->actors) {
      const auto at = list.front().at;
      order.emplace_back((std::uint64_t{at.segment} << 32) | at.offset, actor, &list);
    }
    std::sort(order.begin(), order.end());
    for (const auto& [where, actor, list] : order) each(*list);
  }

  [[nodiscard]] std::uint64_t live_bytes() const noexcept { return live_total_; }
  [[nodiscard]] std::uint64_t live_bytes(std::uint32_t segment) const {
    const auto found = live_.find(segment);
    return found == live_.end() ? 0 : found->second;
  }
  [[nodiscard]] std::size_t size() const {
    auto entries = common_.size();
    for (const auto& [actor, list] : kept_->actors) entries += list.size();
    return entries;
  }
  void forget_segment(std::uint32_t segment) { live_.erase(segment); }

 private:
  static bool is_common(const record_header& header) {
    return header.kind == record_kind::meta || header.kind == record_kind::name;
  }
  static std::uint64_t place_of(const record_header& header) {
    switch (header.kind) {
      case record_kind::actor:
        return header.floor;
      case record_kind::meta:
      case record_kind::gone:
        return 0;
      default:
        return header.place;
    }
  }
  items& list_of(const record_header& header) {
    return is_common(header) ? common_ : kept_->actors[header.actor];
  }
  const items* find(const record_header& header) const {
    if (is_common(header)) return &common_;
    const auto found = kept_->actors.find(header.actor);
    return found == kept_->actors.end() ? nullptr : &found->second;
  }

  /// Most actors have one record, which stands from its epoch on.
  static bool is_one(const items& list) {
    return list.size() == 1 && list[0].kind >= record_kind::actor &&
           list[0].kind != record_kind::gone;
  }

  void count(location at, bool more) {
    auto& live = live_[at.segment];
    live = more ? live + at.length : live - at.length;
    live_total_ = more ? live_total_ + at.length : live_total_ - at.length;
  }

  static bool holds_down(const items& list, std::uint32_t segment, const alive_fn& alive) {
    return std::any_of(list.begin(), list.end(), [&](const index_item& item) {
      if (item.kind == record_kind::gone) return false;
      if (item.kind != index_item::remainder) return true;
      return item.at.segment != segment && alive(item.at.segment);
    });
  }

  /// Marks what stands in `n`. Precondition: `list` is sorted.
  static void mark(const items& list, epoch n, std::vector<char>& stands) {
    const index_item* gone = nullptr;
    const index_item* base = nullptr;
    const auto after_gone = [&](const index_item& i) { return !gone || i.epoch > gone->epoch; };
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].kind != record_kind::gone || list[i].epoch > n) continue;
      gone = &list[i];  // tombstones come last and in order: the newest stays
    }
    if (gone) stands[static_cast<std::size_t>(gone - list.data())] = 1;
    for (std::size_t i = 0; i < list.size();) {
      const auto key = list[i].key();
      const index_item* newest = nullptr;
      for (; i < list.size() && list[i].key() == key; ++i) {
        if (list[i].epoch <= n && after_gone(list[i])) newest = &list[i];
      }
      if (!newest || key.first == index_item::remainder || key.first == record_kind::gone) continue;
      if (newest->kind == record_kind::actor) base = newest;  // sorted before mail and replies
      const bool dead =
          base && ((newest->kind == record_kind::mail && newest->place <= base->place) ||
                   (newest->kind == record_kind::reply && newest->epoch < base->epoch));
      if (!dead) stands[static_cast<std::size_t>(newest - list.data())] = 1;
    }
  }

  /// Returns whether nothing of it is left.
  bool prune(items& list, std::span<const epoch> snapshots, const alive_fn& alive) {
    if (is_one(list)) return false;  // the newest of its key stands in the newest snapshot
    std::sort(list.begin(), list.end());
    std::vector<char> stands(list.size(), 0);
    for (const auto n : snapshots) mark(list, n, stands);
    items kept{list.get_allocator()};
    std::vector<std::uint32_t> left;  // segments with dead records
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& item = list[i];
      if (stands[i]) {
        kept.push_back(item);
        continue;
      }
      if (item.kind != index_item::remainder) count(item.at, false);
      if (item.kind != record_kind::gone && &list != &common_ && alive(item.at.segment)) {
        left.push_back(item.at.segment);
      }
    }
    std::sort(left.begin(), left.end());
    left.erase(std::unique(left.begin(), left.end()), left.end());
    for (const auto segment : left) {
      kept.push_back({epoch{}, 0, {segment, 0, 0}, index_item::remainder});
    }
    drop_idle_tombstones(kept, alive);
    const bool empty = std::all_of(kept.begin(), kept.end(), [](const index_item& item) {
      return item.kind == index_item::remainder;
    });
    kept.shrink_to_fit();
    list = std::move(kept);
    return empty;
  }

  /// A tombstone that keeps nothing down goes at once.
  void drop_idle_tombstones(items& list, const alive_fn& alive) {
    for (auto i = list.size(); i-- > 0;) {
      if (list[i].kind != record_kind::gone) continue;
      if (holds_down(list, list[i].at.segment, alive)) continue;
      count(list[i].at, false);
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  using by_actor = std::pmr::unordered_map<actor_id, items>;
  /// Two small pieces for each actor, which the machine's heap would make and give back one by one.
  struct pooled {
    huge_pages pages{};
    std::pmr::unsynchronized_pool_resource pool{&pages};
    by_actor actors{&pool};
  };

  items common_;
  std::unique_ptr<pooled> kept_ = std::make_unique<pooled>();
  std::unordered_map<std::uint32_t, std::uint64_t> live_;
  std::uint64_t live_total_ = 0;
};

}  // namespace cairn::detail
