// A snapshot becomes actors on several threads: one reads the records, the others take them.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "pausing.hpp"
#include "record_taker.hpp"

namespace cairn::detail {

/// The thread that reads copies the records of some hundred actors, takes a batch itself where the
/// others have enough to do, and puts what was found in the order of the records at the end: what
/// comes out does not depend on how many threads there were.
///
/// A program with one worker may count on it that nothing of it is run by two threads at a time:
/// there is one helper then, and nobody takes a record beside it.
///
/// `waiting_` and what tells of it are under the lock; a batch belongs to the thread that has it,
/// and to the reading one before and, after the join, again.
class restore_crew {
 public:
  restore_crew(world& all, const snapshot_facts& facts)
      : all_{all},
        facts_{facts},
        most_{helpers_for(all.workers.size())},
        alone_{all.workers.size() == 1} {}
  restore_crew(const restore_crew&) = delete;
  restore_crew& operator=(const restore_crew&) = delete;
  ~restore_crew() { close(); }

  /// Preconditions: of kind `actor`, `mail` or `reply`, each actor's own record first, and no two
  /// actors in one cell.
  void add(const record_view& record) {
    const bool is_next = record.header.kind == record_kind::actor;
    if (batches_.empty() || (is_next && batches_.back().is_over())) {
      hand_over();
      begin_batch();
    }
    batch& to = batches_.back();
    if (most_ == 0) return to.taker.take(record);
    if (!to.is_over()) return to.what.add(record);
    // More mail of one actor than should be copied: it is taken as it comes.
    if (!std::exchange(to.direct, true)) {
      if (alone_) close();
      take(to);
    }
    to.try_to_take(record);
  }

  /// Takes what is left, and gives the actors out. More may be added then.
  ///
  /// Errors: throws what the first record that could not be taken threw.
  void finish(restored_actors& all) {
    if (alone_) close();
    if (!batches_.empty()) take(batches_.back());
    close();
    for (batch& each : batches_) {
      if (each.failed) std::rethrow_exception(each.failed);
      all.add(std::move(each.taker.taken()));
    }
    batches_.clear();
  }

 private:
  static constexpr std::size_t batch_bytes = std::size_t{256} << 10U;
  static constexpr std::size_t most_helpers = 15;
  static constexpr std::size_t most_waiting = 4;  ///< batches, for each helper

  struct copies {
    struct copy {
      record_header header{};
      std::size_t at = 0;
      std::size_t size = 0;
    };
    std::vector<copy> records{};
    buffer bytes{};

    [[nodiscard]] bool is_full() const noexcept { return bytes.size() >= batch_bytes; }
    void add(const record_view& record) {
      records.push_back({record.header, bytes.size(), record.payload.size()});
      bytes.append(record.payload);
    }
    void clear() noexcept {
      records.clear();
      bytes.clear();
    }
  };
  struct batch {
    batch(world& all, const snapshot_facts& facts) : taker{all, facts} {}
    record_taker taker;
    copies what{};
    bool direct = false;  ///< the rest of it is not copied
    std::exception_ptr failed{};

    [[nodiscard]] bool is_over() const noexcept { return direct || what.is_full(); }
    void try_to_take(const record_view& record) noexcept {
      if (failed) return;
      try {
        taker.take(record);
      } catch (...) {
        failed = std::current_exception();
      }
    }
  };

  /// In room that a batch before has left: new pages cost more than the copy.
  void begin_batch() {
    batch& made = batches_.emplace_back(all_, facts_);
    const std::lock_guard lock{guard_};
    if (left_.capacity() < batches_.size()) left_.reserve(2 * batches_.size());
    if (left_.empty()) return;
    made.what = std::move(left_.back());
    left_.pop_back();
  }

  /// A simulation knows no threads but its own.
  [[nodiscard]] static std::size_t helpers_for(std::size_t workers) noexcept {
    if (current_pauser != nullptr || workers == 0) return 0;
    return std::clamp<std::size_t>(workers - 1, 1, most_helpers);
  }

  /// The newest batch is complete.
  void hand_over() {
    if (most_ == 0 || batches_.empty()) return;
    batch& full = batches_.back();
    if (full.direct) return;
    if (helpers_.size() < most_) begin_helper();
    {
      std::unique_lock lock{guard_};
      const auto has_room = [&] { return waiting_.size() < most_waiting * helpers_.size(); };
      if (alone_ && !helpers_.empty()) room_.wait(lock, has_room);
      if (has_room()) {
        waiting_.push_back(&full);
        changed_.notify_one();
        return;
      }
    }
    take(full);
  }

  void begin_helper() {
    try {
      helpers_.emplace_back([this] { help(); });
    } catch (const std::system_error&) {  // no thread more: this one takes what those leave
      most_ = std::max<std::size_t>(helpers_.size(), 1);
    }
  }

  void help() {
    const scoped_current<runtime> scope{current_runtime, &all_};
    room_pool rooms;
    const scoped_current<room_pool> pool{current_pool, &rooms};
    for (;;) {
      batch* next = nullptr;
      {
        std::unique_lock lock{guard_};
        changed_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        next = waiting_.front();
        waiting_.pop_front();
        room_.notify_one();
      }
      take(*next);
    }
  }

  void take(batch& one) noexcept {
    for (const auto& each : one.what.records) {
      one.try_to_take({each.header, one.what.bytes.view().subspan(each.at, each.size)});
    }
    one.what.clear();
    const std::lock_guard lock{guard_};
    left_.push_back(std::move(one.what));  // there is room, see begin_batch()
  }

  /// The helpers take what waits, and end.
  void close() noexcept {
    {
      const std::lock_guard lock{guard_};
      closed_ = true;
      changed_.notify_all();
    }
    for (auto& each : helpers_) each.join();
    helpers_.clear();
    closed_ = false;  // nobody else is left
  }

  world& all_;
  const snapshot_facts& facts_;
  std::size_t most_;             ///< helpers; 0: there are none, and nothing is copied
  const bool alone_;             ///< who takes records
  std::deque<batch> batches_{};  ///< never moved
  std::vector<std::thread> helpers_{};

  std::mutex guard_{};  ///< of what follows
  std::condition_variable changed_{};
  std::condition_variable room_{};  ///< for who reads alone
  std::deque<batch*> waiting_{};
  std::vector<copies> left_{};  ///< of batches that are taken, empty
  bool closed_ = false;
};

}  // namespace cairn::detail
