// Which records stand in which snapshot: the rules of liveness, shared by every store.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../ids.hpp"
#include "huge_pages.hpp"
#include "record.hpp"
#include "store_rows.hpp"

namespace cairn::detail {

/// The records of all snapshots that are retained. Floors of an actor never fall.
///
/// Cost: about 60 bytes for an actor with one record.
class store_index {
 public:
  using items = index_row::items;
  using alive_fn = std::function<bool(std::uint32_t)>;

  store_index() = default;
  store_index(const store_index&) = delete;
  store_index& operator=(const store_index&) = delete;

  void clear() {
    common_.clear();
    actors_.clear();
    live_.clear();
    counted_ = nullptr;
    live_total_ = 0;
  }

  /// How many records there may be in so many bytes, for who takes room for them.
  [[nodiscard]] static std::size_t usual_count(std::uint64_t bytes) noexcept {
    constexpr std::uint64_t usual = 192;  // of a small actor
    constexpr std::uint64_t most = 4'000'000;
    return static_cast<std::size_t>(std::min(bytes / usual, most));
  }
  /// So many bytes of records are going to be added.
  void expect(std::uint64_t bytes) { actors_.reserve(usual_count(bytes)); }

  /// What is added of a record.
  struct entry {
    actor_id actor{};
    index_item item{};
  };
  [[nodiscard]] static entry entry_of(const record_header& header, location at) {
    return {header.actor, {header.epoch, place_of(header), at, header.kind}};
  }
  /// Whether an actor has one of these in an epoch at most.
  [[nodiscard]] static bool comes_once(const entry& one) noexcept {
    return one.item.kind == record_kind::actor || one.item.kind == record_kind::gone;
  }
  /// Where it throws, nothing is added; so do the others: they change all of a row, or nothing.
  void add(const entry& one) {
    (void)live_in(one.item.at.segment);
    is_common(one.item.kind) ? common_.push_back(one.item) : actors_.add(one.actor, one.item);
    count(one.item.at, true);
  }

  /// Whether the record at `at` is one that stands somewhere.
  [[nodiscard]] bool knows(const record_header& header, location at) {
    if (is_common(header.kind)) return find_common(at) != nullptr;
    index_row* row = actors_.find(header.actor);
    return row != nullptr && find_in(row->in_order(), header, at) != nullptr;
  }

  /// Whether a tombstone in `segment` still keeps dead records of its actor down.
  [[nodiscard]] bool needed(const record_header& gone, std::uint32_t segment,
                            const alive_fn& alive) const {
    const index_row* row = actors_.find(gone.actor);
    return row != nullptr && holds_down(row->all(), segment, alive);
  }

  /// The record now lies at `to`; what is left at `from` is a remainder.
  void relocate(const record_header& header, location from, location to, const alive_fn& alive) {
    index_row* row = is_common(header.kind) ? nullptr : actors_.find(header.actor);
    if (row == nullptr && !is_common(header.kind)) return;
    const auto find = [&] {
      return row == nullptr ? find_common(from) : find_in(row->in_order(), header, from);
    };
    if (find() == nullptr) return;
    (void)live_in(to.segment);
    if (row != nullptr) leave_remainder(*row, header.epoch, from.segment, alive);
    find()->at = to;  // which may have moved
    count(from, false);
    count(to, true);
  }

  /// Drops a tombstone that is no longer needed.
  void forget(const record_header& gone, location at) {
    index_row* row = actors_.find(gone.actor);
    if (row == nullptr) return;
    const auto all = row->all();
    items list{all.begin(), all.end()};
    const auto dropped = std::erase_if(list, [&](const index_item& item) {
      return item.at == at && item.kind == record_kind::gone;
    });
    if (dropped == 0) return;
    has_records(list) ? row->set(list) : actors_.erase(*row);
    count(at, false);
  }

  /// Drops what stands in none of `snapshots`, of one actor.
  void prune(actor_id actor, std::span<const epoch> snapshots, const alive_fn& alive) {
    if (index_row* row = actors_.find(actor)) prune(*row, snapshots, alive);
  }
  /// The same of the records that belong to no actor.
  void prune_common(std::span<const epoch> snapshots) {
    if (common_.empty()) return;
    std::sort(common_.begin(), common_.end());
    keep_standing(common_, snapshots);
    common_ = kept_;
    count_dropped();
  }
  /// The same of all.
  void prune_all(std::span<const epoch> snapshots, const alive_fn& alive) {
    prune_common(snapshots);
    // From the end: who takes the place of one that goes has been looked at.
    for (auto at = actors_.size(); at-- > 0;) prune(actors_[at], snapshots, alive);
  }

