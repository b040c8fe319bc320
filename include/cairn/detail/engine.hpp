// The running system: what a step of a worker does, and what reaches it from outside.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "../options.hpp"
#include "../scheduler.hpp"
#include "auditor.hpp"
#include "balance.hpp"
#include "coordinator.hpp"
#include "deaths.hpp"
#include "ending.hpp"
#include "homes.hpp"
#include "lingering.hpp"
#include "opening.hpp"
#include "outside.hpp"
#include "resting.hpp"
#include "restore.hpp"
#include "run_queue.hpp"
#include "standstill.hpp"
#include "survey.hpp"
#include "turns.hpp"
#include "watching.hpp"

namespace cairn::detail {

class engine : public homes {
 public:
  engine(options chosen, registry known)
      : options_{std::move(chosen)},
        writer_{options_.store, options_.epoch.write_buffer, [this] { wake(*workers.front()); },
                [this] { wake_writer(); }, [this] { wake_all(); }},
        leader_{*this, writer_, options_.epoch},
        chance_{options_.seed ? *options_.seed : std::random_device{}()} {
    types = std::move(known);
    time = options_.clock ? std::move(options_.clock) : std::make_unique<machine_clock>();
    default_ask_timeout = options_.ask_timeout;
    max_history = options_.max_history;
    least_event = options_.least_event;
    make_workers();
    set_up_audits(*this, options_.audit, options_.seed.value_or(0));
    try {
      open_store();
    } catch (...) {
      const scoped_current<worker> scope{current_worker, workers.front().get()};
      tear_down_all(*this);  // what had been restored until then
      drop_lanes(*this);
      throw;
    }
  }
  ~engine() override {
    halt();
    drop_lanes(*this);  // what was sent to a system that had ended
  }

  // Before `start`.
  [[nodiscard]] bool was_restored() const noexcept { return found_.latest.has_value(); }
  [[nodiscard]] const restored_counts& restored() const noexcept { return counts_; }

  /// Lets the workers run, on the scheduler.
  void start() {
    scheduler_ = make_scheduler(seats::workers);
    writing_ = make_scheduler(seats::writer);
    writing_->start(1, [this](unsigned) { return step_outcome{writer_.step(), dog_.look()}; });
    runs_.start(make_scheduler(seats::runs), run_notes);
    scheduler_->look_by([this](unsigned at) { return workers[at]->is_queued_for(); });
    scheduler_->start(static_cast<unsigned>(workers.size()),
                      [this](unsigned at) { return step(*workers[at]); });
    running_.store(true, std::memory_order_seq_cst);  // pairs with wake()
    board_.set_running(true);
    wake_all();
    wake_writer();
  }

  /// Ends every thread. What no committed epoch covers is lost, except for who resumes.
  void halt() noexcept {
    if (std::exchange(halted_, true)) return;
    if (scheduler_) scheduler_->stop();
    running_.store(false, std::memory_order_seq_cst);  // pairs with wake()
    board_.set_running(false);
    beside.stop();
    runs_.stop();
    if (writing_) writing_->stop();
    while (writer_.step()) {  // the last jobs are done too
    }
    asks_.close(errc::stopped);
    const scoped_current<worker> scope{current_worker, workers.front().get()};
    tear_down_all(*this);
    drop_lanes(*this);
  }

  // Of the world. Before the start nobody sleeps; start() wakes all.
  void wake(worker& sleeping) noexcept override {
    if (running_.load(std::memory_order_seq_cst)) scheduler_->wake(sleeping.index);
  }
  void nudge(worker& sleeping) noexcept override {
    if (running_.load(std::memory_order_seq_cst)) scheduler_->nudge(sleeping.index);
  }
  void report(const event& what) noexcept override {
    try {
      if (options_.on_event && tells_of(what.kind)) options_.on_event(what);
    } catch (...) {  // a subscriber must not throw; nothing can be done about it here
    }
  }
  void answer_outside(envelope_ptr reply) override { asks_.answer(std::move(reply)); }
  void fail(std::exception_ptr why) noexcept override {
    writer_.bar();
    const std::lock_guard lock{guard_};
    if (!failure_) failure_ = std::move(why);
    if (on_failure_) on_failure_();
  }
  [[nodiscard]] bool has_write_room() const noexcept override { return writer_.has_room(); }
  void write(buffer& records) override { writer_.append(records); }
  void add_prepare(std::function<void()> prepare) override {
    leader_.add_prepare(std::move(prepare));
  }
  void spoil_epoch(const std::string& why) override { writer_.spoil(why); }

