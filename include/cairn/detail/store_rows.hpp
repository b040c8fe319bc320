// What a store's index has of each actor. There may be millions of them, most with one record.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <tuple>
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
  /// Whether both are of one record, wherever they lie.
  [[nodiscard]] bool is_like(const index_item& other) const {
    return key() == other.key() && epoch == other.epoch;
  }
  friend bool operator<(const index_item& a, const index_item& b) {
    return std::tuple{a.key(), a.epoch, a.at.segment, a.at.offset} <
           std::tuple{b.key(), b.epoch, b.at.segment, b.at.offset};
  }
};

static_assert(sizeof(index_item) == 32);

/// One actor and its items, one at least.
class index_row {
 public:
  using items = std::vector<index_item>;

  index_row(actor_id whose, const index_item& first) noexcept : actor_{whose}, one_{first} {}

  [[nodiscard]] actor_id actor() const noexcept { return actor_; }
  [[nodiscard]] std::span<index_item> all() noexcept {
    return more_ ? std::span{more_->all} : std::span{&one_, 1};
  }
  [[nodiscard]] std::span<const index_item> all() const noexcept {
    return more_ ? std::span<const index_item>{more_->all} : std::span{&one_, 1};
  }
  /// The same, sorted, but for where those lie that are alike otherwise.
  /// Throws where memory is short; all of them are still there, and it may be tried again.
  [[nodiscard]] std::span<index_item> in_order() {
    if (more_ && more_->ordered < more_->all.size()) put_in_order(*more_);
    return all();
  }
  void add(const index_item& item) {
    make_room();
    const bool follows = more_->ordered == more_->all.size() && !(item < more_->all.back());
    more_->all.push_back(item);
    if (follows) ++more_->ordered;
  }
  /// One that comes before the others in their order.
  void add_in_front(const index_item& item) {
    make_room();
    more_->all.insert(more_->all.begin(), item);
    ++more_->ordered;
  }
  /// Precondition: there is one at least, and they are not this row's own.
  void set(std::span<const index_item> now) {
    if (now.size() == 1) {
      one_ = now.front();
      return more_.reset();
    }
    const bool fits = more_ && more_->all.capacity() >= now.size();
    if (!fits || more_->all.capacity() > with_room(now.size())) {
      more_ = made_of(now);
    } else {
      more_->all.assign(now.begin(), now.end());
      more_->ordered = in_order_of(now);
    }
  }

 private:
  struct several {
    items all{};
    std::size_t ordered = 0;  ///< so many at the front are in order, by key and epoch
  };

  actor_id actor_;
  index_item one_;                   // the only one, where there are no more
  std::unique_ptr<several> more_{};  // else all of them

  [[nodiscard]] static std::unique_ptr<several> made_of(std::span<const index_item> given) {
    auto made = std::make_unique<several>();
    made->all.reserve(with_room(given.size()));
    made->all.assign(given.begin(), given.end());
    made->ordered = in_order_of(given);
    return made;
  }
  [[nodiscard]] static std::size_t in_order_of(std::span<const index_item> given) {
    return static_cast<std::size_t>(std::is_sorted_until(given.begin(), given.end()) -
                                    given.begin());
  }
  /// An actor may have a hundred thousand, for messages that wait: each epoch adds some runs that
  /// are in order.
  static void put_in_order(several& of) {
    const auto begin = of.all.begin();
    const auto added = begin + static_cast<std::ptrdiff_t>(of.ordered);
    const auto second = std::is_sorted_until(added, of.all.end());
    if (!std::is_sorted(second, of.all.end())) std::sort(second, of.all.end());
    merge(added, second, of.all.end());
    merge(begin, added, of.all.end());
    of.ordered = of.all.size();
  }
  /// From the end: only what has to make room is moved.
  static void merge(items::iterator from, items::iterator second, items::iterator to) {
    const items later{second, to};
    for (auto left = later.end(); left != later.begin();) {
      const bool earlier_is_next = second != from && *(left - 1) < *(second - 1);
      *--to = earlier_is_next ? *--second : *--left;
    }
  }
  /// For one more.
  void make_room() {
    if (!more_) more_ = made_of({&one_, 1});
    items& all = more_->all;
    if (all.size() == all.capacity()) all.reserve(with_room(all.size()));
  }
  /// An actor that changes in each epoch has one item more and one less in each.
  [[nodiscard]] static constexpr std::size_t with_room(std::size_t count) noexcept {
    return count + 2 + count / 2;
  }
};

