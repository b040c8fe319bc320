// Runs a workload in a simulation, with crashes and faults from the seed, and looks at everything
// that must hold.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "audit.hpp"

namespace simulated {

struct workload {
  std::string name{};
  cairn::application app{};
  std::string expected{};
  std::map<std::string, std::string> files{};  ///< what must have been published
  bool reads = false;  ///< and writes the store where it begins: on a bad disk it may not begin
  std::set<std::string> gives_up{};              ///< actors that may give up what they are sent
  std::function<void(const snapshot&)> check{};  ///< of every snapshot, beside what is so anyway
  std::function<void(const snapshot&)> check_latest{};  ///< of the one to begin from
};

struct verdict {
  std::string complaint{};  ///< empty: everything held
  std::uint64_t trace = 0;
  std::uint64_t steps = 0;
  std::uint64_t crashes = 0;
  std::uint64_t audited = 0;  ///< snapshots
  std::map<std::string, std::uint64_t> reached{};
};

template <class Actors>
class driver {
 public:
  driver(const workload& what, std::uint64_t seed, cairn::event_handler watch = {})
      : what_{what},
        plan_{seed, "plan"},
        pauses_{seed, "pauses"},
        watch_{std::move(watch)},
        sim_{make_options(seed)} {}

  /// Crashes and faults as the seed has it.
  verdict run() {
    return judge([this] { play(); });
  }
  /// One crash, before this operation of the disk; the verdict counts it if it came so far.
  verdict run_until(std::uint64_t operation) {
    return judge([&] { play_until(operation); });
  }

 private:
  static constexpr std::uint64_t most_crashes = 6;

  template <class Play>
  verdict judge(Play&& all) {
    verdict found;
    outside = &world_;
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
    return found;
  }

  [[nodiscard]] cairn::testing::disk_faults failing_disk() {
    const auto chance = [this] {
      return plan_.one_in(2) ? 0.0 : 0.01 * static_cast<double>(1 + plan_.below(5));
    };
    cairn::testing::disk_faults made;
    made.sync_error = chance();
    made.write_error = chance();
    made.no_space = chance();
    if (!what_.reads) made.read_error = chance();
    if (!what_.reads) made.flip_on_read = chance();
    made.slow = chance();
    made.slow_for = std::chrono::milliseconds{3};
    return made;
  }

  cairn::testing::simulation_options make_options(std::uint64_t seed) {
    world_.faults = cairn::detail::sim_random{seed, "handlers"};
    if (!plan_.one_in(3)) world_.one_turn_in = 5 + plan_.below(100);
    if (plan_.one_in(3)) faults_ = failing_disk();
    cairn::testing::simulation_options made;
    made.seed = seed;
    made.workers = static_cast<unsigned>(1 + plan_.below(3));
    const auto messages = 1 + plan_.below(100);
    const auto retain = plan_.one_in(2) ? 1 + plan_.below(3) : 10 + plan_.below(10);
    const auto buffer =
        plan_.one_in(3) ? std::size_t{256} << plan_.below(5) : std::size_t{1} << 26U;
    // Of its own chance: with and without audits a seed plays the same plan.
    cairn::detail::sim_random share{seed, "audit"};
    const double audit = share.one_in(2) ? 0.0 : 1.0 / static_cast<double>(1 + share.below(3));
    made.configure = [messages, retain, buffer, audit, share](cairn::options& chosen) mutable {
      chosen.max_retained = share.one_in(2) ? 1'048'576 : std::size_t{1} << share.below(7);
      chosen.audit = audit;
      chosen.epoch.write_buffer = buffer;
      chosen.epoch.messages = messages;
      chosen.epoch.every = std::chrono::milliseconds{1};
      chosen.epoch.retain = retain;
      chosen.epoch.max_abandoned = 0;  // faults are many here; it goes on as long as they last
      chosen.rest = std::chrono::milliseconds{20};
      chosen.max_history = std::size_t{16} * 1024;
      chosen.ask_timeout = std::chrono::hours{24};
    };
    made.on_event = [this](const cairn::event& what) {
      const bool given_up =
          what.kind == cairn::event_kind::given_up && !what_.gives_up.contains(what.name);
      if (given_up || what.kind == cairn::event_kind::diverged ||
          what.kind == cairn::event_kind::nondeterministic) {
        complain(what.name + ": " + std::string{to_string(what.kind)} + ": " + what.text);
      }
      if (what.kind == cairn::event_kind::committed) committed_ = what.at;
      outran_ |= what.code == cairn::errc::write_buffer_full;
      if (watch_) watch_(what);
    };
    return made;
  }

