// What belongs to one worker: its ready actors, its timers, its part of the epoch protocol. A
// worker is data that `engine::step` works on; which thread calls that is the scheduler's affair.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive_keeper.hpp"
#include "audit_queue.hpp"
#include "cell.hpp"
#include "pace.hpp"
#include "slice_share.hpp"
#include "touched_cells.hpp"
#include "turn.hpp"
#include "turn_note.hpp"

namespace cairn::detail {

/// Actors with something to do. The home worker's alone.
///
/// First come, first served, but for who has just been born: the children of the latest turn go
/// first, in the order of their birth, so that a tree of a million actors is walked in depth and
/// few of them live at once. Who waits longer has every fifth turn, and is not overtaken by more
/// than `most_young` children of others.
class ready_queue {
 public:
  [[gnu::always_inline]] void push(cell& one) noexcept { add(others_, one); }
  /// One that may not be wanted, and then is to be put back.
  struct taken {
    cell* one = nullptr;
    bool young = false;
  };
  [[nodiscard]] taken take_one() noexcept {
    const cell* first = others_.head;
    cell* one = pop();
    return {one, one != first};
  }
  /// Those of several in the order opposite to that in which they were taken.
  void put_back(const taken& what) noexcept {
    cell& one = *what.one;
    if (one.ready) return;
    one.ready = true;
    chain& to = what.young ? young_ : others_;  // its siblings are still there, and come after it
    one.ready_next = to.head;
    if (to.head == nullptr) to.tail = &one;
    to.head = &one;
    ++count_;
  }
  /// Of one that has just been born.
  void push_young(cell& one) noexcept { add(born_, one); }

  [[nodiscard]] cell* pop() noexcept {
    if (born_.head != nullptr || young_.head != nullptr) [[unlikely]]
      return pop_one_of_both();
    return take(others_);
  }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  static constexpr std::size_t most_in_a_row = 4;
  static constexpr std::size_t most_young = std::size_t{1} << 20U;

  struct chain {
    cell* head = nullptr;
    cell* tail = nullptr;  ///< says nothing while there is no head

    /// Moves all of it in front of `of`.
    void go_before(chain& of) noexcept {
      if (head == nullptr) return;
      tail->ready_next = of.head;
      if (of.head == nullptr) of.tail = tail;
      of.head = head;
      *this = {};
    }
  };

  [[gnu::always_inline]] void add(chain& to, cell& one) noexcept {
    if (one.ready) return;
    one.ready = true;
    one.ready_next = nullptr;
    (to.head != nullptr ? to.tail->ready_next : to.head) = &one;
    to.tail = &one;
    ++count_;
  }
  [[nodiscard, gnu::always_inline]] cell* take(chain& from) noexcept {
    cell* first = from.head;
    if (first == nullptr) return nullptr;
    from.head = first->ready_next;
    first->ready = false;
    --count_;
    return first;
  }

  [[gnu::noinline]] cell* pop_one_of_both() noexcept {
    born_.go_before(young_);
    if (++overtaken_ > most_young) {  // from here on they are like the others
      others_.go_before(young_);
      std::swap(others_, young_);
      overtaken_ = 0;
    }
    if (young_.head == nullptr || (in_a_row_ >= most_in_a_row && others_.head != nullptr)) {
      in_a_row_ = 0;
      return take(others_);
    }
    ++in_a_row_;
    cell* first = take(young_);
    if (young_.head == nullptr) overtaken_ = 0;
    return first;
  }

  chain others_{};
  chain young_{};  ///< the youngest first, but children of one turn from the eldest on
  chain born_{};   ///< since the latest `pop`
  std::size_t count_ = 0;
  std::size_t in_a_row_ = 0;
  std::size_t overtaken_ = 0;
};

/// When an actor's timers are looked at. It counts where it is the actor's `next_look` still.
struct due_timer {
  std::chrono::nanoseconds due{};
  address of{};

  friend bool operator>(const due_timer& a, const due_timer& b) noexcept { return a.due > b.due; }
};

/// An output that waits for its epoch's commit.
struct held_output {
  epoch of{};
  envelope_ptr message{};
};
struct held_run {
  epoch of{};
  address by{};
  outside_run work{};
};

/// What a worker has done; read by others without any promise of the moment.
struct worker_counters {
  std::atomic<std::uint64_t> messages{0};  ///< each is a handler's first turn
  std::atomic<std::uint64_t> resumed{0};   ///< turns that went on
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> actors{0};
  std::atomic<std::uint64_t> restarts{0};

