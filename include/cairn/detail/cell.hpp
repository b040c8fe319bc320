// One logical actor: it outlives its incarnations, and a ref points here.
//
// Cells live in slabs that are never given back to the operating system, so that whoever still
// holds a pointer may look at `id` and see that another actor lives here now.
//
// Who may touch what: `id`, `home`, `box.incoming` and `queued` any worker; the name may be read
// by threads outside, as `name_view` has it; everything else is for the home worker alone, at a
// turn boundary or within the actor's own turn.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "../ids.hpp"
#include "../reminder.hpp"
#include "children.hpp"
#include "frame.hpp"
#include "mailbox.hpp"
#include "notice.hpp"
#include "replay_log.hpp"
#include "spans.hpp"

namespace cairn::detail {

struct actor_type;
struct runtime;
struct turn;
class worker;

/// Where one answer is awaited. `number` is deterministic: replay asks under the same numbers.
struct slot {
  std::uint64_t number = 0;
  std::coroutine_handle<> waiter{};
  envelope_ptr value{};
  address from{};  ///< who is to answer; nobody for sleeps and runs
  errc code = errc::ok;
  bool arrived = false;
  std::string_view what{};  ///< the message's type, for the text of an error
};

enum class timer_kind : std::uint8_t {
  after,  ///< once, this long from when it was made; what a process is down does not count
  at,     ///< once, by the wall clock
  every,  ///< again and again; over a process's end by the wall clock
};

/// Something to happen at a time of the system's steady clock.
struct timer {
  std::uint64_t number = 0;
  std::chrono::nanoseconds due{};
  envelope_ptr message{};  ///< null: the await of this number ends
  bool ask = false;        ///< ends with `timeout`, else it is a sleep
  timer_kind kind = timer_kind::after;
  overdue missed = overdue::once;
  std::uint32_t owed = 0;  ///< how often it fires at once, before `due`
  std::chrono::nanoseconds period{};
  std::chrono::microseconds wall{};  ///< by the wall clock, since 1970; of `at` and `every`

  /// Its place in time. Not 0: that means never.
  [[nodiscard]] std::chrono::nanoseconds next() const noexcept {
    return owed > 0 ? std::chrono::nanoseconds{1} : due;
  }
};

/// What a local restart begins from: the state's bytes, and everything consumed since.
struct recovery {
  buffer state{};
  bool valid = false;
  bool replayed = false;     ///< by a restart: the next message finds a new one
  bool raw = false;          ///< `state` is the object itself, not its encoding
  std::uint32_t schema = 0;  ///< else in which it is encoded
  position at{};
  std::uint64_t next_number = 1;
  replay_log log{};

  /// Whether another actor may have its room: one like most. What the log held is gone then.
  [[nodiscard]] bool make_vacant() noexcept {
    constexpr std::size_t most_state = 512;
    if (state.room() > most_state) return false;
    log.clear();
    valid = replayed = raw = false;
    state.clear();
    return log.is_small();
  }
};

/// Bases of actors that need theirs no more, for the next ones. One thread at a time.
class spare_bases {
 public:
  [[nodiscard]] std::unique_ptr<recovery> take() {
    return count_ != 0 ? std::move(all_[--count_]) : std::make_unique<recovery>();
  }
  void give(std::unique_ptr<recovery> gone) noexcept {
    if (gone && count_ < all_.size() && gone->make_vacant()) all_[count_++] = std::move(gone);
  }