  /// Faults of the disk make no sense where a process begins: it would only not begin.
  void start() {
    rolls_back_ = false;
    world_.dying = false;
    world_.nudge = {};  // of the process before
    sim_.disk().set_faults({});
    sim_.start(what_.app);
    sim_.disk().set_faults(faults_);
    for (auto left = 1 + plan_.below(2); left > 0; --left) {
      sim_.outside([this, number = ++threads_] { talk(number); });
    }
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
    pausing_ = false;
    power ? sim_.crash() : sim_.kill();
    sim_.disk().set_faults({});
    if (plan_.one_in(6)) spoil();
    audit();
  }

  /// A bit of some file changes, other than a journal's. Either the store does without, by an older
  /// snapshot, or it says that it cannot; then the bit changes back.
  void spoil() {
    const auto disk = sim_.disk().mount();
    std::vector<std::string> names;
    try {
      names = disk->list("store");
    } catch (const cairn::error&) {
      return;  // there is no store yet
    }
    std::erase_if(names, [](const auto& each) { return each.starts_with("journal-"); });
    if (names.empty()) return;
    const auto path = "store/" + names[plan_.below(names.size())];
    const auto size = disk->open(path)->size();
    if (size == 0) return;
    const auto bit = plan_.below(8 * size);
    sim_.disk().flip(path, bit);
    try {
      cairn::file_store store{"store", stored_, sim_.disk().mount()};
      const auto found = store.open({.read_only = true});
      committed_ = found.latest ? std::min(committed_, found.latest) : std::nullopt;
      return;
    } catch (const cairn::error& why) {
      if (why.code() != cairn::errc::damaged && why.code() != cairn::errc::newer_schema) throw;
      if (std::string{why.what()}.find("store/") == std::string::npos) complain("damage unnamed");
    }
    sim_.disk().flip(path, bit);
  }

