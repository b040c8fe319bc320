// The writer: it appends records while workers still sweep, syncs and publishes. Workers never
// wait for the disk.
#pragma once

#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../store.hpp"
#include "pausing.hpp"

namespace cairn::detail {

/// How an epoch ended.
struct writer_outcome {
  epoch number{};
  bool committed = false;
  errc code = errc::ok;
  std::string text{};
};

/// A queue of jobs, done in order by who calls `step`. Nobody else touches the store.
class snapshot_writer {
 public:
  using call_function = std::function<void()>;

  /// `notify`: an epoch has ended. `awaken`: there is something to do for `step`. `room`: sweeps
  /// that waited for room may go on.
  snapshot_writer(any_store& store, std::size_t capacity, call_function notify,
                  call_function awaken, call_function room)
      : store_{store},
        capacity_{capacity},
        notify_{std::move(notify)},
        awaken_{std::move(awaken)},
        room_{std::move(room)} {
    spare_.reserve(most_spare);
  }

  // Workers.

  /// Whether more records may be appended. Sequentially consistent, like the subtraction in the
  /// writer: who finds no room goes to sleep, and the writer makes room and then wakes.
  [[nodiscard]] bool has_room() const noexcept {
    return waiting_bytes_.load(std::memory_order_seq_cst) < capacity_;
  }
  /// Takes the records; `from` is empty afterwards. Sweeps wait for room; cuts that a turn forces
  /// cannot: where they outrun the disk by as much again, the epoch will be abandoned. What the
  /// coordinator adds at the end is little and always has room.
  void append(buffer& from, bool always = false) {
    if (!always && waiting_bytes_.load(std::memory_order_relaxed) >= 2 * capacity_) {
      sometimes("records outran the disk");
      overrun_.store(true, std::memory_order_relaxed);  // ordered by the commit's job
      from.clear();
      return;
    }
    written_.fetch_add(from.size(), std::memory_order_relaxed);        // a figure for people
    waiting_bytes_.fetch_add(from.size(), std::memory_order_relaxed);  // a bound, as above
    auto records = std::make_shared<buffer>(std::move(from));
    from = always ? buffer{} : take_spare();
    put([this, records] {
      const std::size_t size = records->size();
      attempt([&] { store_.append(records->view()); });
      const auto before = waiting_bytes_.fetch_sub(size, std::memory_order_seq_cst);  // has_room()
      if (before >= capacity_ && before - size < capacity_) room_();
      keep_spare(std::move(*records));
    });
  }
  /// What was to be written cannot be: the epoch will be abandoned.
  void spoil(const std::string& why) {
    put([this, why] { attempt([&] { throw error{errc::misuse, why}; }); });
  }

  /// Nothing is committed any more but what is being committed now. Any thread: what it does
  /// after this, and a cut takes, is in no committed epoch, for the cut's records come here under
  /// the lock before the commit does.
  void bar() noexcept { barred_.store(true, std::memory_order_relaxed); }

  // The coordinator.

  void begin(epoch number) {
    put([this, number] {
      failure_.reset();
      begun_ = number;
      attempt([&] { store_.begin(number); });
    });
  }
  /// Nothing more will be appended. `prepare` runs first, then what it prepared is published.
  /// `releases`: outputs of the epoch wait for it.
  void commit(std::vector<std::function<void()>> prepare, bool releases) {
    put([this, prepare = std::move(prepare), releases] {
      if (overrun_.exchange(false, std::memory_order_relaxed)) {  // as above
        failure_.emplace(errc::write_buffer_full, "records came faster than the disk took them");
      }
      if (barred_.load(std::memory_order_relaxed)) {  // see bar()
        failure_.emplace(errc::stopped, "the system cannot go on");
      }
      for (const auto& each : prepare) attempt(each);
      attempt([&] { store_.commit(releases); });
      finish();
      settle();  // nobody waits for it
    });
  }
  /// A verb of the store that is called between epochs.
  void call(std::function<void(any_store&)> verb) {
    put([this, verb = std::move(verb)] {
      try {
        verb(store_);
      } catch (...) {  // a verb that may fail says so itself
      }
    });
  }
  [[nodiscard]] std::optional<writer_outcome> outcome() {
    const std::lock_guard lock{guard_};
    return std::exchange(outcome_, std::nullopt);
  }
  [[nodiscard]] std::uint64_t written() const noexcept {
    return written_.load(std::memory_order_relaxed);  // a figure for people
  }

  /// Does one job. False: there is none. One thread at a time.
  bool step() {
    std::function<void()> job;
    {
      const std::lock_guard lock{guard_};
      if (jobs_.empty()) return false;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
    return true;
  }

 private:
  /// Room that records have had before: the kernel has cleared its pages.
  [[nodiscard]] buffer take_spare() noexcept {
    const std::lock_guard lock{guard_};
    if (spare_.empty()) return {};
    buffer taken = std::move(spare_.back());
    spare_.pop_back();
    return taken;
  }
  void keep_spare(buffer used) noexcept {
    constexpr std::size_t least = std::size_t{16} << 10U;
    constexpr std::size_t largest = std::size_t{512} << 10U;
    if (used.room() < least || used.room() > largest) return;
    used.clear();
    const std::lock_guard lock{guard_};
    if (spare_.size() < most_spare) spare_.push_back(std::move(used));
  }

  void put(std::function<void()> job) {
    {
      const std::lock_guard lock{guard_};
      jobs_.push_back(std::move(job));
    }
    awaken_();
  }

  /// After the first failure the rest of the epoch is skipped: it will be abandoned.
  template <class Verb>
  void attempt(Verb&& verb) {
    if (failure_) return;
    try {
      verb();
    } catch (const error& why) {
      failure_.emplace(why.code(), why.what());
    } catch (...) {  // what a sink prepares is the code of users
      failure_.emplace(errc::io, text_of_caught());
    }
  }

  void settle() noexcept {
    try {
      store_.settle();
    } catch (...) {  // the next epoch begins with it, and is abandoned where it fails again
      sometimes("store not settled");
    }
  }

  void finish() {
    writer_outcome ended{begun_, !failure_, errc::ok, {}};
    if (failure_) {
      ended.code = failure_->first;
      ended.text = failure_->second;
      store_.abort();
    }
    {
      const std::lock_guard lock{guard_};
      outcome_ = std::move(ended);
    }
    notify_();
  }

  any_store& store_;
  const std::size_t capacity_;
  const call_function notify_;
  const call_function awaken_;
  const call_function room_;
  std::atomic<std::size_t> waiting_bytes_{0};
  std::atomic<std::uint64_t> written_{0};
  std::atomic<bool> overrun_{false};
  std::atomic<bool> barred_{false};

  std::mutex guard_;  ///< of what follows
  std::deque<std::function<void()>> jobs_;
  static constexpr std::size_t most_spare = 8;
  std::vector<buffer> spare_{};
  std::optional<writer_outcome> outcome_;

  // Of who steps.
  std::optional<std::pair<errc, std::string>> failure_;
  epoch begun_{};
};

}  // namespace cairn::detail