 private:
  std::array<std::unique_ptr<recovery>, 8> all_{};
  std::size_t count_ = 0;
};

/// What a handler had been handed when its actor was cut last.
struct recorded_history {
  std::size_t bytes = 0;  ///< as the cut wrote it
  std::size_t until = 0;  ///< bytes of the log then
};

/// The handler that has not ended yet.
struct activity {
  coroutine_frame running{};
  /// Takes the result out of the ended frame and answers; throws what the handler threw.
  void (*finish)(activity&, turn&) = nullptr;
  return_address answer{};
  std::string_view what{};
  std::uint16_t index = 0;
  notice_token notice{};         ///< where a commit's notice began it
  std::size_t history_from = 0;  ///< bytes of the log before what it was handed
  recorded_history recorded{};
};

/// Restored actors that wake one after the other, see `waking`.
struct wake_step {
  address who{};
  bool leads = false;     ///< who comes after it is woken once it has started
  bool restored = false;  ///< else it was born beside restored ones
};
struct wake_order {
  huge_vector<wake_step> steps{};
  address top{};  ///< who is told of its end: see `extra::below`
};
/// Those of `order` from `next` on are still to be woken.
struct wake_note {
  std::shared_ptr<const wake_order> order{};
  std::size_t next = 0;
  bool below = false;  ///< those below as well, whether or not they are declared
};

/// Of a supervisor right below the root task, while restored actors below it are being woken, or
/// are declared and about to be. By the first worker.
struct waking_below {
  bool under_way = false;
  std::vector<address> latecomers{};  ///< who comes next: declared, or born meanwhile
};

/// What a restart has taken.
struct restart_cost {
  std::chrono::nanoseconds whole{};
  std::uint64_t messages = 0;  ///< replayed
};

/// When an actor's timers are looked at: never.
inline constexpr auto no_look = std::chrono::nanoseconds::max();

/// What most actors never need.
struct extra {
  activity handler{};
  std::vector<slot> slots{};
  std::vector<timer> timers{};
  std::chrono::nanoseconds next_look = no_look;  ///< at them, by the home
  child_table children{};
  std::vector<address> watchers{};
  std::set<actor_id> watched{};  ///< ephemeral actors, which are in no snapshot
  std::vector<return_address> waiting_for_room{};
  std::vector<std::chrono::nanoseconds> restarts{};
  restart_cost restarted{};  ///< the last time, until it is told of
  std::size_t reserved_room = 0;
  std::uint32_t attempts = 0;            ///< of the turn that failed last
  std::string fault{};                   ///< with what, where it waits to be tried again
  std::uint32_t start_tries = 0;         ///< of `on_start` since it went well, in this process
  std::uint32_t failures = 0;            ///< in a row, for the backoff
  std::uint64_t told = 0;                ///< of which failure its supervisor, in this process
  std::chrono::nanoseconds failed_at{};  ///< the last of them
  child_options declared{};              ///< of a supervisor's child
  std::uint32_t first_schema = 0;        ///< in which that state is written
  buffer first_state{};                  ///< what it was spawned with, where it may begin again
  std::shared_ptr<const supervision> rules{};  ///< a supervisor's, for its children
  std::function<void(cell&)> rebuild{};        ///< of an ephemeral actor
  wake_note wakes{};                           ///< once it has started
  bool to_wake = false;  ///< dormant and declared, or below such a one; in no order yet
  std::unique_ptr<waking_below> below{};
};

/// What is looked at of an actor in whose turns, or between them, the process has died: see
/// `deaths`.
enum class caution : std::uint8_t {
  none,
  messages,    ///< each message, and the handler that is suspended
  everything,  ///< its replay and its start, too: nobody has resumed it since
  unwritten,   ///< as well; and until then nothing of it is serialized
};

/// Why an actor may not simply handle the next message of its mailbox. One look finds that there
/// is none.
struct hindrances {
  bool needs_start = false;   ///< `on_start` is due
  bool needs_replay = false;  ///< restored with a handler that was suspended
  bool dormant = false;       ///< restored or born beside such ones, not woken yet
  bool suspended = false;     ///< keeps state and mailbox, handles nothing
  bool paused = false;        ///< handles nothing until the restart that it waits for
  bool stopped = false;       ///< a tombstone
  caution careful = caution::none;
  bool retired = false;  ///< its type is

  [[nodiscard]] bool hindered() const noexcept {
    return std::bit_cast<std::uint64_t>(*this) != 0;  // all eight are 0
  }
};
static_assert(sizeof(hindrances) == sizeof(std::uint64_t));

/// Everything that is new with a new actor in the same cell.
struct cell_body : hindrances {
  const actor_type* type = nullptr;
  void* state = nullptr;  ///< a `holder<A>`, null between incarnations
  address parent{};
  /// Shared: a child may outlive its supervisor's state for as long as it takes to stop it.
  std::shared_ptr<const supervision> policy{};
  std::unique_ptr<recovery> saved{};
  std::unique_ptr<extra> more{};

  epoch at{};  ///< the actor's own epoch
  epoch stopped_in{};
  /// Of its first record in this process, before that of its birth. 0: others knew of it before.
  epoch known_since{};
  position consumed{};
  std::uint64_t next_number = 1;
  incarnation life{};

