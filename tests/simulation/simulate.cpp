// Plays workloads with seeds. One that fails prints its seed, and how to look at it.
#include <charconv>
#include <cstdio>
#include <set>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "absences.hpp"
#include "bank.hpp"
#include "chain.hpp"
#include "closing.hpp"
#include "curse.hpp"
#include "drive.hpp"
#include "duels.hpp"
#include "errands.hpp"
#include "family.hpp"
#include "graph.hpp"
#include "guests.hpp"
#include "house.hpp"
#include "limits.hpp"
#include "moods.hpp"
#include "paths.hpp"
#include "pipeline.hpp"
#include "posts.hpp"
#include "ranks.hpp"
#include "sleepers.hpp"
#include "storm.hpp"
#include "timing.hpp"
#include "twins.hpp"
#include "versions.hpp"
#include "whims.hpp"
#include "wings.hpp"

namespace {

using namespace simulated;
using all_actors = cairn::actors<
    bank::account, bank::clerk, graph::node, family::parent, family::child, timing::ticker,
    timing::step, timing::beacon, pipeline::feeder, pipeline::stage, pipeline::judge,
    pipeline::drain, guests::host, guests::guest, guests::bag, guests::friendly, posts::till,
    sleepers::sleeper, sleepers::poster, chain::level, chain::caller, chain::oracle,
    limits::drops_newest, limits::drops_oldest, limits::pusher, moods::touchy, moods::fragile,
    moods::larder, moods::victim, moods::boss, storm::cloud, storm::mist, house::books,
    house::tenant, house::keeper, whims::books, whims::moody, whims::boss, errands::books,
    errands::runner, closing::books, closing::clerk, ranks::books, ranks::soul, ranks::chief,
    duels::fighter, curse::books, curse::digger, curse::chief, absences::bell, absences::alarm,
    versions::books, versions::worker, versions::boss, wings::guest, wings::keeper>;

/// What is done about failures.
std::vector<workload> of_supervision() {
  return {
      {.name = "closing",
       .app = &closing::app,
       .expected = closing::expected,
       .check = &closing::check,
       .watch = &closing::watch},
      {.name = "curse",
       .app = &curse::app,
       .expected = curse::expected,
       .gives_up = {"digger 0", "digger 1", "digger 2", "chief 0", "chief 1", "chief 2", "books"},
       .kills = true},
      {.name = "duels", .app = &duels::app, .expected = duels::expected, .watch = &duels::watch},
      {.name = "errands",
       .app = &errands::app,
       .expected = errands::expected,
       .check = &errands::check,
       .check_latest = &errands::check_latest},
      {.name = "ranks",
       .app = &ranks::app,
       .expected = ranks::expected,
       .gives_up = {"soul 0", "soul 1", "soul 3", "soul 4", "soul 5", "soul 6", "soul 12"},
       .check = &ranks::check,
       .watch = &ranks::watch},
      {.name = "twins",
       .app = &twins::app,
       .expected = bank::expected,
       .check = &bank::check,
       .watch = &twins::watch,
       .check_disk = &twins::check_disk,
       .clones = &twins::clones},
      {.name = "whims",
       .app = &whims::app,
       .expected = whims::expected,
       .check = &whims::check,
       .strays = {"moody 0", "moody 1"}},
      {.name = "wings",
       .app = &wings::app,
       .expected = wings::expected,
       .gives_up = {"guest 2", "guest 4", "guest 6", "guest 11", "guest 13"},
       .check = &wings::check,
       .watch = &wings::watch}};
}

/// What becomes of time, and of the program itself, between two processes.
std::vector<workload> of_restarts() {
  return {{.name = "absences",
           .app = &absences::app,
           .expected = absences::expected,
           .check = &absences::check,
           .check_latest = &absences::check_latest,
           .absent = true,
           .check_start = &absences::check_start},
          {.name = "versions",
           .app = &versions::app,
           .expected = versions::expected,
           .gives_up = {"worker 0", "worker 1", "worker 2"},
           .check = &versions::check,
           .check_disk = &versions::check_disk,
           .configure = &versions::configure}};
}

std::vector<workload> of_all_else() {
  return {
      {.name = "bank", .app = &bank::app, .expected = bank::expected, .check = &bank::check},
      {.name = "chain", .app = &chain::app, .expected = chain::expected, .check = &chain::check},
      {.name = "family",
       .app = &family::app,
       .expected = family::expected,
       .check = &family::check},
      {.name = "graph", .app = &graph::app, .expected = graph::expected, .check = &graph::check},
      {.name = "guests",
       .app = &guests::app,
       .expected = guests::expected,
       .check = &guests::check},
      {.name = "house", .app = &house::app, .expected = house::expected, .check = &house::check},
      {.name = "limits",
       .app = &limits::app,
       .expected = limits::expected,
       .check = &limits::check},
      {.name = "moods",
       .app = &moods::app,
       .expected = moods::expected,
       .gives_up = {"victim", "fragile 1"},
       .check = &moods::check},
      {.name = "pipeline",
       .app = &pipeline::app,
       .expected = pipeline::expected,
       .files = {{"out", pipeline::everything()}}},
      {.name = "posts",
       .app = &posts::app,
       .expected = posts::expected,
       .reads = true,
       .check = &posts::check},
      {.name = "sleepers",
       .app = &sleepers::app,
       .expected = sleepers::expected,
       .check = &sleepers::check},
      {.name = "storm",
       .app = &storm::app,
       .expected = storm::expected,
       .check = &storm::check,
       .check_latest = &storm::check_latest},
      {.name = "timing",
       .app = &timing::app,
       .expected = timing::expected,
       .check = &timing::check}};
}

const std::vector<workload>& workloads() {
  static const std::vector<workload> all = [] {
    auto them = of_all_else();
    for (auto& each : of_supervision()) them.push_back(std::move(each));
    for (auto& each : of_restarts()) them.push_back(std::move(each));
    return them;
  }();
  return all;
}

constexpr std::uint64_t enough_seeds = 1000;

void print_event(const cairn::event& what) {
  fmt::print("  {:>4} {:<12} {} {}\n", raw(what.at), to_string(what.kind), what.name, what.text);
}

struct command {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
  bool one = false;  ///< a single seed, to look at
  bool every_operation = false;
  std::string workload{};
};

void add(verdict& sum, const verdict& found) {
  for (const auto& [path, times] : found.reached) sum.reached[path] += times;
  sum.steps += found.steps;
  sum.crashes += found.crashes;
  sum.audited += found.audited;
}

bool complain_of(const workload& what, std::uint64_t seed, const std::string& complaint) {
  fmt::print("failed: {}, seed {}: {}\nto see it: scripts/simulate --seed {} --workload {}\n",
             what.name, seed, complaint, seed, what.name);
  return false;
}

/// False: something did not hold.
bool play(const workload& what, std::uint64_t seed, bool loud, verdict& sum) {
  auto found = driver<all_actors>{what, seed, loud ? &print_event : nullptr}.run();
  if (found.complaint.empty() && (loud || seed % 16 == 0)) {
    if (driver<all_actors>{what, seed}.run().trace != found.trace) {
      found.complaint = "the same seed gave another run";
    }
  }
  add(sum, found);
  if (loud) fmt::print("{}: {} steps, trace {:016x}\n", what.name, found.steps, found.trace);
  return found.complaint.empty() || complain_of(what, seed, found.complaint);
}

/// Power fails before each operation of the disk in turn, until none is left.
bool play_every_operation(const workload& what, std::uint64_t seed, verdict& sum) {
  for (std::uint64_t operation = 0;; ++operation) {
    const auto found = driver<all_actors>{what, seed}.run_until(operation);
    add(sum, found);
    if (!found.complaint.empty()) {
      return complain_of(what, seed, fmt::format("operation {}: {}", operation, found.complaint));
    }
    if (found.crashes == 0) {
      fmt::print("{}, seed {}: power failed before each of {} operations\n", what.name, seed,
                 operation);
      return true;
    }
  }
}

bool play_all(const command& asked, verdict& sum) {
  std::uint64_t done = 0;
  const auto count = asked.last - asked.first + 1;
  for (auto seed = asked.first;; ++seed) {
    for (const auto& each : workloads()) {
      if (!asked.workload.empty() && asked.workload != each.name) continue;
      const bool held = asked.every_operation ? play_every_operation(each, seed, sum)
                                              : play(each, seed, asked.one, sum);
      if (!held) return false;
    }
    if (++done % 50 == 0) {
      fmt::print("{}/{} seeds\n", done, count);
      std::fflush(stdout);
    }
    if (seed == asked.last) return true;
  }
}

bool reached_everything(const command& asked, const verdict& sum) {
  const bool enough = asked.last - asked.first + 1 >= enough_seeds && asked.workload.empty();
  bool all = true;
  for (const auto path : must_be_reached) {
    if (sum.reached.contains(std::string{path}) || !enough || asked.every_operation) continue;
    fmt::print("failed: never reached: {}\n", path);
    all = false;
  }
  return all;
}

/// False: that is no number, or too large.
bool parse(std::string_view part, std::uint64_t& to) {
  const auto [end, bad] = std::from_chars(part.data(), part.data() + part.size(), to);
  return bad == std::errc{} && end == part.data() + part.size() && !part.empty();
}

/// `A..B`. Throws where it is none.
void parse_seeds(const std::string& text, command& into) {
  const auto dots = text.find("..");
  const std::string_view all{text};
  if (dots == text.npos || !parse(all.substr(0, dots), into.first) ||
      !parse(all.substr(dots + 2), into.last) || into.first > into.last) {
    throw CLI::ValidationError("--seeds", "not of the form A..B: " + text);
  }
}
void parse_seed(const std::string& text, command& into) {
  if (!parse(text, into.first)) throw CLI::ValidationError("--seed", "not a seed: " + text);
  into.last = into.first;
  into.one = true;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // who stops a long run has what it said so far
  command asked;
  std::string seeds;
  std::string seed;
  std::set<std::string> names;
  for (const auto& each : workloads()) names.insert(each.name);
  CLI::App line{"Plays workloads in simulations, with crashes and faults from a seed."};
  auto* many = line.add_option("--seeds", seeds, "A..B: all of these, until one fails");
  line.add_option("--seed", seed, "this one, with everything that happens")->excludes(many);
  line.add_option("--workload", asked.workload, "only this one")->check(CLI::IsMember(names));
  line.add_flag("--every-operation", asked.every_operation,
                "power fails before each operation of the disk in turn");
  try {
    line.parse(argc, argv);
    if (!seeds.empty()) parse_seeds(seeds, asked);
    if (!seed.empty()) parse_seed(seed, asked);
  } catch (const CLI::Success& help) {
    return line.exit(help);
  } catch (const CLI::ParseError& why) {
    fmt::print(stderr, "simulate: {}; see simulate --help\n", why.what());
    return 2;
  }
  verdict sum;
  const bool good = play_all(asked, sum) && reached_everything(asked, sum);
  fmt::print("{}: {} crashes, {} snapshots, {} steps\n", good ? "everything held" : "failed",
             sum.crashes, sum.audited, sum.steps);
  for (const auto& [path, times] : sum.reached) fmt::print("{:>10} {}\n", times, path);
  return good ? 0 : 1;
}
