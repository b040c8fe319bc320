// Runs a workload in a simulation, with crashes and faults from the seed, and looks at everything
// that must hold.
#pragma once

#include <functional>
#include <set>

#include "audit.hpp"

namespace simulated {

struct workload {
  std::string name{};
  cairn::application app{};
  std::string expected{};
  std::map<std::string, std::string> files{};    ///< what must have been published
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
      : what_{what}, plan_{seed, "plan"}, watch_{std::move(watch)}, sim_{make_options(seed)} {}

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
    made.configure = [messages, retain](cairn::options& chosen) {
      chosen.epoch.messages = messages;
      chosen.epoch.every = std::chrono::milliseconds{1};
      chosen.epoch.retain = retain;
      chosen.epoch.max_abandoned = 0;  // faults are many here; it goes on as long as they last
      chosen.max_history = std::size_t{16} * 1024;
      chosen.ask_timeout = std::chrono::hours{24};
    };
    made.on_event = [this](const cairn::event& what) {
      const bool given_up =
          what.kind == cairn::event_kind::given_up && !what_.gives_up.contains(what.name);
      if (given_up || what.kind == cairn::event_kind::diverged) {
        complain(what.name + ": " + std::string{to_string(what.kind)} + ": " + what.text);
      }
      if (what.kind == cairn::event_kind::committed) ++commits_;
      if (watch_) watch_(what);
    };
    return made;
  }

  /// Faults of the disk make no sense where a process begins: it would only not begin.
  void start() {
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
    for (int at = 0; at < 300 && !world_.dying; ++at) {
      cairn::detail::pause_point();
      if (at % 15 != 0 || !world_.nudge) continue;
      auto& said = world_.said[thread];
      const auto nudge = world_.nudge;  // after a rollback there is another one
      if (const auto after = nudge({thread, said.size() + 1})) said.push_back(*after);
    }
  }
  void die(bool power) {
    ++crashes_;
    world_.dying = true;
    power ? sim_.crash() : sim_.kill();
    audit();
  }

  /// What the threads of a dead process said after its last snapshot is lost.
  void forget_words(std::optional<cairn::epoch> latest) {
    for (auto& [thread, epochs] : world_.said) {
      std::erase_if(epochs, [&](const auto each) { return !latest || each > *latest; });
    }
  }

  /// Between two processes, and at the end: every snapshot that the store has.
  void audit() {
    sim_.disk().set_faults({});
    const cairn::detail::scoped_current<cairn::detail::pauser> nobody{cairn::detail::current_pauser,
                                                                      nullptr};
    cairn::file_store store{"store", {.segment_bytes = 4096}, sim_.disk().mount()};
    cairn::opened found;
    try {
      found = store.open({.read_only = true});
    } catch (const cairn::error& why) {
      if (why.code() != cairn::errc::not_found) throw;  // nobody has come so far as to make one
    }
    forget_words(found.latest);
    world_.dying = false;
    for (const auto& each : found.snapshots) {
      cairn::detail::registry types;
      Actors::describe(types);
      const snapshot one{store, each.number, std::move(types)};
      consistency{one}.check();
      if (what_.check) what_.check(one);
      if (what_.check_latest && found.latest == each.number) what_.check_latest(one);
      ++audited_;
    }
    world_.dying = true;
  }

  void play() {
    const std::uint64_t wanted = plan_.below(most_crashes + 1);
    const std::uint64_t apart = std::uint64_t{20} << plan_.below(9);
    start();
    if (wanted > 0 && !plan_.one_in(4)) spread();
    while (crashes_ < wanted) {
      sim_.run_steps(1 + plan_.below(apart));
      if (sim_.ended()) break;
      throw_on_failure();
      if (plan_.one_in(3)) {
        sim_.rollback();
        continue;
      }
      die(!plan_.one_in(4));
      start();
    }
    end_well();
  }

  /// New actors are at their parent's worker. A process that begins anew has them everywhere.
  void spread() {
    (void)sim_.run_until([this] { return commits_ > 0 || sim_.ended(); });
    throw_on_failure();
    if (sim_.ended()) return;
    die(false);
    start();
  }

  /// Faults stop, and so everything comes to its end.
  void end_well() {
    (void)sim_.run();
    throw_on_failure();
    if (!sim_.ended()) throw std::runtime_error{"it stands still"};
    sim_.disk().set_faults({});
    world_.one_turn_in = 0;
    if (!sim_.finish()) throw std::runtime_error{"the last epoch was not committed"};
    audit();
  }

  /// Power fails before one operation of the disk.
  void play_until(std::uint64_t operation) {
    start();
    sim_.disk().crash_after(operation);
    (void)sim_.run_until([this] { return sim_.disk().crashed() || sim_.ended(); });
    if (sim_.disk().crashed()) {
      die(true);
      start();
    }
    end_well();
  }

  void throw_on_failure() {
    if (auto why = sim_.failure()) std::rethrow_exception(why);
  }

  const workload& what_;
  cairn::detail::sim_random plan_;
  cairn::event_handler watch_;
  outer_world world_{};
  cairn::testing::disk_faults faults_{};
  std::uint64_t threads_ = 0;  ///< outside, of all processes
  std::uint64_t crashes_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t audited_ = 0;
  cairn::testing::simulation<Actors> sim_;
};

}  // namespace simulated
