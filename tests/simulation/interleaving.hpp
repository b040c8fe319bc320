// Several runs at once on one thread, each with its own stack, machine and world: some steps of
// one, some of another.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "world.hpp"

namespace simulated {

class interleaving {
 public:
  explicit interleaving(std::uint64_t seed) : chance_{seed, "interleaving"} {}

  /// `body` calls `yield` now and then, and throws nothing.
  void add(std::function<void()> body) { all_.push_back(std::make_unique<life>(std::move(body))); }

  /// Until all have ended.
  void run() {
    while (!all_.empty()) {
      const auto at = static_cast<std::ptrdiff_t>(chance_.below(all_.size()));
      life& one = *all_[static_cast<std::size_t>(at)];
      for (auto steps = 1 + chance_.below(50); steps > 0 && !one.stack.done(); --steps) go_on(one);
      if (one.stack.done()) all_.erase(all_.begin() + at);
    }
  }

  /// Within one of several runs, between two of its steps.
  static void yield() {
    if (present_ != nullptr) present_->stack.pause();
  }

 private:
  struct life {
    explicit life(std::function<void()> body) : stack{std::move(body)} {}
    cairn::detail::fiber stack;
    cairn::detail::pauser* by = cairn::detail::current_pauser;
    outer_world* world = outside;
  };

  static void go_on(life& one) {
    const auto swap = [&one] {
      std::swap(one.by, cairn::detail::current_pauser);
      std::swap(one.world, outside);
    };
    swap();
    present_ = &one;
    one.stack.resume();
    present_ = nullptr;
    swap();
  }

  static inline life* present_ = nullptr;
  cairn::detail::sim_random chance_;
  std::vector<std::unique_ptr<life>> all_{};
};

}  // namespace simulated