  [[nodiscard]] std::uint64_t turns() const noexcept {
    return messages.load(std::memory_order_relaxed) + resumed.load(std::memory_order_relaxed);
  }
  /// Only the worker itself adds, so a load and a store do.
  [[gnu::always_inline]] static void add(std::atomic<std::uint64_t>& counter,
                                         std::uint64_t more) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  static void take(std::atomic<std::uint64_t>& counter, std::uint64_t less) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) - less, std::memory_order_relaxed);
  }
};

/// Of a worker's figures, those that an epoch may be due for.
struct consumed {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

/// Who has left its cell.
struct leaver {
  actor_id id{};
  epoch at{};
  position consumed{};
  std::string name{};
};

/// Why the last of those who were stopped here were, for who asks when they are gone.
class stop_reasons {
 public:
  void add(actor_id who, std::string_view why) {
    if (last_.size() < most) last_.resize(most);
    one& oldest = last_[next_++ % most];
    oldest.who = who;
    oldest.why.clear();
    if (why != usual_stop) oldest.why.assign(why.substr(0, longest));
  }
  /// Nothing: it is not known, or not any more.
  [[nodiscard]] std::optional<std::string_view> find(actor_id who) const noexcept {
    for (const one& each : last_) {
      if (each.who == who) return each.why.empty() ? usual_stop : std::string_view{each.why};
    }
    return {};
  }
  void clear() noexcept { last_.clear(); }

 private:
  static constexpr std::size_t most = 256;
  static constexpr std::size_t longest = 1024;
  struct one {
    actor_id who{};
    std::string why{};  ///< empty: the usual reason
  };
  std::vector<one> last_{};
  std::size_t next_ = 0;
};

/// What has come for one actor and is not in its queue yet: rows, and what stands behind them. It
/// counts as if it stood in the actor's inbox still, and was pushed before what does.
struct unopened_rows {
  cell* whose = nullptr;  ///< null: there is nothing. Else it is ready, or set aside
  envelope_list left{};
  std::size_t messages = 0;  ///< in them
};

class worker {
 public:
  explicit worker(unsigned number) noexcept : index{number} {}

  const unsigned index;

  // Any thread pushes: a line of the cache by itself.
  /// By workers: actors with mail, actors given away.
  alignas(64) inbox<cell, &cell::wake_next> wakes{};
  envelope_inbox lane{};  ///< by threads outside; the worker sends on their behalf
  /// An idle worker that asks this one for actors; cleared by the answer.
  std::atomic<worker*> beggar{nullptr};

  // The worker's own.
  alignas(64) room_pool rooms{};
  archive_keeper archives{};
  ready_queue ready{};
  unopened_rows unopened{};
  /// Since the sweep of the open snapshot began, or that of the last one.
  touched_cells touched{touched_list::first};
  touched_cells sweeping{touched_list::second};  ///< to be visited for the open snapshot
  touched_cells swept{touched_list::third};      ///< visited
  std::vector<due_timer> timers{};               ///< a heap, the next one in front
  static constexpr std::size_t few_timers = 1024;
  std::size_t most_timers = few_timers;  ///< with more, those that do not count are looked for
  std::deque<held_output> held{};
  std::deque<held_run> held_runs{};
  std::vector<cell*> vacant{};            ///< cells to use again
  std::vector<cell*> tombs{};             ///< stopped, waiting for their epoch to close
  envelope_list intake{};                 ///< from outside, held back before a snapshot at rest
  envelope_list for_lost{};               ///< from outside, for who will be spawned again
  std::uint64_t lost_seen = 0;            ///< `lost_actors::changes` when that was looked through
  envelope_list retained{};               ///< copies of what came from outside since the last cut
  bool awaits_commit = false;             ///< before it takes more: see `retain`
  std::vector<cell*> rested{};            ///< ready, but a snapshot at rest comes first
  ready_queue set_aside{};                ///< ready, but all pause
  std::vector<due_timer> overdue{};       ///< as well
  std::vector<std::string> unfinished{};  ///< who has a handler that has not ended, of a few
  std::size_t unfinished_count = 0;
  stop_reasons reasons{};
  leaver left{};                     ///< the last one, for what is told of its last turn
  std::vector<address> listeners{};  ///< actors that want to be told of commits
  buffer records{};                  ///< of the open snapshot, not yet with the writer
  buffer encoding{};                 ///< room for a state while it becomes a base
  spare_bases bases{};
  turn here{};
  std::unique_ptr<audit_queue> audits{};  ///< null: nobody is audited

