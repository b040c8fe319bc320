// A job on real input that may be killed at any moment: started again it goes on, and its report
// and alerts are those of a run that was never disturbed. docs/flights.md has the particulars.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cairn/cairn.hpp>

#include "flights/actors.hpp"
#include "flights/csv.hpp"
#include "flights/files.hpp"
#include "flights/reader.hpp"
#include "flights/report.hpp"
#include "flights/say.hpp"

namespace {

using namespace std::chrono_literals;
using namespace flights;

enum exit_code : int { good = 0, wrong_arguments = 2, failed = 3, interrupted = 4 };

struct settings {
  job what{};
  files where{};
  unsigned workers = 0;
  std::uint64_t epoch_ms = 100;
  std::uint64_t rate = 0;
  mutable std::atomic<std::uint64_t> committed{0};  ///< the last epoch that is
  mutable std::atomic<bool> broken{false};          ///< an actor has given something up
  mutable std::mutex guard{};
  mutable std::string why{};  ///< what broke first, said last; under `guard` while actors run
};

/// Nothing is expected to fail: an actor that gives something up ends the program, unfinished.
void break_off(const settings& of, const cairn::event& what) {
  {
    const std::lock_guard lock{of.guard};
    if (of.why.empty()) of.why = line_of(what);
  }
  of.broken.store(true, std::memory_order_relaxed);  // a flag that the root task polls
}

void hear(const settings& of, const cairn::event& what) {
  using kind = cairn::event_kind;
  switch (what.kind) {
    case kind::committed:
      of.committed.store(raw(what.at), std::memory_order_relaxed);  // for people
      break;
    case kind::dead_letter:
      if (what.code == cairn::errc::failed) break;  // `given_up` says it too
      [[fallthrough]];
    case kind::given_up:
    case kind::suspended:
      break_off(of, what);
      break;
    case kind::failed:
    case kind::diverged:
    case kind::abandoned:
    case kind::store_warning:
    case kind::unfinished:
      say("flights: {}", line_of(what));
      break;
    default:  // `undeclared` too: work() lets the actors sleep on purpose
      break;
  }
}

/// The actors that the root task speaks to.
struct crew {
  cairn::ref<alert_sink> alerts{};
  cairn::ref<reader> input{};
};

/// From here on the job goes on, where the store has one.
crew wake(cairn::root& root, const settings& of) {
  auto airline = root.supervise("flights");
  crew all;
  all.alerts = airline.spawn<alert_sink>("alerts", cairn::file_sink{of.what.alerts});
  all.input =
      airline.spawn<reader>("reader", cairn::file_lines{of.what.input}, of.what.repeat, all.alerts);
  // A reader that had lost its input may be suspended: who starts the job again wants it to go on.
  root.resume(all.input);
  return all;
}

void say_start(const cairn::root& root, const settings& of) {
  if (!root.restored()) {
    say("started: {} events", of.what.events());
    return;
  }
  const auto& found = root.restored_counts();
  std::uint64_t none = 0;  // unless one has been committed meanwhile
  of.committed.compare_exchange_strong(none, raw(found.from), std::memory_order_relaxed);
  say("resumed: epoch {}, position {} of {}, {} actors, {} messages in flight, "
      "{} suspended handlers",
      raw(found.from), began_at.load(std::memory_order_relaxed), of.what.events(), found.actors,
      found.messages, found.suspended_handlers);
}

cairn::task<progress> ask(cairn::ref<reader> whom) {
  auto asked = whom.ask<get_progress>();
  co_return co_await std::move(asked);
}

/// True when what was done until now is committed; hear() says why it is not.
cairn::task<bool> commit(cairn::root& root) {
  auto asked = root.checkpoint();
  const auto done = co_await std::move(asked).as_result();
  co_return done.has_value();
}

/// Until everything is counted, or it cannot be.
cairn::task<exit_code> read_all(cairn::root& root, cairn::ref<reader> input, const settings& of) {
  std::uint64_t said = 0;
  std::uint64_t named = 0;  // of the malformed lines; resumed, the program names them again
  for (;;) {
    const progress now = co_await ask(input);
    if (now.skipped != named) {
      auto asked = input.ask<get_skipped>();
      const skipped bad = co_await std::move(asked);
      say_skipped(of.what.input, bad, std::exchange(named, bad.count));
    }
    if (std::exchange(said, now.position) != now.position) {
      say("progress: {}/{}, epoch {}", now.position, of.what.events(),
          of.committed.load(std::memory_order_relaxed));  // for people
    }
    if (of.broken.load(std::memory_order_relaxed)) co_return failed;  // see break_off()
    if (now.complete) co_return good;
    if (root.stop_requested()) {
      const bool kept = co_await commit(root);
      if (!kept) co_return failed;
      say("flights: stopped at {} of {}", now.position, of.what.events());
      co_return interrupted;
    }
    co_await root.sleep(50ms);
  }
}

/// How many bytes of alerts are in their file, when they all are.
cairn::task<cairn::result<std::uint64_t>> publish_all(cairn::root& root,
                                                      cairn::ref<alert_sink> alerts,
                                                      const settings& of) {
  while (!of.broken.load(std::memory_order_relaxed)) {  // see break_off()
    auto asked = alerts.ask<cairn::get_delivery>();
    const cairn::delivery_state now = co_await std::move(asked);
    if (now.published == now.written) co_return now.written;
    const bool committed = co_await commit(root);
    if (!committed) break;
  }
  co_return cairn::failure{};
}

/// How many airports are in the report, when that is in its file.
cairn::task<cairn::result<std::size_t>> report(cairn::root& root, cairn::ref<reader> input,
                                               const settings& of) {
  rows all;
  auto asked = input.ask<get_airports>();
  const airports known = co_await std::move(asked);
  for (const auto& [code, whom] : known) {
    auto one = whom.ask<get_figures>();
    const figures counts = co_await std::move(one);
    all.emplace_back(code, counts);
  }
  auto writing = root.run("report", &try_report, of.where.report, all);
  const std::string why = co_await std::move(writing);
  if (why.empty()) co_return all.size();
  say("flights: {}", why);
  co_return cairn::failure{};
}

/// The job's outputs, then the fact that they are there.
cairn::task<exit_code> end_job(cairn::root& root, cairn::ref<clerk> keeper, crew all,
                               const settings& of) {
  const auto published = co_await publish_all(root, all.alerts, of);
  if (!published) co_return failed;
  const auto reported = co_await report(root, all.input, of);
  if (!reported) co_return failed;
  keeper.tell<finish>(*published);
  const bool committed = co_await commit(root);
  if (!committed) co_return failed;
  const progress now = co_await ask(all.input);
  if (now.skipped != 0) {
    say("flights: {} malformed line{} skipped", now.skipped, now.skipped == 1 ? "" : "s");
  }
  say("done: {} events, {} flights, {} alerts, {} airports", now.position, now.flights, now.alerts,
      *reported);
  co_return good;
}

/// The job has been done before. What of its outputs is gone is written again, or missed.
cairn::task<exit_code> see_outputs(cairn::root& root, const job_state& has, const settings& of) {
  std::string_view what = "nothing to do";
  if (!std::filesystem::exists(of.where.report)) {
    const crew all = wake(root, of);
    const auto reported = co_await report(root, all.input, of);
    if (!reported) co_return failed;
    what = "the report was gone, and has been written again";
  }
  std::error_code gone;
  const auto size = std::filesystem::file_size(of.where.alerts, gone);
  if (!gone && size >= has.alert_bytes) {
    say("flights: the job in {} is done: {} events; {}", of.where.store, of.what.events(), what);
    co_return good;
  }
  say("flights: the job in {} is done, but {} {}: alerts are written once, as the flights are "
      "read; to have them again, take a new --store",
      of.where.store, of.where.alerts, gone ? "is gone" : "has lost some of its lines");
  co_return failed;
}

cairn::task<int> work(cairn::root& root, const settings& of) {
  auto keeper = root.supervise("job").spawn<clerk>("clerk", job_state{of.what});
  auto asked = keeper.ask<get_state>();
  const job_state has = co_await std::move(asked);
  const std::string other = difference(has.of, of.what);
  if (!other.empty()) {
    say("flights: {} belongs to another job: {}; give it what it had, or take another --store",
        of.where.store, other);
    co_return wrong_arguments;
  }
  if (has.finished) {
    const exit_code seen = co_await see_outputs(root, has, of);
    co_return seen;
  }
  const crew all = wake(root, of);
  co_await ask(all.input);  // by then it has said where it begins
  say_start(root, of);
  all.input.tell<pace>(of.rate);
  const exit_code how = co_await read_all(root, all.input, of);
  if (how != good) co_return how;
  const exit_code ended = co_await end_job(root, keeper, all, of);
  co_return ended;
}

cairn::task<int> guarded(cairn::root& root, const settings& of) {
  int code = failed;
  try {
    code = co_await work(root, of);
  } catch (const std::exception& why) {
    say("flights: {}", why.what());
  }
  co_return code;
}

/// Before anything runs: where the files are, and what is wrong with them.
exit_code prepare(settings& of) {
  try {
    of.where = {input_path(of.where.input), store_path(of.where.store),
                output_path(of.where.report), output_path(of.where.alerts)};
    const std::string wrong = clash(of.where);
    if (!wrong.empty()) {
      say("flights: {}", wrong);
      return wrong_arguments;
    }
    require_writable(of.where);
    const extent size = measure(of.where.input);
    of.what = {of.where.input, of.where.alerts, size.bytes, size.lines, of.what.repeat};
    return good;
  } catch (const std::exception& why) {
    say("flights: {}", why.what());
    return failed;
  }
}

int fly(settings& of) {
  const exit_code prepared = prepare(of);
  if (prepared != good) return prepared;
  cairn::options chosen;
  chosen.store = cairn::file_store{of.where.store};
  chosen.workers = of.workers;
  chosen.epoch.every = std::chrono::milliseconds{of.epoch_ms};
  chosen.program_version = "flights 1";
  chosen.on_event = [&of](const cairn::event& what) { hear(of, what); };
  const int code =
      cairn::run<actors>([&of](cairn::root& root) { return guarded(root, of); }, std::move(chosen));
  if (!of.why.empty()) say("flights: {}", of.why);
  if (code == good || code == wrong_arguments || code == interrupted || code > 128) return code;
  return failed;  // the store's problem, which `run` has named
}

}  // namespace

