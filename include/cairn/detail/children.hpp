// The children of one actor: those with a name by it, the others by their ids.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "../ids.hpp"
#include "huge_pages.hpp"
#include "supervision.hpp"

namespace cairn::detail {

struct actor_type;
struct cell;

/// A cell and the actor that was meant: the two parts of every ref.
struct address {
  cell* where = nullptr;
  actor_id id{};

  friend bool operator==(const address&, const address&) = default;
};

struct child {
  address where{};
  const actor_type* type = nullptr;
  bool restored = false;                           ///< not yet asked for by the program
  restart_type restart = child_options{}.restart;  ///< of a supervisor's child
  std::chrono::nanoseconds shutdown = child_options{}.shutdown;
};

/// Belongs to the parent: its home touches it, or its own turn. Adding and removing one without a
/// name costs no more than a few writes, on average: they come and go by the million.
class child_table {
 public:
  void add(const child& made, const std::string& name) {
    if (!name.empty()) {
      named_[name] = made;
      return;
    }
    sorted_ = sorted_ && (others_.empty() || others_.back().where.id < made.where.id);
    others_.push_back(made);
  }

  /// So many more are expected, none of them with a name.
  void expect(std::size_t more) { others_.reserve(others_.size() + more); }

  /// Null where there is none.
  [[nodiscard]] child* find(const std::string& name) {
    const auto found = named_.find(name);
    return found != named_.end() ? &found->second : nullptr;
  }
  [[nodiscard]] child* find(actor_id who, const std::string& name) {
    child* found = name.empty() ? find_other(who) : find(name);
    return found != nullptr && found->where.id == who ? found : nullptr;
  }

  void remove(actor_id who, const std::string& name) {
    child* found = find(who, name);
    if (found == nullptr) return;
    if (!name.empty()) {
      named_.erase(name);
      return;
    }
    found->where.where = nullptr;  // its id keeps the order
    next_ = static_cast<std::size_t>(found - others_.data()) + 1;
    if (++gone_ * 2 < others_.size()) return;
    std::erase_if(others_, [](const child& each) { return each.where.where == nullptr; });
    gone_ = next_ = 0;
  }
  void clear() noexcept {
    named_.clear();
    others_.clear();
    gone_ = next_ = 0;
    sorted_ = true;
  }

  [[nodiscard]] std::size_t size() const noexcept { return named_.size() + others_.size() - gone_; }

  /// Calls `each(const std::string& name, const child&)` for all, in no order; a name may be empty.
  template <class Each>
  void for_each(Each&& each) const {
    for (const auto& [name, one] : named_) each(name, one);
    for (const child& one : others_) {
      if (one.where.where != nullptr) each(std::string{}, one);
    }
  }

  /// Calls `each(const child&)` for all, from the eldest on. Most often there are either few, or a
  /// million that stand in this order.
  template <class Each>
  void eldest_first(Each&& each) const {
    if (named_.empty() && sorted_) {
      return for_each([&](const std::string&, const child& one) { each(one); });
    }
    huge_vector<const child*> all;
    all.reserve(size());
    for_each([&](const std::string&, const child& one) { all.push_back(&one); });
    std::ranges::sort(all, {}, [](const child* one) { return one->where.id; });
    for (const child* one : all) each(*one);
  }

 private:
  [[nodiscard]] child* find_other(actor_id who) {
    if (next_ < others_.size() && others_[next_].where.id == who) return present(others_[next_]);
    const auto by_id = [](const child& each) { return each.where.id; };
    if (!sorted_) std::ranges::sort(others_, {}, by_id);
    sorted_ = true;
    const auto at = std::ranges::lower_bound(others_, who, {}, by_id);
    return at != others_.end() ? present(*at) : nullptr;
  }
  [[nodiscard]] static child* present(child& one) noexcept {
    return one.where.where != nullptr ? &one : nullptr;
  }

  std::unordered_map<std::string, child> named_;
  huge_vector<child> others_;  ///< those that have gone have no cell
  std::size_t gone_ = 0;
  std::size_t next_ = 0;  ///< behind the last that has gone: most go in the order of their birth
  bool sorted_ = true;
};

}  // namespace cairn::detail
