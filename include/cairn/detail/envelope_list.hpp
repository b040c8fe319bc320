// Envelopes in order: what a turn sends, and what waits in a mailbox.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "envelope.hpp"

namespace cairn::detail {

/// Envelopes in order, linked through `next`. Owns them.
class envelope_chain {
 public:
  envelope_chain() = default;
  envelope_chain(envelope_chain&& other) noexcept { swap(other); }
  envelope_chain& operator=(envelope_chain&& other) noexcept {
    envelope_chain{std::move(other)}.swap(*this);
    return *this;
  }
  ~envelope_chain() { clear(); }

  [[gnu::always_inline]] void push_back(envelope_ptr owned) noexcept {
    envelope* last = owned.release();
    last->next = nullptr;
    (head_ != nullptr ? tail_->next : head_) = last;
    tail_ = last;
  }
  /// Takes out the first one, which the caller has looked at. Its `next` stays as it is.
  [[nodiscard, gnu::always_inline]] envelope_ptr pop(envelope* first) noexcept {
    head_ = first->next;
    return envelope_ptr{first};
  }
  /// Precondition: there is something.
  [[nodiscard]] envelope_ptr pop_front() noexcept { return pop(head_); }
  void push_front(envelope_ptr owned) noexcept {
    if (head_ == nullptr) return push_back(std::move(owned));
    owned->next = head_;
    head_ = owned.release();
  }
  /// Takes out all from the first one to `last`, which is in it.
  [[nodiscard, gnu::always_inline]] envelope* cut_behind(envelope* last) noexcept {
    return std::exchange(head_, std::exchange(last->next, nullptr));
  }
  /// All of it has another owner.
  [[gnu::always_inline]] void forget() noexcept { head_ = nullptr; }
  void clear() noexcept {
    while (head_ != nullptr) pop_front().reset();
  }
  [[nodiscard]] envelope* front() const noexcept { return head_; }
  [[nodiscard]] envelope* back() const noexcept { return head_ != nullptr ? tail_ : nullptr; }
  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }

  void swap(envelope_chain& other) noexcept {
    std::swap(head_, other.head_);
    std::swap(tail_, other.tail_);
  }

 protected:
  envelope* head_ = nullptr;
  envelope* tail_ = nullptr;  ///< says nothing while there is none
};

/// The same, counted.
class envelope_list : private envelope_chain {
 public:
  envelope_list() = default;
  envelope_list(envelope_list&& other) noexcept { swap(other); }
  envelope_list& operator=(envelope_list&& other) noexcept {
    envelope_list{std::move(other)}.swap(*this);
    return *this;
  }

  using envelope_chain::back;
  using envelope_chain::empty;
  using envelope_chain::front;

  [[gnu::always_inline]] void push_back(envelope_ptr owned) noexcept {
    envelope_chain::push_back(std::move(owned));
    ++count_;
  }
  /// What stands in front of `from` until `last`, `count` of them.
  [[gnu::always_inline]] void append(envelope_chain& from, envelope* last,
                                     std::size_t count) noexcept {
    envelope* first = from.cut_behind(last);
    (head_ != nullptr ? tail_->next : head_) = first;
    tail_ = last;
    count_ += count;
  }
  [[nodiscard, gnu::always_inline]] envelope_ptr pop_front() noexcept {
    --count_;
    return envelope_chain::pop_front();
  }
  void push_front(envelope_ptr owned) noexcept {
    envelope_chain::push_front(std::move(owned));
    ++count_;
  }
  /// Takes out what stands behind `before`, which is in the list, or in front where that is null.
  /// Precondition: there is something.
  [[nodiscard]] envelope_ptr take_after(envelope* before) noexcept {
    if (before == nullptr) return pop_front();
    envelope* taken = before->next;
    before->next = std::exchange(taken->next, nullptr);
    if (tail_ == taken) tail_ = before;
    --count_;
    return envelope_ptr{taken};
  }
  void put_after(envelope* before, envelope_ptr owned) noexcept {
    if (before == nullptr) return push_front(std::move(owned));
    envelope* put = owned.release();
    put->next = std::exchange(before->next, put);
    if (tail_ == before) tail_ = put;
    ++count_;
  }
  /// The first one will be looked at soon: many of them are in no near cache any more.
  [[gnu::always_inline]] void fetch_front() const noexcept {
    if (head_ == nullptr) return;
    const auto first = reinterpret_cast<std::uintptr_t>(head_);
    __builtin_prefetch(reinterpret_cast<const void*>(first));
    __builtin_prefetch(reinterpret_cast<const void*>(first + 64));
  }
  void clear() noexcept {
    envelope_chain::clear();
    count_ = 0;
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

  void swap(envelope_list& other) noexcept {
    envelope_chain::swap(other);
    std::swap(count_, other.count_);
  }

 private:
  std::size_t count_ = 0;
};

}  // namespace cairn::detail
