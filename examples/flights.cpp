// A job on real input that may be killed at any moment: started again it goes on, and its report
// and alerts are those of a run that was never disturbed. docs/flights.md has the particulars.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cairn/cairn.hpp>

#include "flights/actors.hpp"
#include "flights/reader.hpp"
#include "flights/report.hpp"

namespace {

using namespace std::chrono_literals;
using namespace flights;

enum exit_code : int { good = 0, wrong_arguments = 2, failed = 3, interrupted = 4 };

struct settings {
  job what{};
  std::string store{};
  std::string report{};
  unsigned workers = 0;
  std::uint64_t epoch_ms = 100;
  std::uint64_t rate = 0;
  mutable std::atomic<std::uint64_t> committed{0};  ///< the last epoch that is
  mutable std::atomic<bool> broken{false};          ///< an actor has given something up
  mutable std::atomic<bool> ended{false};           ///< the root task has
};

template <class... Args>
void say(fmt::format_string<Args...> form, Args&&... args) {
  const auto line = fmt::format(form, std::forward<Args>(args)...) + "\n";
  std::fputs(line.c_str(), stderr);  // in one piece: several threads speak
}

/// Nothing is expected to fail: an actor that gives something up ends the program, unfinished.
void hear(const settings& of, const cairn::event& what) {
  using kind = cairn::event_kind;
  switch (what.kind) {
    case kind::committed:
      of.committed.store(raw(what.at), std::memory_order_relaxed);  // for people
      break;
    case kind::given_up:
    case kind::suspended:
    case kind::dead_letter:
      // Relaxed: a flag that the root task polls.
      of.broken.store(true, std::memory_order_relaxed);
      [[fallthrough]];
    case kind::failed:
    case kind::diverged:
    case kind::abandoned:
    case kind::undeclared:
    case kind::store_warning:
      say("flights: {}: {} {}", to_string(what.kind), what.name, what.text);
      break;
    default:
      break;
  }
}

void say_start(const cairn::root& root, const progress& now, const settings& of) {
  if (!root.restored()) {
    say("started: {} events", now.of.events());
    return;
  }
  const auto& found = root.restored_counts();
  std::uint64_t none = 0;  // unless one has been committed meanwhile
  of.committed.compare_exchange_strong(none, raw(found.from), std::memory_order_relaxed);
  say("resumed: epoch {}, position {} of {}, {} actors, {} messages in flight, "
      "{} suspended handlers",
      raw(found.from), began_at.load(std::memory_order_relaxed), now.of.events(), found.actors,
      found.messages, found.suspended_handlers);
}

cairn::task<progress> ask(cairn::ref<reader> whom) {
  auto asked = whom.ask<get_progress>();
  co_return co_await std::move(asked);
}

/// Until everything is counted, or it cannot be.
cairn::task<exit_code> read_all(cairn::root& root, cairn::ref<reader> input, const settings& of) {
  std::uint64_t said = 0;
  for (;;) {
    const progress now = co_await ask(input);
    if (std::exchange(said, now.position) != now.position) {
      say("progress: {}/{}, epoch {}", now.position, now.of.events(),
          of.committed.load(std::memory_order_relaxed));  // for people
    }
    if (of.broken.load(std::memory_order_relaxed)) co_return failed;  // see hear()
    if (now.complete) co_return good;
    if (root.stop_requested()) {
      say("flights: stopped at {} of {}", now.position, now.of.events());
      co_return interrupted;
    }
    co_await root.sleep(50ms);
  }
}

/// True when the last alert is in its file.
cairn::task<bool> publish_all(cairn::root& root, cairn::ref<alert_sink> alerts,
                              const settings& of) {
  while (!of.broken.load(std::memory_order_relaxed)) {  // see hear()
    auto asked = alerts.ask<cairn::get_delivery>();
    const cairn::delivery_state now = co_await std::move(asked);
    if (now.published == now.written) co_return true;
    co_await root.checkpoint();
  }
  co_return false;
}

cairn::task<rows> collect(cairn::ref<reader> input) {
  rows all;
  auto asked = input.ask<get_airports>();
  const airports known = co_await std::move(asked);
  for (const auto& [code, whom] : known) {
    auto one = whom.ask<get_figures>();
    const figures counts = co_await std::move(one);
    all.emplace_back(code, counts);
  }
  co_return all;
}

cairn::task<> say_skipped(cairn::ref<reader> input, const settings& of) {
  auto asked = input.ask<get_skipped>();
  const skipped bad = co_await std::move(asked);
  if (bad.count == 0) co_return;
  for (const auto& each : bad.first) {
    say("flights: {}:{}: skipped: {}", of.what.input, each.number, each.why);
  }
  say("flights: {} malformed lines skipped", bad.count);
}

/// The job's outputs, then the fact that they are there.
cairn::task<exit_code> end_job(cairn::root& root, cairn::ref<reader> input,
                               cairn::ref<alert_sink> alerts, const settings& of) {
  const bool published = co_await publish_all(root, alerts, of);
  if (!published) co_return failed;
  const rows all = co_await collect(input);
  auto writing = root.run("report", &write_report, of.report, all);
  co_await std::move(writing);
  input.tell<finish>();
  co_await root.checkpoint();
  co_await say_skipped(input, of);
  const progress now = co_await ask(input);
  say("done: {} events, {} flights, {} alerts, {} airports", now.position, now.flights, now.alerts,
      all.size());
  co_return good;
}

cairn::task<int> work(cairn::root& root, const settings& of) {
  auto airline = root.supervise("flights");
  auto alerts = airline.spawn<alert_sink>("alerts", cairn::file_sink{of.what.alerts});
  auto input = airline.spawn<reader>("reader", of.what, alerts);
  const progress now = co_await ask(input);
  if (now.of != of.what) {
    say("flights: {} belongs to another job: {} ({} lines), --repeat {}, --alerts {}", of.store,
        now.of.input, now.of.lines, now.of.repeat, now.of.alerts);
    co_return wrong_arguments;
  }
  if (now.finished) {
    say("flights: the job in {} is done: {} events; nothing to do", of.store, now.position);
    co_return good;
  }
  say_start(root, now, of);
  input.tell<pace>(of.rate);
  const exit_code how = co_await read_all(root, input, of);
  if (how != good) co_return how;
  const exit_code ended = co_await end_job(root, input, alerts, of);
  co_return ended;
}

cairn::task<int> guarded(cairn::root& root, const settings& of) {
  int code = failed;
  try {
    code = co_await work(root, of);
  } catch (const std::exception& why) {
    say("flights: {}", why.what());
  }
  of.ended.store(true, std::memory_order_relaxed);  // read when the system has ended
  co_return code;
}

int fly(settings& of) {
  try {
    of.what.lines = count_events(of.what.input);
  } catch (const std::exception& why) {
    say("flights: {}", why.what());
    return failed;
  }
  cairn::options chosen;
  chosen.store = cairn::file_store{of.store};
  chosen.workers = of.workers;
  chosen.epoch.every = std::chrono::milliseconds{of.epoch_ms};
  chosen.program_version = "flights 1";
  chosen.on_event = [&of](const cairn::event& what) { hear(of, what); };
  const int code =
      cairn::run<actors>([&of](cairn::root& root) { return guarded(root, of); }, std::move(chosen));
  if (code == good || code > 128 || of.ended.load(std::memory_order_relaxed)) return code;
  return failed;  // the store's problem, which `run` has named
}

}  // namespace

int main(int count, char** arguments) {
  settings of;
  CLI::App line{"Counts flights and delays by airport; goes on where it was killed."};
  line.add_option("INPUT", of.what.input, "flights as CSV: " + std::string{input_header})
      ->required();
  line.add_option("--store", of.store, "directory of the snapshots")->required();
  line.add_option("--report", of.report, "CSV to write at the end")->required();
  line.add_option("--alerts", of.what.alerts, "CSV of the flights delayed 120 minutes or more")
      ->required();
  line.add_option("--repeat", of.what.repeat, "read the input so many times")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}));
  line.add_option("--workers", of.workers, "threads; 0: one for each processor")
      ->check(CLI::Range(0U, 256U));
  line.add_option("--epoch-ms", of.epoch_ms, "milliseconds between snapshots")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{3'600'000}));
  line.add_option("--rate", of.rate, "at most so many events per second; 0: no limit")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000}));
  try {
    line.parse(count, arguments);
  } catch (const CLI::Success& help) {
    return line.exit(help);
  } catch (const CLI::ParseError& why) {
    say("flights: {}; see flights --help", why.what());
    return wrong_arguments;
  }
  return fly(of);
}
