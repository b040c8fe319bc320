// `cairn-store DIR`: what a store holds, for operators, while its program is not running.
#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <cairn/run.hpp>
#include <cairn/version.hpp>
#include <nlohmann/json.hpp>

#include "store_view.hpp"

namespace {

using nlohmann::json;

struct request {
  std::string directory{};
  std::optional<std::uint64_t> epoch{};
  bool as_json = false;
};

/// A store that is open to be read: others may read it too, its program may not run.
struct reading {
  explicit reading(const request& what) : store{what.directory} {
    cairn::store_options how;
    how.read_only = true;
    how.warn = [this](const std::string& text) {
      warned = true;
      fmt::print(stderr, "cairn-store: {}\n", text);
    };
    found = store.open(how);
  }
  [[nodiscard]] cairn::epoch chosen(const request& what) const {
    if (what.epoch) return cairn::epoch{*what.epoch};
    if (found.latest) return *found.latest;
    throw cairn::error{cairn::errc::not_found, what.directory + ": there is no snapshot yet"};
  }
  reading(const reading&) = delete;  // the store's warnings come here
  reading& operator=(const reading&) = delete;

  cairn::file_store store;
  bool warned = false;  ///< of damage that the latest snapshot does not need
  cairn::opened found{};
};

int show_epochs(const request& what) {
  const reading from{what};
  if (what.as_json) {
    json all = json::array();
    for (const auto& each : from.found.snapshots) {
      all.push_back({{"epoch", raw(each.number)},
                     {"savepoint", each.name},
                     {"records", each.records},
                     {"bytes", each.bytes},
                     {"released", each.released}});
    }
    fmt::print("{}\n", all.dump(2));
    return 0;
  }
  fmt::print("{:>10} {:>10} {:>12} {:>9}  {}\n", "epoch", "records", "bytes", "released",
             "savepoint");
  for (const auto& each : from.found.snapshots) {
    fmt::print("{:>10} {:>10} {:>12} {:>9}  {}\n", raw(each.number), each.records, each.bytes,
               each.released ? "yes" : "no", each.name);
  }
  return 0;
}

int show_actors(const request& what) {
  reading from{what};
  const auto number = from.chosen(what);
  const auto found = cairn_store::read_snapshot(from.store, number);
  if (what.as_json) {
    json actors = json::array();
    for (const auto& each : found.actors) {
      actors.push_back({{"path", each.path},
                        {"id", each.id},
                        {"type", each.type},
                        {"schema", each.schema},
                        {"position", each.position},
                        {"bytes", each.bytes},
                        {"waiting", each.waiting},
                        {"suspended", each.suspended}});
    }
    const json all{{"epoch", raw(number)},
                   {"program", found.program},
                   {"orderly", found.orderly},
                   {"actors", std::move(actors)}};
    fmt::print("{}\n", all.dump(2));
    return 0;
  }
  fmt::print("{:>10} {:>10} {:>8}  {:<10} {}\n", "position", "bytes", "waiting", "",
             "actor (type)");
  for (const auto& each : found.actors) {
    fmt::print("{:>10} {:>10} {:>8}  {:<10} {} ({})\n", each.position, each.bytes, each.waiting,
               each.suspended ? "suspended" : "", each.path, each.type);
  }
  return 0;
}

int verify(const request& what) {
  reading from{what};
  std::uint64_t records = 0;
  for (const auto& each : from.found.snapshots) {
    from.store.read(each.number, [&](const cairn::record_view&) { ++records; });
  }
  if (from.warned) return cairn::exit_code::damaged;
  std::uint64_t entries = 0;
  const auto journals = cairn_store::journals_in(what.directory);
  for (const auto& name : journals) {
    from.store.journal(name)->read_from(1, [&](std::uint64_t, cairn::bytes_view) { ++entries; });
  }
  if (what.as_json) {
    const json all{{"snapshots", from.found.snapshots.size()},
                   {"records", records},
                   {"journals", journals.size()},
                   {"entries", entries}};
    fmt::print("{}\n", all.dump(2));
  } else {
    fmt::print("good: {} snapshots with {} records, {} journals with {} entries\n",
               from.found.snapshots.size(), records, journals.size(), entries);
  }
  return 0;
}

/// A directory that is not there is a wrong argument, not a broken store.
int exit_code_of(cairn::errc code) {
  constexpr int no_input = 66;  // sysexits(3)
  return code == cairn::errc::not_found ? no_input : cairn::detail::exit_code_of(code);
}

}  // namespace

int main(int count, char** words) {
  CLI::App app{"Shows what a cairn store holds, while its program is not running."};
  app.set_version_flag("--version", std::string{cairn::version_text});
  request what;
  app.add_option("DIR", what.directory, "the store's directory")->required();
  app.add_flag("--json", what.as_json, "for machines");
  app.add_option("--epoch", what.epoch, "this snapshot instead of the latest (actors)");
  int (*act)(const request&) = &show_epochs;
  const auto verb = [&](const char* name, const char* help, int (*does)(const request&)) {
    app.add_subcommand(name, help)->fallthrough()->callback([&act, does] { act = does; });
  };
  verb("epochs", "the snapshots that are kept, savepoints included (also without a word)",
       &show_epochs);
  verb("actors", "the actors of a snapshot: path, type, size, position, what waits", &show_actors);
  verb("verify", "reads and checks every byte that counts", &verify);
  app.require_subcommand(0, 1);
  CLI11_PARSE(app, count, words);
  try {
    return act(what);
  } catch (const cairn::error& why) {
    fmt::print(stderr, "cairn-store: {}\n", why.what());
    return exit_code_of(why.code());
  } catch (const std::exception& why) {
    fmt::print(stderr, "cairn-store: {}\n", why.what());
    return cairn::exit_code::software;
  }
}