  /// Announced, so that a flip can wait for it: between stamp and link nobody may close the stamp's
  /// epoch. It announces and then reads the epoch again; the coordinator raises that, then looks.
  void send_from_outside(envelope_ptr message) override {
    if (is_taken_from_outside(*this, message.get())) return (void)message.release();
    std::uint64_t stamp = now_epoch.load(std::memory_order_seq_cst);
    for (;;) {
      pause_point();
      announced[stamp % 2].fetch_add(1, std::memory_order_seq_cst);
      pause_point();
      const std::uint64_t again = now_epoch.load(std::memory_order_seq_cst);
      if (again == stamp) break;
      announced[stamp % 2].fetch_sub(1, std::memory_order_seq_cst);
      stamp = again;
    }
    message->sent = epoch{stamp};
    // One lane for each actor keeps the order of what one thread sends to it.
    worker& by = *workers[message->to->slot_index % workers.size()];
    pause_point();
    by.lane.push(message.release());
    pause_point();
    announced[stamp % 2].fetch_sub(1, std::memory_order_release);  // pairs with sends_under_way()
    pause_point();
    wake(by);
  }

  void start_run(address of, outside_run work) override {
    runs_.post(of, std::move(work),
               [this](envelope_ptr reply) { send_from_outside(std::move(reply)); });
  }
  void want_epoch() noexcept override { leader_.request(); }
  [[nodiscard]] std::uint64_t random() override {
    const std::lock_guard lock{guard_};
    return chance_();
  }

  // For the whole.
  [[nodiscard]] bool is_running() const noexcept {  // between start() and halt()
    return running_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] coordinator& leader() noexcept { return leader_; }
  [[nodiscard]] outside_asks& asks() noexcept { return asks_; }
  [[nodiscard]] survey& board() noexcept { return board_; }
  [[nodiscard]] standstill& pauses() noexcept { return pauses_; }
  [[nodiscard]] snapshot_writer& writer() noexcept { return writer_; }
  [[nodiscard]] any_store& store() noexcept { return options_.store; }
  [[nodiscard]] const options& chosen() const noexcept { return options_; }
  [[nodiscard]] std::exception_ptr failure() const {
    const std::lock_guard lock{guard_};
    return failure_;
  }
  /// Before the start: called once the system cannot go on, by any thread.
  void on_failure(std::function<void()> call) { on_failure_ = std::move(call); }
  /// Before the start: called by the first worker when an epoch has ended.
  void on_epoch_end(std::function<void(const epoch_end&)> call) { on_end_ = std::move(call); }
  [[nodiscard]] turns& turns_of(worker& one) noexcept { return *turns_[one.index]; }

  /// Does a bounded part of what there is to do for one worker. One thread at a time.
  [[nodiscard]] step_outcome step(worker& mine) {
    const scoped_current<worker> scope{current_worker, &mine};
    const scoped_current<runtime> system{current_runtime, this};
    const stepping moment{mine};
    turns& own = *turns_[mine.index];
    bool busy = false;
    try {
      busy = take_part(mine, own);
      if (mine.holding) {
        if (mine.index == 0) (void)leader_.poll(on_end_);
        return {};
      }
      busy = board_.take_part(mine) || busy;
      pauses_.take_part(mine);
      own.outside().take(resting.load(std::memory_order_relaxed));  // published by the stage
      own.mail().take_wakes();
      own.fire_timers();
      bring_together(*this, mine);
      mine.ran = mine.still ? run_root(mine, own) : run_ready(mine, own);
      busy = mine.ran || busy;
      if (leader_.consumed().look(mine)) wake(*workers.front());
      busy = audit_next(*this, mine) || busy;
      answer_beggar(*this, mine);
      if (mine.index == 0) {
        busy = leader_.poll(on_end_) || busy;
        asks_.expire(mine.now);
        tend(mine);
      }
    } catch (...) {
      fail(std::current_exception());
      return {};
    }
    if (busy || !mine.ready.empty()) return {true};
    return beg(*this, mine), step_outcome{false, wait_of(mine)};
  }

