// The cells that an epoch is about: those that have handled or received something.
#pragma once

#include <cstddef>

#include "cell.hpp"

namespace cairn::detail {

/// Cells linked both ways, in the order of their touching. The home worker's alone. Two lists may
/// change places: each takes along the mark by which its cells know it.
class touched_cells {
 public:
  explicit touched_cells(touched_list mark) noexcept : mark_{mark} {}

  [[nodiscard]] touched_list mark() const noexcept { return mark_; }
  void push_back(cell& one) noexcept {
    one.listed = mark_;
    one.touched_prev = tail_;
    one.touched_next = nullptr;
    (tail_ != nullptr ? tail_->touched_next : head_) = &one;
    tail_ = &one;
  }
  void remove(cell& one) noexcept {
    (one.touched_prev != nullptr ? one.touched_prev->touched_next : head_) = one.touched_next;
    (one.touched_next != nullptr ? one.touched_next->touched_prev : tail_) = one.touched_prev;
    one.touched_prev = one.touched_next = nullptr;
    one.listed = touched_list::none;
    one.touched_in = epoch{};  // see cutter::touch()
  }
  /// The cells are wiped.
  void clear() noexcept { head_ = tail_ = nullptr; }
  [[nodiscard]] cell* front() const noexcept { return head_; }
  /// The same for who goes through a million of them: the next ones are on their way meanwhile. Of
  /// the one behind the next the cell, of the next one the state, to which its cell leads.
  [[nodiscard]] cell* front_of_many() const noexcept {
    const cell* second = head_ != nullptr ? head_->touched_next : nullptr;
    if (second == nullptr) return head_;
    if (second->state != nullptr) fetch(second->state, 2);
    if (second->touched_next != nullptr) fetch(second->touched_next, sizeof(cell) / line);
    return head_;
  }
  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }

 private:
  static constexpr std::size_t line = 64;
  static void fetch(const void* from, std::size_t lines) noexcept {
    const auto* bytes = static_cast<const char*>(from);
    for (std::size_t at = 0; at < lines; ++at) __builtin_prefetch(bytes + at * line, 1);
  }

  touched_list mark_;
  cell* head_ = nullptr;
  cell* tail_ = nullptr;
};

}  // namespace cairn::detail