  bool changed = false;       ///< differs from its standing record
  bool on_disk = false;       ///< some snapshot holds a record of it
  bool diverged = false;      ///< its replay went another way, or failed; see `failures`
  bool open_handler = false;  ///< what it needs a replay for is a handler that had not ended
  bool abandons = false;      ///< that handler is to be given up
  bool entombed = false;      ///< stays, stopped, until its epoch is closed
  bool leads = false;         ///< others wake once it has started: see `extra::wakes`
  bool pinned = false;        ///< never given to another worker
};

/// In which of its home's lists of touched cells a cell is: see `touched_cells`.
enum class touched_list : std::uint8_t { none, first, second, third };

/// In lines of the cache: two of the body, one that other workers write to, one of the mailbox, one
/// of the home's lists. A message from another worker comes by way of the third alone.
struct alignas(64) cell : cell_body {
  // Any thread reads these.
  std::atomic<actor_id> id{};
  /// Changed by the home alone, while it holds the mark `queued`: who finds the mark clear and
  /// sets it may rely on the home it reads then.
  std::atomic<worker*> home{nullptr};
  cell* wake_next = nullptr;  ///< in a wake queue; belongs to who holds the mark
  runtime* owner = nullptr;
  std::uint32_t slot_index = 0;
  /// The cell whose actor the suspended handler waits for, 0: nobody's. Any thread reads it.
  std::atomic<std::uint32_t> awaits{0};
  /// Set by the pusher who queues the actor at its home, cleared by the home when it takes that
  /// entry, before it drains `box.incoming`: a push after the drain finds it clear and queues
  /// again.
  std::atomic<bool> queued{false};
  /// Which dormant actor is woken, and no word says so: see `rouse`. 0: none.
  std::atomic<std::uint8_t> woken{0};

  // The home worker's, but for `box.incoming`.
  touched_list listed = touched_list::none;
  bool touched_again = false;  ///< in the worker's epoch, while in the open snapshot's lists
  bool ready = false;          ///< in the home's ready queue
  bool moving = false;         ///< given away and not yet taken
  mailbox box{};
  cell* ready_next = nullptr;
  cell* touched_prev = nullptr;
  cell* touched_next = nullptr;
  epoch touched_in{};  ///< listed, and marked where that is due: one touch more does nothing
  /// The actor's for as long as it lives here, whatever body is put aside: threads outside
  /// read it too, see `name_view`.
  std::string name{};

  [[nodiscard]] extra& rest() {
    if (!more) more = std::make_unique<extra>();
    return *more;
  }
  [[nodiscard, gnu::always_inline]] bool busy() const noexcept {
    return more && more->handler.running;
  }
  /// Precondition: called by the home worker, or before the system runs.
  [[nodiscard]] address self() noexcept {
    return {this, id.load(std::memory_order_relaxed)};  // only the home changes it
  }
  [[nodiscard]] bool is(actor_id expected) const noexcept {
    // Relaxed: a stale answer only sends a message to a place that looks again.
    return id.load(std::memory_order_relaxed) == expected;
  }
  [[nodiscard]] slot* find_slot(std::uint64_t number) noexcept {
    if (!more) return nullptr;
    for (auto& one : more->slots) {
      if (one.number == number) return &one;
    }
    return nullptr;
  }
  /// What is awaited under this number is not ended by the time any more.
  void disarm(std::uint64_t number) {
    if (!more || more->timers.empty()) return;
    auto& all = more->timers;
    // Mostly it is the latest one, as in forget_slot().
    if (all.back().number == number && !all.back().message) return all.pop_back();
    std::erase_if(all, [&](const timer& each) { return each.number == number && !each.message; });
  }
  /// Whether it is paused for its own retry, and not for its supervisor. The word with which its
  /// backoff ends may have come already.
  [[nodiscard]] bool waits_for_backoff() const noexcept {
    const auto is_backoff = [](const timer& each) { return each.number == backoff_number; };
    return (more && std::ranges::any_of(more->timers, is_backoff)) || box.has_reply(backoff_number);
  }
  void forget_slot(std::uint64_t number) noexcept {
    if (!more || more->slots.empty()) return;
    auto& all = more->slots;
    if (all.back().number == number) return all.pop_back();
    std::erase_if(all, [&](const slot& one) { return one.number == number; });
  }
};

}  // namespace cairn::detail
