// Runs a workload in a simulation, with crashes and faults from the seed, and looks at everything
// that must hold.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "audit.hpp"
#include "divergences.hpp"
#include "interleaving.hpp"
#include "plan.hpp"
#include "stillness.hpp"

namespace simulated {

template <class Actors>
class driver {
 public:
  driver(const workload& what, std::uint64_t seed, cairn::event_handler watch = {})
      : what_{what},
        plan_{seed, "plan"},
        pauses_{seed, "pauses"},
        absences_{seed, "absences"},
        watch_{std::move(watch)},
        sim_{make_options(seed)} {
    if (what_.kills) sim_.disk().map_files();
  }

  /// Crashes and faults as the seed has it.
  verdict run() {
    return judge([this] {
      play();
      live_clones();
    });
  }
  /// One crash, before this operation of the disk; the verdict counts it if it came so far.
  verdict run_until(std::uint64_t operation) {
    return judge([&] { play_until(operation); });
  }

 private:
  static constexpr std::uint64_t most_crashes = 6;
  static constexpr std::uint64_t too_many_crashes = 100;
  static constexpr int most_abandoned = 300;  // in a row

  template <class Play>
  verdict judge(Play&& all) {
    verdict found;
    const auto before = std::exchange(outside, &world_);
    try {
      all();
    } catch (const std::exception& why) {
      world_.complaints.push_back(why.what());
    }
    if (world_.complaints.empty() && world_.result != what_.expected) {
      world_.complaints.push_back("ended with \"" + world_.result + "\", not \"" + what_.expected +
                                  "\"");
    }
    if (world_.complaints.empty() && world_.files != what_.files) {
      world_.complaints.push_back("other output was published");
    }
    if (!world_.complaints.empty()) found.complaint = world_.complaints.front();
    found.trace = sim_.trace();
    found.steps = sim_.steps();
    found.crashes = crashes_;
    found.audited = audited_;
    found.reached = sim_.reached();
    world_.dying = true;
    if (!found.complaint.empty()) sim_.kill();  // a handler may wait for that, see world.hpp
    outside = before;
    return found;
  }

  cairn::testing::simulation_options make_options(std::uint64_t seed) {
    world_.faults = cairn::detail::sim_random{seed, "handlers"};
    if (!plan_.one_in(3)) world_.one_turn_in = 5 + plan_.below(100);
    if (plan_.one_in(3)) faults_ = failing_disk(plan_, what_.reads);
    auto made = options_of(what_, seed, plan_);
    made.on_event = [this](const cairn::event& what) { hear(what); };
    return made;
  }

  void hear(const cairn::event& what) {
    const bool differs = what.kind == cairn::event_kind::diverged ||
                         what.kind == cairn::event_kind::nondeterministic;
    const bool given_up = what.kind == cairn::event_kind::given_up;
    if ((differs && !what_.strays.contains(what.name)) ||
        (given_up && !what_.gives_up.contains(what.name))) {
      complain(what.name + ": " + std::string{to_string(what.kind)} + ": " + what.text);
    }
    const bool buried = what.kind == cairn::event_kind::dead_letter;
    if (buried && sim_.inner().lost.is_lost(what.actor)) hearsay::note_given_up(*what.letter);
    if (what.kind == cairn::event_kind::committed) committed_ = what.at;
    if (what.kind == cairn::event_kind::committed) abandoned_ = 0;
    // Who waits for a commit would do so for ever.
    if (what.kind == cairn::event_kind::abandoned && ++abandoned_ == most_abandoned) {
      sim_.disk().set_faults({});
    }
    outran_ |= what.code == cairn::errc::write_buffer_full;
    const bool back = divergences::goes_back(what);
    rolls_back_ |= back;
    if (sim_.ended()) divergences_.end();
    divergences_.take(what, back && may_go_back());
    if (what.kind == cairn::event_kind::rolled_back) note_beginning();
    if (what_.watch) what_.watch(what);
    if (watch_) watch_(what);
  }

