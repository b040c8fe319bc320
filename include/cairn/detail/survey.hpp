// How a status is gathered: each worker looks at its own actors, in slices between its turns.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../status.hpp"
#include "watching.hpp"
#include "world.hpp"

namespace cairn::detail {

class survey {
 public:
  explicit survey(world& all) noexcept : all_{all} {}

  /// Before the start: there is a seat for each worker.
  void prepare() {
    for (const auto& each : all_.workers) {
      seats_.push_back(std::make_unique<seat>());
      seats_.back()->steps_before = each->steps.load(std::memory_order_relaxed);  // nobody runs
    }
  }

  /// Asks all workers and waits for them, at most this long; who has not answered then is named.
  /// Any thread but a worker's.
  [[nodiscard]] status collect(std::chrono::nanoseconds limit) {
    const std::lock_guard one_at_a_time{asking_};
    std::unique_lock lock{guard_};
    // pairs with the acquire in take_part()
    const std::uint64_t asked = asked_.fetch_add(1, std::memory_order_release) + 1;
    for (const auto& each : all_.workers) all_.wake(*each);
    const auto done = [&](const auto& each) { return each->done == asked; };
    answered_.wait_for(lock, bounded(limit), [&] {
      return !running_ || std::all_of(seats_.begin(), seats_.end(), done);
    });
    status found;
    for (std::size_t at = 0; at < seats_.size(); ++at) {
      if (done(seats_[at])) {
        add(found, seats_[at]->answer);
      } else if (running_) {
        found.silent.push_back(look_from_outside(*all_.workers[at]));
      }
    }
    found.committed = committed_;
    if (committed_at_.count() >= 0) found.commit_age = all_.steady_now() - committed_at_;
    found.commit_cost = cost_;
    lock.unlock();
    add_counters(found);
    return found;
  }

  /// By the first worker.
  void note_commit(epoch number, const epoch_cost& cost) {
    const std::lock_guard lock{guard_};
    committed_ = number;
    committed_at_ = all_.steady_now();
    cost_ = cost;
  }
  /// Whether the workers answer at all.
  void set_running(bool is) {
    const std::lock_guard lock{guard_};
    running_ = is;
    if (!is) committed_ = epoch{all_.committed.load(std::memory_order_relaxed)};  // at rest
    answered_.notify_all();
  }

  /// A worker's part: one slice. True: more of it is to do.
  [[nodiscard]] bool take_part(worker& mine) {
    const std::uint64_t asked = asked_.load(std::memory_order_acquire);  // pairs with collect()
    if (asked == mine.surveyed) return false;
    seat& own = *seats_[mine.index];
    if (own.doing != asked) {
      own.doing = asked;
      own.next = 2;  // the root's cell is the first one
      own.found = {};
    }
    const std::uint32_t used = all_.cells.used();
    const std::uint32_t until = std::min(used, own.next + slice);
    for (; own.next < until; ++own.next) look_at(mine, *all_.cells.at(own.next), own.found);
    if (own.next < used) return true;
    mine.surveyed = asked;
    const std::lock_guard lock{guard_};
    own.answer = std::move(own.found);
    own.done = asked;
    answered_.notify_all();
    return false;
  }

  /// Whether every worker rests or has come further since the last call. One thread.
  [[nodiscard]] bool progressed() {
    bool all = true;
    for (std::size_t at = 0; at < seats_.size(); ++at) {
      // Relaxed: a figure; a step that has begun and not ended is odd.
      const std::uint64_t now = all_.workers[at]->steps.load(std::memory_order_relaxed);
      if (now % 2 == 1 && now == std::exchange(seats_[at]->steps_before, now)) all = false;
    }
    return all;
  }

 private:
  static constexpr std::uint32_t slice = 1024;

  struct seat {
    // The worker's.
    std::uint64_t doing = 0;
    std::uint32_t next = 0;
    status found{};
    // Under the guard.
    std::uint64_t done = 0;
    status answer{};
    // Of who asks for progress.
    std::uint64_t steps_before = 0;
  };

