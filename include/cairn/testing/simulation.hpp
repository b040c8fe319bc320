// A whole system in one thread with a seed: every interleaving of its workers, its writer and
// threads outside, crashes like a power failure, and the same run again from the same seed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../file_store.hpp"
#include "../root.hpp"
#include "../system.hpp"
#include "detail/actor_faults.hpp"
#include "detail/machine.hpp"
#include "faults.hpp"

namespace cairn::testing {

/// How a simulation differs from another.
struct simulation_options {
  std::uint64_t seed = 1;
  unsigned workers = 2;
  disk_faults disk{};
  outside_faults outside{};  ///< of what threads of `simulation::outside` tell and ask
  std::vector<actor_fault> actors{};
  file_store_options store{.segment_bytes = 4096};
  /// Sets what else the program sets. Store, clock, schedulers, seed and workers are the
  /// simulation's.
  std::function<void(options&)> configure{};
  event_handler on_event{};
  std::uint64_t most_steps = 10'000'000;  ///< of one `run`, which then throws: nothing should spin
};

/// A program of `Actors` in a simulated process, on a simulated machine.
///
/// The process's threads are played one at a time, from pause to pause: turn boundaries, and every
/// step of a message's way between threads. Time stands still while anything is ready, and then
/// goes on to the next deadline. The disk keeps over a crash what a disk may keep.
///
/// Preconditions: handlers and runs do not block, and use `self.now()`, `self.random()` and
/// nothing of the machine's. One simulation at a time on a thread.
template <class Actors>
class simulation {
 public:
  explicit simulation(simulation_options chosen = {})
      : chosen_{std::move(chosen)},
        machine_{chosen_.seed},
        disk_{chosen_.seed, chosen_.disk},
        actor_faults_{chosen_.actors},
        chance_{chosen_.seed, "faults"} {
    machine_.on_reached([this](std::string_view what) { ++reached_[std::string{what}]; });
    machine_.on_outside(
        [this](detail::runtime& to, detail::envelope* message) { return mishandle(to, message); });
    disk_.on_operation = [this](std::string_view what, const std::string& path) {
      machine_.note(what);
      machine_.note(path);
      detail::pause_point();
    };
    disk_.on_write = [this](bytes_view bytes) {
      machine_.note({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    };
    disk_.sleep = [this](std::chrono::nanoseconds span) { machine_.sleep(span); };
  }
  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;
  ~simulation() {
    if (process_) end_process();
  }

  /// A process begins over what the disk holds.
  ///
  /// Preconditions: none runs. Errors: what opening the store throws.
  void start(application app) {
    detail::check(!process_, "a process runs already");
    dying_ = false;
    finished_.reset();
    thrown_ = nullptr;
    detail::registry types;
    Actors::describe(types);
    actor_faults_.take_over(types);
    process_ = std::make_unique<detail::program>(make_options(), std::move(types));
    take_small_portions();
    process_->begin(std::move(app), [this](int code, std::exception_ptr why) {
      finished_ = code;
      thrown_ = std::move(why);
    });
  }

  /// One step of one thread. False: nothing will ever happen again.
  bool step() {
    check_steps();
    const detail::scoped_current<detail::actor_faults> faults{detail::current_actor_faults,
                                                              &actor_faults_};
    return machine_.step();
  }

  /// Runs until `done()` holds, the system fails or nothing will ever happen again. True: `done()`.
  bool run_until(const std::function<bool()>& done) {
    steps_at_begin_ = machine_.steps();
    while (!done()) {
      if (failed() || !step()) return done();
    }
    return true;
  }
  /// Until the root task has ended.
  ///
  /// Returns: its result; nothing where it never ends or the process cannot go on. Throws what it
  /// threw.
  std::optional<int> run() {
    (void)run_until([this] { return finished_.has_value(); });
    if (thrown_) std::rethrow_exception(thrown_);
    return finished_;
  }
  /// Runs this many steps, or until the root task has ended or nothing will ever happen.
  void run_steps(std::uint64_t count) {
    steps_at_begin_ = machine_.steps();
    for (; count > 0 && !finished_ && !failed() && step(); --count) {
    }
  }
  /// Whether the root task of the present process has ended.
  [[nodiscard]] bool ended() const noexcept { return finished_.has_value(); }

  /// The orderly end of a process whose root task has ended: a last epoch, its outputs published.
  ///
  /// Returns: whether that epoch was committed. Where power fails before, the process is still to
  /// be ended, by `crash`; it may also fail behind that, while files are removed.
  bool finish() {
    auto last = std::make_shared<std::optional<detail::epoch_end>>();
    process_->request_last_epoch([last](const detail::epoch_end& end) { *last = end; });
    const auto published = [this] {
      return process_->notices.load(std::memory_order_acquire) <= 0 || paused() || disk_.crashed();
    };
    const bool ended = run_until([&] { return last->has_value() || disk_.crashed(); });
    const bool committed = ended && last->has_value() && (*last)->committed && run_until(published);
    if (disk_.crashed()) return false;
    end_process();
    return committed;
  }

  /// As `system::rollback`: soon, where no epoch is open.
  void rollback() { process_->roll_back("the simulation asked for it"); }

  /// As `system::pause`: no actor but the root task handles anything, soon.
  void pause() { process_->pauses().request(true); }
  /// As `system::resume`.
  void resume() { process_->pauses().request(false); }
  /// Whether all actors pause.
  [[nodiscard]] bool paused() const noexcept {
    return process_->paused.load(std::memory_order_relaxed);  // one thread plays all
  }

  /// Power fails: what was not synced may be lost, torn or reordered. The process is gone.
  void crash() {
    dying_ = true;
    disk_.crash();
    end_process();
  }
  /// The process dies, the machine does not: what was written is there.
  void kill() {
    dying_ = true;
    disk_.kill();
    end_process();
  }
  /// A thread outside the system, played like any other. It may send, and ask with a handler; it
  /// ends when `body` returns, and with the process at the latest.
  void outside(std::function<void()> body) { add_thread(std::move(body)).outside = true; }

  /// Moves the clocks, as where a machine slept.
  void advance(std::chrono::nanoseconds by) { machine_.advance(by); }
  /// The wall clock alone jumps, which `self.now()` reads, also back. Nothing falls due by it.
  void jump(std::chrono::nanoseconds by) { machine_.jump(by); }
  [[nodiscard]] std::chrono::nanoseconds now() const noexcept { return machine_.now(); }

  [[nodiscard]] std::uint64_t seed() const noexcept { return chosen_.seed; }
  /// The same for two runs that were the same to the byte.
  [[nodiscard]] std::uint64_t trace() const noexcept { return machine_.trace(); }
  [[nodiscard]] std::uint64_t steps() const noexcept { return machine_.steps(); }
  /// How often each seldom path of the library was reached, by its name.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& reached() const noexcept {
    return reached_;
  }
  [[nodiscard]] simulated_disk& disk() noexcept { return disk_; }
  /// What the latest process sees of it: for another store of the program, such as a clone.
  [[nodiscard]] std::shared_ptr<detail::disk> mounted() const noexcept { return mounted_; }
  /// What the present process found in the store.
  [[nodiscard]] const detail::restored_counts& restored() const { return process_->restored(); }
  /// Why the process cannot go on, or could not when it was ended, if that is so.
  [[nodiscard]] std::exception_ptr failure() const {
    return process_ ? process_->failure() : failure_;
  }
  /// A number below `bound` for the test's own decisions.
  [[nodiscard]] std::uint64_t chance(std::uint64_t bound) { return chance_.below(bound); }
  /// Whether power has failed: what the process still does, nobody sees. A test's own outputs look.
  [[nodiscard]] bool dying() const noexcept { return dying_; }
  /// For cairn itself.
  [[nodiscard]] detail::program& inner() noexcept { return *process_; }

 private:
  [[nodiscard]] options make_options() {
    options made;
    made.epoch.every = std::chrono::milliseconds{10};
    made.slow_turn = made.stuck_turn = {};
    if (chosen_.configure) chosen_.configure(made);
    mounted_ = disk_.mount();
    made.store = file_store{"store", chosen_.store, mounted_};
    made.clock = std::make_unique<detail::sim_clock>(machine_);
    made.workers = chosen_.workers;
    made.seed = chance_.below(~std::uint64_t{0});
    made.schedulers = [this](seats) { return std::make_unique<detail::sim_scheduler>(machine_); };
    made.on_event = [this](const event& what) {
      machine_.note(to_string(what.kind));
      machine_.note(what.text);
      if (chosen_.on_event && !dying_) chosen_.on_event(what);
    };
    return made;
  }

  /// The less is done between two looks around, the more happens in between. Actors move often.
  void take_small_portions() {
    process_->always_shares = !chance_.one_in(8);
    process_->lingers = static_cast<int>(chance_.below(3));
    process_->slice = static_cast<int>(1 + chance_.below(4));
    if (!chance_.one_in(3)) process_->budget = static_cast<int>(1 + chance_.below(4));
    if (!chance_.one_in(3)) process_->sweep_visits = static_cast<int>(1 + chance_.below(4));
    if (!chance_.one_in(3)) {
      const std::size_t portion = std::size_t{1} << chance_.below(6);
      process_->sweep_bytes = 64 * portion;
      process_->sweep_looks = portion;
    }
  }

  [[nodiscard]] bool failed() const { return process_ && process_->failure() != nullptr; }

  void check_steps() const {
    if (machine_.steps() - steps_at_begin_ < chosen_.most_steps) return;
    throw error{errc::timeout, "seed " + std::to_string(chosen_.seed) + ": no end after " +
                                   std::to_string(chosen_.most_steps) + " steps"};
  }

  detail::sim_thread& add_thread(std::function<void()> body) {
    outside_.push_back(std::make_unique<detail::sim_thread>(std::move(body)));
    outside_.back()->called = true;
    machine_.add(*outside_.back());
    return *outside_.back();
  }

  /// True: it comes later.
  [[nodiscard]] bool mishandle(detail::runtime& to, detail::envelope* message) {
    if (message->kind != detail::envelope_kind::message) return false;
    if (on_its_way_.happens(chosen_.outside.duplicated)) {
      send_later(to, detail::copy_of(*message));
    }
    if (!on_its_way_.happens(chosen_.outside.delayed)) return false;
    send_later(to, detail::envelope_ptr{message});
    return true;
  }
  void send_later(detail::runtime& to, detail::envelope_ptr message) {
    if (!message) return;
    const auto most = static_cast<std::uint64_t>(chosen_.outside.late_by.count());
    const std::chrono::nanoseconds late{on_its_way_.below(most + 1)};
    // A function can be copied, a message cannot.
    auto kept = std::make_shared<detail::envelope_ptr>(std::move(message));
    (void)add_thread([this, &to, kept, late] {
      machine_.sleep(late);
      to.send_from_outside(std::move(*kept));
    });
  }

  void end_process() {
    // By number: a thread's last message may be on its way by another one.
    for (std::size_t at = 0; at < outside_.size(); ++at) {
      detail::sim_thread& each = *outside_[at];
      each.within = each.stack.begun();
      machine_.finish(each);
      machine_.remove(each);
    }
    outside_.clear();
    if (process_) failure_ = process_->failure();
    process_.reset();
  }

  simulation_options chosen_;
  detail::sim_machine machine_;
  simulated_disk disk_;
  detail::actor_faults actor_faults_;
  detail::sim_random chance_;
  detail::seeded_chance on_its_way_{chosen_.seed};
  std::map<std::string, std::uint64_t> reached_{};
  std::shared_ptr<detail::disk> mounted_{};
  std::unique_ptr<detail::program> process_{};
  std::vector<std::unique_ptr<detail::sim_thread>> outside_{};
  std::optional<int> finished_{};
  bool dying_ = false;  ///< power has failed: what the process still does, nobody sees
  std::exception_ptr thrown_{};
  std::exception_ptr failure_{};  ///< of the process before
  std::uint64_t steps_at_begin_ = 0;
};

}  // namespace cairn::testing