  /// Actors that have more than one record: those that have something to prune later.
  [[nodiscard]] std::vector<actor_id> with_several() const {
    std::vector<actor_id> found;
    for (const index_row& row : actors_) {
      if (row.all().size() > 1) found.push_back(row.actor());
    }
    return found;
  }

  /// Visits where the records lie that stand in `n`, in the order of reading; actors in the order
  /// in which they lie on the disk.
  template <class Visit>
  void each_standing(epoch n, Visit visit) {
    std::vector<char> stands;
    const auto each = [&](std::span<index_item> list) {
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
    const auto place = [](const index_row& row) {
      const auto at = row.all().front().at;
      return std::pair{(std::uint64_t{at.segment} << 32) | at.offset, row.actor()};
    };
    if (std::ranges::is_sorted(actors_, {}, place)) {  // as they were found in the segments
      for (index_row& row : actors_) each(row.all());
      return;
    }
    using step = std::pair<decltype(place(actors_[0])), index_row*>;
    huge_vector<step> order;
    order.reserve(actors_.size());
    for (index_row& row : actors_) order.emplace_back(place(row), &row);
    std::ranges::sort(order, {}, &step::first);
    for (const auto& [where, row] : order) each(row->all());
  }

  [[nodiscard]] std::uint64_t live_bytes() const noexcept { return live_total_; }
  [[nodiscard]] std::uint64_t live_bytes(std::uint32_t segment) const {
    const auto found = live_.find(segment);
    return found == live_.end() ? 0 : found->second;
  }
  [[nodiscard]] std::size_t size() const {
    auto entries = common_.size();
    for (const index_row& row : actors_) entries += row.all().size();
    return entries;
  }
  void forget_segment(std::uint32_t segment) {
    live_.erase(segment);
    counted_ = nullptr;
  }

 private:
  static bool is_common(record_kind kind) {
    return kind == record_kind::meta || kind == record_kind::name;
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
  [[nodiscard]] index_item* find_common(location at) noexcept {
    const auto found = std::find_if(common_.begin(), common_.end(),
                                    [&](const index_item& each) { return each.at == at; });
    return found == common_.end() ? nullptr : &*found;
  }
  /// The record at `at`, among those of its actor, which are in order. Null: it is not there.
  [[nodiscard]] static index_item* find_in(std::span<index_item> list, const record_header& header,
                                           location at) noexcept {
    const index_item first{header.epoch, place_of(header), {}, header.kind};
    auto item = std::lower_bound(list.begin(), list.end(), first);
    for (; item != list.end() && item->is_like(first); ++item) {
      if (item->at == at) return &*item;
    }
    return nullptr;
  }

  /// Most actors have one record, which stands from its epoch on.
  static bool is_one(std::span<const index_item> list) {
    return list.size() == 1 && list[0].kind >= record_kind::actor &&
           list[0].kind != record_kind::gone;
  }

  /// Throws nothing where the segment has been counted before.
  [[nodiscard]] std::uint64_t& live_in(std::uint32_t segment) {
    if (counted_ == nullptr || counted_->first != segment) {
      counted_ = &*live_.try_emplace(segment).first;
    }
    return counted_->second;
  }
  void count(location at, bool more) {
    std::uint64_t& live = live_in(at.segment);
    live = more ? live + at.length : live - at.length;
    live_total_ = more ? live_total_ + at.length : live_total_ - at.length;
  }

  static void leave_remainder(index_row& row, epoch of, std::uint32_t segment,
                              const alive_fn& alive) {
    const index_item left{of, 0, {segment, 0, 0}, index_item::remainder};
    for (index_item& each : row.in_order()) {
      if (each.kind != index_item::remainder) break;  // they come first
      if (each.at.segment == segment || !alive(each.at.segment)) return void(each = left);
    }
    row.add_in_front(left);
  }

  static bool holds_down(std::span<const index_item> list, std::uint32_t segment,
                         const alive_fn& alive) {
    return std::any_of(list.begin(), list.end(), [&](const index_item& item) {
      if (item.kind == record_kind::gone) return false;
      if (item.kind != index_item::remainder) return true;
      return item.at.segment != segment && alive(item.at.segment);
    });
  }

  /// Whether the one at `i` is mail, and no other record is of the same message.
  [[nodiscard]] static bool is_alone(std::span<const index_item> list, std::size_t i) noexcept {
    if (list[i].kind != record_kind::mail) return false;
    return i + 1 == list.size() || list[i + 1].place != list[i].place ||
           list[i + 1].kind != record_kind::mail;
  }
  /// Behind the mail up to `place`, which is consumed. Precondition: there is some at `from`.
  [[nodiscard]] static std::size_t behind_base(std::span<const index_item> list, std::size_t from,
                                               std::uint64_t place) noexcept {
    const auto consumed = [place](const index_item& each) {
      return each.kind == record_kind::mail && each.place <= place;
    };
    const auto left = list.subspan(from);
    return from +
           static_cast<std::size_t>(std::ranges::partition_point(left, consumed) - left.begin());
  }
  /// Marks what stands in `n`. Precondition: `list` is sorted.
  static void mark(std::span<const index_item> list, epoch n, std::vector<char>& stands) {
    const index_item* gone = nullptr;
    const index_item* base = nullptr;
    const auto after_gone = [&](const index_item& i) { return !gone || i.epoch > gone->epoch; };
    // Tombstones come last and in order: the newest stays.
    for (auto i = list.size(); i-- > 0 && list[i].kind >= record_kind::gone && gone == nullptr;) {
      if (list[i].kind == record_kind::gone && list[i].epoch <= n) gone = &list[i];
    }
    if (gone) stands[static_cast<std::size_t>(gone - list.data())] = 1;
    for (std::size_t i = 0; i < list.size();) {
      if (list[i].kind == record_kind::mail && base && list[i].place <= base->place) {
        i = behind_base(list, i, base->place);
        continue;
      }
      if (is_alone(list, i)) {  // as most mail is
        if (list[i].epoch <= n && after_gone(list[i])) stands[i] = 1;
        ++i;
        continue;
      }
      const auto key = list[i].key();
      const index_item* newest = nullptr;
      for (; i < list.size() && list[i].key() == key; ++i) {
        if (list[i].epoch <= n && after_gone(list[i])) newest = &list[i];
      }
      if (!newest || key.first == index_item::remainder || key.first == record_kind::gone) continue;
      if (newest->kind == record_kind::actor) base = newest;  // sorted before mail and replies
      const bool dead = base && newest->kind == record_kind::reply && newest->epoch < base->epoch;
      if (!dead) stands[static_cast<std::size_t>(newest - list.data())] = 1;
    }
  }

  void prune(index_row& row, std::span<const epoch> snapshots, const alive_fn& alive) {
    if (is_one(row.all())) return;  // the newest of its key stands in the newest snapshot
    keep_standing(row.in_order(), snapshots);
    left_.clear();
    for (std::size_t i = 0; const auto& item : row.all()) {
      if (stands_[i++]) continue;
      const std::uint32_t lies_in = item.at.segment;
      if (!left_.empty() && left_.back() == lies_in) continue;  // as most do
      if (item.kind != record_kind::gone && alive(lies_in)) left_.push_back(lies_in);
    }
    std::sort(left_.begin(), left_.end());
    left_.erase(std::unique(left_.begin(), left_.end()), left_.end());
    kept_.insert(kept_.begin(), left_.size(), {});  // remainders come first
    for (std::size_t i = 0; i < left_.size(); ++i) {
      kept_[i] = {epoch{}, 0, {left_[i], 0, 0}, index_item::remainder};
    }
    drop_idle_tombstones(kept_, alive);
    has_records(kept_) ? row.set(kept_) : actors_.erase(row);
    count_dropped();
  }
  [[nodiscard]] static bool has_records(const items& list) {
    return std::ranges::any_of(
        list, [](const index_item& item) { return item.kind != index_item::remainder; });
  }
  /// Last of all: what has thrown before has changed nothing.
  void count_dropped() {
    for (const location& each : dropped_) count(each, false);
  }

  /// Puts into `kept_` what of a list in order stands in one of `snapshots`. The rest is to count
  /// no more; `stands_` says what that is.
  void keep_standing(std::span<const index_item> list, std::span<const epoch> snapshots) {
    stands_.assign(list.size(), 0);
    for (const auto n : snapshots) mark(list, n, stands_);
    kept_.clear();
    dropped_.clear();
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto& item = list[i];
      if (stands_[i]) {
        kept_.push_back(item);
      } else if (item.kind != index_item::remainder) {
        dropped_.push_back(item.at);
      }
    }
  }

  /// A tombstone that keeps nothing down goes at once.
  void drop_idle_tombstones(items& list, const alive_fn& alive) {
    for (auto i = list.size(); i-- > 0;) {
      if (list[i].kind != record_kind::gone) continue;
      if (holds_down(list, list[i].at.segment, alive)) continue;
      dropped_.push_back(list[i].at);
      list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  items common_;
  index_rows actors_{};
  // Of who was pruned last: room that the next one finds.
  std::vector<char> stands_{};         ///< which of its items
  items kept_{};                       ///< what it has now
  std::vector<location> dropped_{};    ///< records that it has no more
  std::vector<std::uint32_t> left_{};  ///< segments with dead records of it
  std::unordered_map<std::uint32_t, std::uint64_t> live_;
  /// The latest one that was looked for: what follows mostly lies in the same segment.
  std::pair<const std::uint32_t, std::uint64_t>* counted_ = nullptr;
  std::uint64_t live_total_ = 0;
};

}  // namespace cairn::detail