/// The rows of all actors, in the order in which the actors came as long as none has gone, and a
/// hash table of their numbers: sixteen actors whose ids follow one another are neighbours there,
/// and those of ids that are far apart are anywhere.
class index_rows {
 public:
  [[nodiscard]] index_row* find(actor_id who) noexcept {
    const std::uint32_t number = number_of(who);
    return number == free ? nullptr : &rows_[number];
  }
  [[nodiscard]] const index_row* find(actor_id who) const noexcept {
    const std::uint32_t number = number_of(who);
    return number == free ? nullptr : &rows_[number];
  }

  void add(actor_id who, const index_item& item) {
    if ((taken_ + 1) * 4 > slots_.size() * 3) rehash(rows_.size() * 4 / 3 + 1);
    std::uint32_t& number = slots_[slot_of(who)];
    if (number != free) return rows_[number].add(item);
    check(rows_.size() < gone, "too many actors in one store");
    rows_.emplace_back(who, item);
    number = static_cast<std::uint32_t>(rows_.size() - 1);
    ++taken_;
  }

  /// The last one takes its place. Precondition: it is one of these.
  void erase(index_row& row) noexcept {
    slots_[slot_of(row.actor())] = gone;
    index_row& last = rows_.back();
    if (&row != &last) {
      slots_[slot_of(last.actor())] = static_cast<std::uint32_t>(&row - rows_.data());
      row = std::move(last);
    }
    rows_.pop_back();
  }

  /// So many are expected.
  void reserve(std::size_t count) {
    rows_.reserve(count);
    if (count * 4 > slots_.size() * 3) rehash(count);
  }
  void clear() noexcept {
    rows_ = huge_vector<index_row>{};
    slots_ = huge_vector<std::uint32_t>{};
    taken_ = 0;
  }

  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }
  [[nodiscard]] auto begin() noexcept { return rows_.begin(); }
  [[nodiscard]] auto end() noexcept { return rows_.end(); }
  [[nodiscard]] auto begin() const noexcept { return rows_.begin(); }
  [[nodiscard]] auto end() const noexcept { return rows_.end(); }
  [[nodiscard]] index_row& operator[](std::size_t at) noexcept { return rows_[at]; }

 private:
  static constexpr std::uint32_t free = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t gone = free - 1;  ///< its actor is, others may stand behind it
  static constexpr std::size_t together = 16;      ///< a cache line of them

  [[nodiscard]] std::uint32_t number_of(actor_id who) const noexcept {
    return slots_.empty() ? free : slots_[slot_of(who)];
  }

  /// Where the actor's number stands, or would stand. Precondition: there is a free slot.
  [[nodiscard]] std::size_t slot_of(actor_id who) const noexcept {
    // Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4).
    const std::uint64_t group = (raw(who) / together * 0x9e3779b97f4a7c15U) >> shift_;
    std::size_t at = static_cast<std::size_t>(group) * together + raw(who) % together;
    // A step that has no divisor in common with the size comes to every slot.
    for (;; at = (at + together + 1) & (slots_.size() - 1)) {
      const std::uint32_t number = slots_[at];
      if (number == free || (number != gone && rows_[number].actor() == who)) return at;
    }
  }

  void rehash(std::size_t count) {
    std::size_t groups = 2;
    int bits = 1;
    for (; groups * together * 3 < count * 4 + together; groups *= 2) ++bits;
    huge_vector<std::uint32_t> made(groups * together, free);  // what may throw comes first
    slots_.swap(made);
    shift_ = 64 - bits;
    taken_ = rows_.size();
    for (std::size_t at = 0; at < rows_.size(); ++at) {
      slots_[slot_of(rows_[at].actor())] = static_cast<std::uint32_t>(at);
    }
  }

  huge_vector<index_row> rows_{};
  huge_vector<std::uint32_t> slots_{};
  std::size_t taken_ = 0;  ///< slots that are not free
  int shift_ = 63;
};

}  // namespace cairn::detail