  static void look_at(const worker& mine, cell& one, status& found) {
    // pairs with the release where an actor is made or given: it is this worker's alone
    if (one.home.load(std::memory_order_acquire) != &mine || one.moving) return;
    if (one.type == nullptr || one.stopped) return;
    ++found.actors;
    found.dormant += one.dormant ? 1 : 0;
    if (one.suspended) {
      ++found.suspended;
      if (found.suspended_names.size() < status::most_names) {
        found.suspended_names.push_back(world::label(one));
      }
    }
    if (one.more) {
      for (const slot& each : one.more->slots) {
        found.asks += each.from.id != actor_id{} && !each.arrived ? 1 : 0;
      }
    }
    const bool unopened = mine.unopened.whose == &one;
    const std::uint64_t depth = one.box.queue.size() + (unopened ? mine.unopened.messages : 0);
    found.waiting += depth;
    if (depth == 0) return;
    const bool full = found.deepest.size() == status::most_names;
    if (full && depth <= found.deepest.back().depth) return;
    found.deepest.push_back({world::label(one), std::string{one.type->name}, depth});
    trim(found);
  }

  static void trim(status& found) {
    std::sort(found.deepest.begin(), found.deepest.end(), [](const auto& a, const auto& b) {
      return a.depth != b.depth ? a.depth > b.depth : a.actor < b.actor;
    });
    if (found.deepest.size() > status::most_names) found.deepest.resize(status::most_names);
    if (found.suspended_names.size() > status::most_names) {
      found.suspended_names.resize(status::most_names);
    }
  }

  static void add(status& to, const status& part) {
    to.actors += part.actors;
    to.dormant += part.dormant;
    to.waiting += part.waiting;
    to.asks += part.asks;
    to.suspended += part.suspended;
    to.deepest.insert(to.deepest.end(), part.deepest.begin(), part.deepest.end());
    to.suspended_names.insert(to.suspended_names.end(), part.suspended_names.begin(),
                              part.suspended_names.end());
    trim(to);
  }

  /// What any thread may see of a worker that is in the middle of something. Relaxed but for whose
  /// turn it is: figures for people; the types are constant.
  [[nodiscard]] status::silent_worker look_from_outside(const worker& one) {
    status::silent_worker found;
    found.number = one.index;
    // pairs with the release in show_actor(): the name was written before, and the cell
    const actor_id actor = one.in_turn.load(std::memory_order_acquire);
    const actor_type* type = one.in_type.load(std::memory_order_relaxed);
    const payload_ops* message = one.in_message.load(std::memory_order_relaxed);
    const char* code = one.in_code.load(std::memory_order_relaxed);
    if (actor == actor_id{} || type == nullptr) return found;
    if (message == nullptr && code == nullptr) return found;
    found.actor = actor;
    found.name = name_in_turn(all_, one, actor);
    found.type = type->name;
    found.message = code != nullptr ? code : message->name;
    return found;
  }

  void add_counters(status& to) const {
    to.workers = static_cast<unsigned>(all_.workers.size());
    to.now = epoch{all_.now_epoch.load(std::memory_order_relaxed)};  // figures, all of them
    for (const auto& each : all_.workers) {
      to.messages += each->counters.messages.load(std::memory_order_relaxed);
      to.restarts += each->counters.restarts.load(std::memory_order_relaxed);
    }
  }

  world& all_;
  std::vector<std::unique_ptr<seat>> seats_{};
  std::atomic<std::uint64_t> asked_{0};
  std::mutex asking_{};

  std::mutex guard_{};  ///< of what follows
  std::condition_variable answered_{};
  bool running_ = false;
  epoch committed_{};
  std::chrono::nanoseconds committed_at_{-1};
  epoch_cost cost_{};
};

}  // namespace cairn::detail