int main(int count, char** arguments) {
  settings of;
  CLI::App line{"Counts flights and delays by airport; goes on where it was killed."};
  const auto path = [&](const char* name, std::string& to, const char* type, const char* text) {
    const auto is_named = [](const std::string& given) {
      return std::string{given.empty() ? "no file is named" : ""};
    };
    line.add_option(name, to, text)->required()->type_name(type)->check(is_named);
  };
  const auto number = [&](const char* name, auto& to, auto least, auto most, const char* text) {
    using value = std::remove_reference_t<decltype(to)>;
    line.add_option(name, to, text)
        ->capture_default_str()
        ->type_name("N")
        ->check(CLI::Range(value{least}, value{most}).description(""));
  };
  path("INPUT", of.where.input, "FILE", "flights as CSV: date,delay,distance,origin,destination");
  path("--store", of.where.store, "DIR", "the snapshots; made where it is not there");
  path("--report", of.where.report, "FILE", "CSV to write at the end");
  path("--alerts", of.where.alerts, "FILE", "CSV of the flights delayed 120 minutes or more");
  number("--repeat", of.what.repeat, 1U, 1'000'000U, "read the input so many times");
  number("--workers", of.workers, 0U, 256U, "threads, at most 256; 0: one for each processor");
  number("--epoch-ms", of.epoch_ms, 1U, 3'600'000U, "milliseconds between snapshots");
  number("--rate", of.rate, 0U, 1'000'000'000U, "at most so many events per second; 0: no limit");
  line.footer(
      "Killed or stopped, it is started again with the same arguments and goes on.\n"
      "Exit code: 0 done, 2 wrong arguments, 3 a file or the store cannot be used,\n"
      "4 stopped by SIGTERM or SIGINT before it was done.");
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
