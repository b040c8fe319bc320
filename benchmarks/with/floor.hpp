// The bare machine: what a question costs with nothing but a queue, or a cache line.
#pragma once

#include <sched.h>

#include <array>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "../common.hpp"
#include "../sizes.hpp"

namespace bench {

struct node {
  node* next = nullptr;
  std::uint64_t value = 0;
};

/// A plain intrusive queue of one thread.
class queue {
 public:
  void push(node& last) noexcept {
    last.next = nullptr;
    (tail_ != nullptr ? tail_->next : head_) = &last;
    tail_ = &last;
  }
  /// Precondition: it is not empty.
  [[nodiscard]] node& pop() noexcept {
    node& first = *head_;
    head_ = first.next;
    if (head_ == nullptr) tail_ = nullptr;
    return first;
  }
  [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }

 private:
  node* head_ = nullptr;
  node* tail_ = nullptr;
};

/// The compiler takes `value` to be changed here: it cannot see through the game.
template <class T>
void keep(T& value) {
  asm volatile("" : "+r,m"(value) : : "memory");
}

/// Spins; lets others run where that takes long, for then they have the other thread's processor.
template <class Condition>
void spin_until(Condition holds) {
  for (unsigned at = 0; !holds(); ++at) {
    if (at % 4096 == 4095) sched_yield();
  }
}

/// Plays `play(rounds)` until it lasts long enough. ns per round.
template <class Play>
double repeat(const settings& how, std::uint64_t unit, Play play) {
  pace games{how, 2'000, unit};
  while (games.goes_on()) {
    const double began = now_ns();
    play(games.rounds());
    games.took(now_ns() - began);
  }
  return games.per_round();
}

}  // namespace bench