  /// Whether something was committed since the system has gone back.
  [[nodiscard]] bool may_go_back() {
    const auto& all = sim_.inner();
    return all.committed.load(std::memory_order_relaxed) >  // one thread plays all
           all.rolled_back_to.load(std::memory_order_relaxed);
  }

  /// Faults of the disk make no sense where a process begins: it would only not begin.
  void start() {
    rolls_back_ = false;
    world_.dying = false;
    world_.nudge = {};  // of the process before
    divergences_.begin();
    sim_.disk().set_faults({});
    sim_.start(what_.app);
    world_.disk = sim_.mounted();
    note_beginning();
    if (what_.check_start && !sim_.disk().crashed()) what_.check_start(sim_.inner());
    sim_.disk().set_faults(faults_);
    for (auto left = 1 + plan_.below(2); left > 0; --left) {
      sim_.outside([this, number = ++threads_] { talk(number); });
    }
  }
  void note_beginning() {
    const auto now = cairn::detail::micros_of(sim_.inner().wall_now());
    world_.began = std::max(world_.began, now);
  }
  /// What a thread outside does.
  void talk(std::uint64_t thread) {
    ++world_.talking;
    for (int at = 0; at < 300 && !world_.dying; ++at) {
      cairn::detail::pause_point();
      if (at % 15 != 0 || !world_.nudge) continue;
      auto& said = world_.said[thread];
      const auto nudge = world_.nudge;  // after a rollback there is another one
      if (const auto after = nudge({thread, said.size() + 1})) said.push_back(*after);
    }
    --world_.talking;
  }
  void die(bool power) {
    ++crashes_;
    world_.dying = true;
    pausing_ = world_.killed = false;
    power ? sim_.crash() : sim_.kill();
    sim_.disk().set_faults({});
    if (plan_.one_in(6)) spoil(sim_.disk(), stored_, plan_, committed_, what_.reads);
    audit();
    if (what_.absent) be_absent();
  }
  /// Nobody runs for a while, and somebody may set the clock.
  void be_absent() {
    sim_.advance(std::chrono::microseconds{absences_.below(20'000)});
    if (absences_.one_in(3)) sim_.jump(std::chrono::microseconds{absences_.below(20'000)});
    if (absences_.one_in(6)) sim_.jump(-std::chrono::microseconds{absences_.below(4'000)});
  }

  /// What the threads of a dead process said after its last snapshot is lost.
  void forget_words(std::optional<cairn::epoch> latest) {
    for (auto& [thread, epochs] : world_.said) {
      std::erase_if(epochs, [&](const auto each) { return !latest || each > *latest; });
      hearsay::forget_behind({thread, epochs.size()});
    }
  }

  /// Between two processes, and at the end: every snapshot that the store has.
  void audit() {
    const cairn::detail::scoped_current<cairn::detail::pauser> nobody{cairn::detail::current_pauser,
                                                                      nullptr};
    cairn::file_store store{"store", stored_, sim_.disk().mount()};
    cairn::opened found;
    std::string warnings;
    try {
      found = store.open({.read_only = true, .warn = [&](const auto& text) { warnings += text; }});
    } catch (const cairn::error& why) {
      if (why.code() != cairn::errc::not_found) throw;  // nobody has come so far as to make one
    }
    if (found.latest < committed_) complain("a committed epoch is lost");
    committed_ = found.latest;
    forget_words(found.latest);
    world_.dying = false;
    world_.auditing = true;
    if (what_.check_disk) what_.check_disk(sim_.disk().mount());
    for (const auto& each : found.snapshots) {
      // What a flipped bit has spoilt, other than the latest, the store says when it is opened.
      const auto named = "snapshot " + std::to_string(raw(each.number)) + " is damaged";
      if (warnings.find(named) == std::string::npos) audit(store, each.number, found.latest);
    }
    world_.auditing = false;
    world_.dying = true;
  }
  void audit(cairn::file_store& store, cairn::epoch number, std::optional<cairn::epoch> latest) {
    cairn::detail::registry types;
    Actors::describe(types);
    const snapshot one{store, number, std::move(types)};
    consistency{one}.check();
    if (what_.check) what_.check(one);
    if (what_.check_latest && latest == number) what_.check_latest(one);
    ++audited_;
  }

  void play() {
    std::uint64_t wanted = plan_.below(most_crashes + 1);
    const std::uint64_t apart = std::uint64_t{20} << plan_.below(9);
    start();
    if (wanted > 0 && !plan_.one_in(4)) spread();
    if (wanted == 0) spend(pauses_.below(apart));
    while (crashes_ < wanted) {
      spend(plan_.below(apart));
      if (sim_.ended() && !sim_.disk().crashed()) break;
      if (!did_not_begin()) throw_on_failure();
      if (world_.killed) ++wanted;  // it is not one of ours
      if (!world_.killed && !sim_.disk().crashed() && !sim_.failure() && plan_.one_in(3)) {
        sim_.rollback();
        rolls_back_ = true;
        continue;
      }
      die(sim_.disk().crashed() || !(world_.killed || plan_.one_in(4)));
      // Power may fail again while the store is being opened, or soon after.
      if (crashes_ < wanted && plan_.one_in(4)) sim_.disk().crash_after(plan_.below(60));
      start();
    }
    sim_.disk().crash_after(~std::uint64_t{0});  // not any more
    end_well();
  }

  /// Some steps, fewer where power fails or the program has ended. All may pause in between.
  void spend(std::uint64_t steps) {
    const auto until = sim_.steps() + 1 + steps;
    if (pauses_.one_in(3)) {
      run_to(sim_.steps() + pauses_.below(steps + 1));
      pause_for(pauses_.below(300));
    }
    run_to(until);
  }
  void run_to(std::uint64_t step) {
    run_until([&] { return is_over() || sim_.steps() >= step; });
  }
  void run_until(const std::function<bool()>& done) {  // what goes wrong may never come to an end
    (void)sim_.run_until([&] {
      interleaving::yield();
      return done() || !world_.complaints.empty();
    });
    if (!world_.complaints.empty()) throw std::runtime_error{"it is not played to its end"};
  }
  /// Whether there is no use in going on.
  [[nodiscard]] bool is_over() { return sim_.disk().crashed() || world_.killed || sim_.ended(); }
  /// Meanwhile nobody handles anything. A crash, a rollback or the end may come before they go on.
  void pause_for(std::uint64_t steps) {
    if (is_over()) return;
    sim_.pause();
    if (!std::exchange(pausing_, true)) sim_.outside([this] { pass_time(); });
    run_until([&] { return is_over() || sim_.paused(); });
    const bool still = sim_.paused();
    const auto before = positions_in(sim_.inner());
    run_to(sim_.steps() + steps);
    if (still && !rolls_back_) check_still(before, sim_.inner());
    if (!pauses_.one_in(4)) resume();
  }
  void resume() {
    pausing_ = false;
    sim_.resume();
  }
  /// Little by little, or where nobody has anything to do time would leap to where asks time out.
  void pass_time() {
    while (pausing_) {
      sim_.advance(std::chrono::microseconds{10});
      cairn::detail::pause_point();
    }
  }
  /// New actors are at their parent's worker. A process that begins anew has them everywhere.
  void spread() {
    run_until([this] { return committed_ || world_.killed || sim_.ended(); });
    throw_on_failure();
    if (sim_.ended()) return;
    die(false);
    start();
  }

  /// Faults stop, and so everything comes to its end. A write buffer that is too small for an epoch
  /// may be so for the last one, and who has been resumed may stray in it; then another process has
  /// to try.
  void end_well() {
    resume();
    for (int tries = 0; !ends(); ++tries) {
      const bool may_be_so = outran_ || did_not_begin();
      if (!may_be_so || tries == 50) throw std::runtime_error{"the last epoch was not committed"};
      ++crashes_;
      audit();
      start();
    }
    audit();
  }
  [[nodiscard]] bool ends() {
    for (run_to_the_end(); world_.killed || did_not_begin(); run_to_the_end()) {
      die(false);
      if (crashes_ > too_many_crashes) throw std::runtime_error{"it dies for ever"};
      start();
    }
    throw_on_failure();
    if (!sim_.ended()) throw std::runtime_error{"it stands still"};
    sim_.disk().set_faults({});
    world_.one_turn_in = 0;
    outran_ = false;
    return sim_.finish();
  }

  void run_to_the_end() {
    run_until([this] { return is_over(); });
    if (sim_.ended()) (void)sim_.run();  // what it threw
  }

  /// What was cloned goes on by itself, on a machine of its own; the clones live at the same time.
  void live_clones() {
    if (!what_.clones || generation_ > 0) return;
    interleaving all{sim_.seed()};
    std::map<std::string, verdict> found;
    for (const std::string& each : what_.clones()) {
      all.add([this, each, &found] { found[each] = live(each); });
    }
    all.run();
    for (const auto& [name, one] : found) {
      if (!one.complaint.empty()) complain("the clone " + name + ": " + one.complaint);
      audited_ += one.audited;
    }
  }
  [[nodiscard]] verdict live(const std::string& name) {
    try {
      const auto twin = std::make_unique<driver>(what_, sim_.seed() + 1'000'000, watch_);
      twin->begin_from(name, sim_.disk().mount());
      return twin->run();
    } catch (const std::exception& why) {
      return {.complaint = why.what()};
    }
  }
  void begin_from(const std::string& name, const std::shared_ptr<cairn::detail::disk>& disk) {
    const cairn::detail::scoped_current<cairn::detail::pauser> nobody{cairn::detail::current_pauser,
                                                                      nullptr};
    const auto number = cairn::file_store{name, stored_, disk}.open({.read_only = true}).latest;
    committed_ = cairn::clone(cairn::file_store{name, stored_, disk}, number.value(),
                              cairn::file_store{"store", stored_, sim_.disk().mount()});
    generation_ = 1;
    threads_ = 1000;  // others than those before
  }

  /// Power fails before one operation of the disk, from the opening of the store to the end of the
  /// last epoch.
  void play_until(std::uint64_t operation) {
    sim_.disk().crash_after(operation);
    start();
    (void)sim_.run_until([this] { return sim_.disk().crashed() || sim_.ended(); });
    if (!sim_.disk().crashed()) (void)sim_.finish();
    if (sim_.disk().crashed()) {
      die(true);
      start();
      end_well();
    } else {
      audit();
    }
  }

  [[nodiscard]] bool did_not_begin() {
    return sim_.failure() && may_begin_again(what_, sim_.failure(), rolls_back_);
  }

  void throw_on_failure() {
    if (auto why = sim_.failure()) std::rethrow_exception(why);
  }

  const workload& what_;
  const cairn::file_store_options stored_{.segment_bytes = 4096};
  cairn::detail::sim_random plan_;
  cairn::detail::sim_random pauses_;
  cairn::detail::sim_random absences_;
  bool pausing_ = false;
  cairn::event_handler watch_;
  outer_world world_{};
  divergences divergences_{};
  cairn::testing::disk_faults faults_{};
  std::uint64_t threads_ = 0;  ///< outside, of all processes
  std::uint64_t crashes_ = 0;
  bool rolls_back_ = false;                  ///< the present process, or it is asked to
  int abandoned_ = 0;                        ///< epochs in a row
  bool outran_ = false;                      ///< an epoch found no room in the write buffer
  std::optional<cairn::epoch> committed_{};  ///< what the next process has to know
  std::uint64_t audited_ = 0;
  int generation_ = 0;  ///< 1: it began as a clone
  cairn::testing::simulation<Actors> sim_;
};

}  // namespace simulated