  std::chrono::nanoseconds now{};     ///< by the clock, when the present step looked
  std::chrono::nanoseconds coarse{};  ///< by the coarse one, at the same time
  std::chrono::nanoseconds looked{};  ///< by it, at the very end of the latest turn; 0: it was not
  epoch seen{};                       ///< the system's epoch when it last acknowledged
  bool holding = false;               ///< stands still for a rollback
  bool still = false;                 ///< no actor has a turn but the root task
  std::uint64_t still_number = 0;     ///< of the last such wish that it has followed
  bool open = false;                  ///< the snapshot of previous(seen) is open
  bool substantial = false;  ///< it handled something else than notices since it acknowledged
  bool sweep_begun = false;
  std::uint64_t stage_done = 0;
  slice_share slices{};  ///< of a stage that is not done
  bool sweep_counted = false;
  std::uint64_t visited = 0;  ///< by the present sweep
  std::uint64_t looks = 0;    ///< at waiting messages, as well
  std::uint64_t recorded = 0;

  consumed consumed_at_look{};       ///< at all workers' figures, see `consumption`
  std::atomic<std::size_t> load{0};  ///< ready actors, a hint for who is idle
  pace speed{};
  bool ran = false;             ///< an actor had a turn in the step before
  std::uint64_t lingered = 0;   ///< in that step: looks for others, see `lingering`
  unsigned vain = 0;            ///< how often in a row nobody came while it looked
  std::uint64_t sent_away = 0;  ///< messages to actors of other workers, a row as one
  std::uint64_t surveyed = 0;   ///< the last look that this worker has taken part in

  // Written by the worker, read by who asks why it does not answer; figures, and relaxed but for
  // whose name is looked at.
  std::atomic<std::uint64_t> steps{0};  ///< begun and ended: odd within a step
  std::atomic<actor_id> in_turn{};      ///< whose turn it is
  std::atomic<const cell*> in_cell{nullptr};
  std::atomic<const actor_type*> in_type{nullptr};
  std::atomic<const payload_ops*> in_message{nullptr};
  std::atomic<const char*> in_code{nullptr};  ///< what the actor does that is no turn
  worker_counters counters{};
  turn_note* note = nullptr;  ///< where what it is in outlives the process; null: nowhere

  /// Whether its next step takes actors that others have queued. Its own thread, between steps.
  [[nodiscard]] bool is_queued_for() const noexcept { return !holding && !wakes.empty(); }
  /// Whether a message of this worker's epoch may be put into the actor's queue as it stands: it
  /// lives here, has been touched in that epoch, and nothing is to come before. One that has been
  /// given away and is not yet taken is in no list, and so touched in no epoch.
  [[nodiscard, gnu::always_inline]] bool reaches(const cell& one) const noexcept {
    // pairs with the release in give_away(), as in delivery::is_here()
    return one.home.load(std::memory_order_acquire) == this && one.touched_in == seen &&
           one.box.incoming.seems_empty() && unopened.whose != &one;
  }
  /// Whether something stands outside that this worker has not taken. Any thread.
  [[nodiscard]] bool has_incoming() const noexcept { return !wakes.empty() || !lane.empty(); }

  void add_timer(const due_timer& one) {
    timers.push_back(one);
    std::push_heap(timers.begin(), timers.end(), std::greater<>{});
  }
  [[nodiscard]] due_timer take_timer() {
    std::pop_heap(timers.begin(), timers.end(), std::greater<>{});
    const due_timer first = timers.back();
    timers.pop_back();
    return first;
  }

  /// The actor's timers are looked at then, at the latest: an ask that is answered before needs no
  /// place of its own in time.
  void look_at(cell& one, std::chrono::nanoseconds due) {
    extra& more = one.rest();
    if (more.next_look <= due) return;
    more.next_look = due;
    add_timer({due, one.self()});
    if (timers.size() > most_timers) forget_replaced();
  }

  /// A look that an earlier one has replaced leaves its place behind. Before such places are most
  /// of the heap, it is made anew of the others.
  void forget_replaced() {
    timers.insert(timers.end(), overdue.begin(), overdue.end());
    overdue.clear();
    std::erase_if(timers, [this](const due_timer& each) {
      const cell& of = *each.of.where;
      // pairs with the release in give_away(); an actor with timers is never given away
      const bool lives = of.is(each.of.id) && of.home.load(std::memory_order_acquire) == this;
      return !lives || !of.more || of.more->next_look != each.due;
    });
    const auto place = [](const due_timer& each) { return std::pair{each.of.where, each.due}; };
    std::ranges::sort(timers, {}, place);
    const auto same = std::ranges::unique(timers, {}, place);
    timers.erase(same.begin(), same.end());
    std::make_heap(timers.begin(), timers.end(), std::greater<>{});
    most_timers = std::max(few_timers, 2 * timers.size());
  }

  /// Takes the cell out of the list that it is in, if it is in one.
  void unlist(cell& one) noexcept {
    for (touched_cells* each : {&touched, &sweeping, &swept}) {
      if (one.listed == each->mark()) return each->remove(one);
    }
  }
};

}  // namespace cairn::detail