 protected:
  [[nodiscard]] run_queue& runs() noexcept { return runs_; }
  /// What the system stands on now. While no worker runs.
  void stand_on(epoch to, const restored_counts& counts) {
    counts_ = counts;
    found_.latest = raw(to) != 0 ? std::optional{to} : std::nullopt;
  }
  /// Called by the first worker at the end of each of its steps.
  virtual void tend(worker& /*first*/) {}

 private:
  [[nodiscard]] std::unique_ptr<scheduler> make_scheduler(seats of) const {
    if (options_.schedulers) return options_.schedulers(of);
    const bool given = of == seats::workers && options_.executor;
    if (given) return std::make_unique<executor_scheduler>(options_.executor);
    return std::make_unique<thread_scheduler>();
  }

  void wake_writer() noexcept {
    if (running_.load(std::memory_order_seq_cst)) writing_->wake(0);  // as in wake()
  }

  void wake_all() noexcept {
    for (const auto& each : workers) wake(*each);
  }

  void make_workers() {
    unsigned count = options_.workers;
    if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
    for (unsigned at = 0; at < count; ++at) {
      workers.push_back(std::make_unique<worker>(at));
      turns_.push_back(std::make_unique<turns>(*this, *workers.back()));
      workers.back()->here.system = this;
    }
    // All workers may find room at once: what they bring then is little.
    sweep_bytes = std::min(sweep_bytes, options_.epoch.write_buffer / 4 / count);
    board_.prepare();
    cells.reserve(2);  // the root's cell is the first one, always
    cells.at(1)->id.store(actor_id{1}, std::memory_order_relaxed);  // nobody runs yet
  }

  void open_store() {
    found_ = options_.store.open(opening_of(options_, *this));
    if (options_.as_of && found_.latest != options_.as_of) {
      throw error{errc::not_found, options_.store.describe() + " does not go back to a snapshot"};
    }
    name_table names;
    for (const auto& [hash, type] : types.actors) names[hash] = type.name;
    for (const auto& [hash, ops] : types.messages) names[ops->hash] = ops->name;
    next_id.store(2, std::memory_order_relaxed);  // nobody runs yet; 1 is the root
    if (found_.latest) restore(*found_.latest);
    watch_deaths(*this, options_.store, found_.latest.value_or(epoch{}));
    // The root asks under numbers that no run of the program before has used: an answer to one of
    // those may still be under way. They begin again some day, far below the numbers of words.
    const std::uint64_t now = now_epoch.load(std::memory_order_relaxed);  // nobody runs yet
    cells.at(1)->next_number = (now % (std::uint64_t{1} << 30U)) << 32U;
    for (const auto& each : workers) {
      each->seen = epoch{now_epoch.load(std::memory_order_relaxed)};  // nobody runs yet
    }
    leader_.set_names(std::move(names));
    leader_.set_program(options_.program_version);
  }

  void restore(epoch latest) {
    restorer from{*this};
    now_epoch.store(first_epoch(found_), std::memory_order_relaxed);  // nobody runs yet
    from.read(options_.store, latest, options_.program_version, options_.other_version);
    counts_ = from.counts();
    committed.store(raw(latest), std::memory_order_relaxed);
    from.settle();
    from.tell();
    warn_of_savepoints(found_, *this);
  }