  /// What the threads of a dead process said after its last snapshot is lost.
  void forget_words(std::optional<cairn::epoch> latest) {
    for (auto& [thread, epochs] : world_.said) {
      std::erase_if(epochs, [&](const auto each) { return !latest || each > *latest; });
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
    for (const auto& each : found.snapshots) {
      // What a flipped bit has spoilt, other than the latest, the store says when it is opened.
      const auto named = "snapshot " + std::to_string(raw(each.number)) + " is damaged";
      if (warnings.find(named) == std::string::npos) audit(store, each.number, found.latest);
    }
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
    const std::uint64_t wanted = plan_.below(most_crashes + 1);
    const std::uint64_t apart = std::uint64_t{20} << plan_.below(9);
    start();
    if (wanted > 0 && !plan_.one_in(4)) spread();
    if (wanted == 0) spend(pauses_.below(apart));
    while (crashes_ < wanted) {
      spend(plan_.below(apart));
      if (sim_.ended() && !sim_.disk().crashed()) break;
      if (!did_not_begin()) throw_on_failure();
      if (!sim_.disk().crashed() && !sim_.failure() && plan_.one_in(3)) {
        sim_.rollback();
        rolls_back_ = true;
        continue;
      }
      die(sim_.disk().crashed() || !plan_.one_in(4));
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
    (void)sim_.run_until(
        [&] { return sim_.disk().crashed() || sim_.ended() || sim_.steps() >= step; });
  }
  /// Meanwhile nobody handles anything. A crash, a rollback or the end may come before they go on.
  void pause_for(std::uint64_t steps) {
    if (sim_.disk().crashed() || sim_.ended()) return;
    sim_.pause();
    if (!std::exchange(pausing_, true)) sim_.outside([this] { pass_time(); });
    (void)sim_.run_until([&] { return sim_.disk().crashed() || sim_.ended() || sim_.paused(); });
    const bool still = sim_.paused();
    const auto before = consumed();
    run_to(sim_.steps() + steps);
    if (still && !rolls_back_) check_still(before);
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
  /// By actor: those that have stopped leave their cells meanwhile.
  [[nodiscard]] std::map<cairn::actor_id, cairn::position> consumed() {
    std::map<cairn::actor_id, cairn::position> all;
    for (std::uint32_t at = 2; at < sim_.inner().cells.used(); ++at) {
      cairn::detail::cell& one = *sim_.inner().cells.at(at);
      if (one.type != nullptr) all[one.self().id] = one.consumed;
    }
    return all;
  }
  void check_still(const std::map<cairn::actor_id, cairn::position>& before) {
    for (const auto& [id, position] : consumed()) {
      const auto found = before.find(id);
      if (found != before.end() && found->second != position) complain("one that pauses handles");
    }
  }

  /// New actors are at their parent's worker. A process that begins anew has them everywhere.
  void spread() {
    (void)sim_.run_until([this] { return committed_ || sim_.ended(); });
    throw_on_failure();
    if (sim_.ended()) return;
    die(false);
    start();
  }

  /// Faults stop, and so everything comes to its end. A write buffer that is too small for an epoch
  /// may be so for the last one; then another process has to try.
  void end_well() {
    resume();
    for (int tries = 0; !ends(); ++tries) {
      if (!outran_ || tries == 50) throw std::runtime_error{"the last epoch was not committed"};
      ++crashes_;
      audit();
      start();
    }
    audit();
  }
  [[nodiscard]] bool ends() {
    for ((void)sim_.run(); did_not_begin(); (void)sim_.run()) {
      die(false);
      start();
    }
    throw_on_failure();
    if (!sim_.ended()) throw std::runtime_error{"it stands still"};
    sim_.disk().set_faults({});
    world_.one_turn_in = 0;
    outran_ = false;
    return sim_.finish();
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

  /// The disk failed where a journal was opened, or a snapshot read for a rollback. Whoever runs
  /// the program begins again.
  [[nodiscard]] bool did_not_begin() {
    if (!(what_.reads || rolls_back_) || !sim_.failure()) return false;
    try {
      std::rethrow_exception(sim_.failure());
    } catch (const cairn::error& why) {
      if (rolls_back_ && why.code() == cairn::errc::damaged) return true;
      return why.code() == cairn::errc::io || why.code() == cairn::errc::no_space;
    } catch (...) {
      return false;
    }
  }

  void throw_on_failure() {
    if (auto why = sim_.failure()) std::rethrow_exception(why);
  }

  const workload& what_;
  const cairn::file_store_options stored_{.segment_bytes = 4096};
  cairn::detail::sim_random plan_;
  cairn::detail::sim_random pauses_;
  bool pausing_ = false;
  cairn::event_handler watch_;
  outer_world world_{};
  cairn::testing::disk_faults faults_{};
  std::uint64_t threads_ = 0;  ///< outside, of all processes
  std::uint64_t crashes_ = 0;
  bool rolls_back_ = false;                  ///< the present process, or it is asked to
  bool outran_ = false;                      ///< an epoch found no room in the write buffer
  std::optional<cairn::epoch> committed_{};  ///< what the next process has to know
  std::uint64_t audited_ = 0;
  cairn::testing::simulation<Actors> sim_;
};

}  // namespace simulated
