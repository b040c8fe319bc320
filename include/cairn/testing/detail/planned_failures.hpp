// Turns that throw because a test has told them to. Nothing in the library knows of it: the types
// of a probe's program get functions that throw after those of the actor.
#pragma once

#include <coroutine>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../../detail/frame.hpp"
#include "../../detail/world.hpp"

namespace cairn::testing {

/// What a turn throws that was told to fail.
class planned_failure : public std::runtime_error {
 public:
  planned_failure() : std::runtime_error{"fail_next"} {}
};

}  // namespace cairn::testing

namespace cairn::detail {

class planned_failures;

/// Those of the system that this thread steps.
inline constinit thread_local planned_failures* current_failures = nullptr;

/// A coroutine that goes on with another one and may throw then, into whoever resumed it.
struct failing_resumption {
  struct promise_type {
    [[nodiscard]] failing_resumption get_return_object() noexcept {
      const auto self = std::coroutine_handle<promise_type>::from_promise(*this);
      return {self, coroutine_frame{self}};
    }
    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() { throw; }
  };
  std::coroutine_handle<> handle{};
  coroutine_frame frame{};
};

/// A turn throws at its end, so that there is something to undo.
class planned_failures {
 public:
  using start_function = std::function<void(cell&)>;

  /// `started` is called where an incarnation has started, within its `on_start`.
  explicit planned_failures(start_function started) : started_{std::move(started)} {}

  /// Lets the turns of all these types fail when told to. Before a system has them.
  void take_over(registry& types) {
    own_.clear();
    for (auto& [hash, type] : types.actors) {
      own_[hash] = {type.handlers, type.on_start};
      type.on_start = &start;
      for (auto& each : type.handlers) {
        if (each.begin != nullptr) each.begin = &begin;
      }
    }
  }

  void plan(actor_id whom, unsigned times) { left_[whom] = times; }
  void clear() {
    left_.clear();
    resumed_ = {};
    resumptions_.clear();
  }

  /// A suspended handler is about to be given this answer: the turn is like any other.
  void before_reply(cell& one, std::uint64_t number) {
    resumptions_.clear();
    resumed_ = {&one, number};
    wrap(one);
  }
  void before_message() noexcept { resumed_ = {}; }

 private:
  struct functions {
    std::vector<handler> handlers{};
    void (*on_start)(cell&) = nullptr;
  };

  static void begin(cell& self, turn& here, envelope& message) {
    planned_failures& all = *current_failures;
    all.own_.at(self.type->hash).handlers[message.index].begin(self, here, message);
    if (!here.replaying()) all.fail_if_told(self);
  }

  /// A restart within a turn that is tried again passes here too: it may be told to fail again.
  static void start(cell& self) {
    planned_failures& all = *current_failures;
    if (const auto own = all.own_.at(self.type->hash).on_start) own(self);
    if (all.resumed_.first == &self) all.wrap(self);
    all.started_(self);
  }

  void fail_if_told(cell& self) {
    const auto found = left_.find(self.self().id);
    if (found == left_.end()) return;
    if (--found->second == 0) left_.erase(found);
    throw testing::planned_failure{};
  }

  void wrap(cell& one) {
    if (!left_.contains(one.self().id)) return;
    slot* found = one.find_slot(resumed_.second);
    if (found == nullptr || !found->waiter) return;
    resumptions_.push_back(resume(*this, one, found->waiter));
    found->waiter = resumptions_.back().handle;
  }

  static failing_resumption resume(planned_failures& all, cell& self, std::coroutine_handle<> own) {
    own.resume();
    all.fail_if_told(self);
    co_return;
  }

  start_function started_;
  std::unordered_map<std::uint64_t, functions> own_{};  ///< by the hash of the actor's type
  std::unordered_map<actor_id, unsigned> left_{};
  std::pair<cell*, std::uint64_t> resumed_{};  ///< whose turn goes on, with which answer
  std::vector<failing_resumption> resumptions_{};
};

}  // namespace cairn::detail