  /// The worker's part of an epoch. True: more of it is to do.
  bool take_part(worker& mine, turns& own) {
    const std::uint64_t asked = stage.load(std::memory_order_acquire);  // pairs with enter()
    if (asked == mine.stage_done) return false;
    const epoch number{stage_epoch.load(std::memory_order_relaxed)};  // published by `stage`
    cutter& cut = own.mail().begin_stage();
    switch (static_cast<phase>(asked % phases)) {
      case phase::rest:
        count_unfinished(*this, mine);
        break;
      case phase::flip:
        cut.acknowledge(next(number));
        break;
      case phase::drain:
        own.outside().take_all();
        own.mail().take_wakes();
        break;
      case phase::sweep:
        if (!mine.sweep_begun) own.mail().take_wakes();
        if (!mine.slices.take(*time, [&] { return cut.sweep(); })) return !cut.waits_for_room();
        break;
      case phase::keep:
        if (cut.close()) own.take_commit(number);
        if (!mine.slices.take(*time, [&] { return cut.keep(); })) return true;
        own.buried().leave_closed(number);
        break;
      case phase::abandon:
        cut.splice_back();
        own.go_on();
        abandon_retained(*this, mine, number);
        break;
      default:  // a rollback's
        mine.holding = static_cast<phase>(asked % phases) == phase::hold;
        break;
    }
    mine.stage_done = asked;
    mine.slices.end();
    // pairs with the acquire load in coordinator::everybody_has()
    if (stage_waits.fetch_sub(1, std::memory_order_acq_rel) == 1) wake(*workers.front());
    return true;
  }

  /// While all pause.
  bool run_root(worker& mine, turns& own) {
    if (!standstill::set_aside(mine)) return false;
    own.activate(*cells.at(1));
    return true;
  }

  [[gnu::noinline]] bool run_ready(worker& mine, turns& own) {
    bool ran = false;
    slice_watch watch{*this, mine, options_.slow_turn};
    lingering ready{*this, mine, own.mail()};
    for (int at = 0; at < slice; ++at) {
      cell* one = ready.next();
      if (one == nullptr) break;
      ran = true;
      own.activate_here(mine, *one);
      if (!watch.look(*one)) break;
      // Relaxed: the next step's take_part() reads it again, with acquire.
      if (stage.load(std::memory_order_relaxed) == mine.stage_done) continue;
      if (mine.slices.is_over(*time)) break;
    }
    mine.load.store(mine.ready.size(), std::memory_order_relaxed);  // a hint for beggars
    if (mine.ready.size() > 1 && shares(*this, mine)) rouse(*this, mine);
    return ran;
  }

  [[nodiscard]] std::chrono::nanoseconds wait_of(const worker& mine) const {
    std::chrono::nanoseconds due{-1};
    const auto earlier = [&](std::chrono::nanoseconds other) {
      if (other.count() > 0 && (due.count() < 0 || other < due)) due = other;
    };
    if (!mine.timers.empty()) earlier(mine.timers.front().due);
    if (mine.index == 0) {
      earlier(leader_.next_due());
      earlier(asks_.next_deadline());
    }
    return due.count() < 0 ? due : std::max(due - time->steady(), std::chrono::nanoseconds{0});
  }

  options options_;
  std::unique_ptr<scheduler> scheduler_{}, writing_{};
  watchdog dog_{*this, options_.stuck_turn};  // the writer's thread
  std::atomic<bool> running_{false};
  bool halted_ = false;
  snapshot_writer writer_;
  coordinator leader_;
  std::vector<std::unique_ptr<turns>> turns_{};
  outside_asks asks_{};
  survey board_{*this};
  standstill pauses_{*this};
  opened found_{};
  restored_counts counts_{};
  std::function<void(const epoch_end&)> on_end_{[](const epoch_end&) {}};
  std::function<void()> on_failure_{};

  mutable std::mutex guard_{};  ///< of what follows
  std::exception_ptr failure_{};
  std::mt19937_64 chance_;

  run_queue runs_{options_.run_threads};
};

}  // namespace cairn::detail
