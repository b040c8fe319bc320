// `cairn-store DIR`: what a store holds, and what operators may change in it, while its program is
// not running.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <cairn/clone.hpp>
#include <cairn/run.hpp>
#include <cairn/version.hpp>
#include <nlohmann/json.hpp>

#include "store_change.hpp"
#include "store_deaths.hpp"
#include "store_request.hpp"
#include "store_view.hpp"

namespace {

using cairn_store::json;
using cairn_store::line_of;
using cairn_store::reading;
using cairn_store::request;
using cairn_store::say;
using cairn_store::writing;

/// The same, of what ends the command. Returns its exit code.
int fail(bool as_json, const std::string& text, cairn::errc code, int exit) {
  const json said{{"error", text}, {"code", std::string{to_string(code)}}, {"exit", exit}};
  fmt::print(stderr, "{}\n", as_json ? line_of(said) : "cairn-store: " + text);
  return exit;
}

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
  if (from.warned) {
    return fail(what.as_json, "there is damage that the latest snapshot does not need",
                cairn::errc::damaged, cairn::exit_code::damaged);
  }
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

std::string hex(const std::vector<std::byte>& bytes) {
  std::string text;
  for (const auto each : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(each));
  return text;
}

json as_json(const cairn::kept_letter& each) {
  return {{"id", raw(each.id)},
          {"actor", each.letter.name},
          {"actor_id", raw(each.letter.target)},
          {"message", each.letter.message},
          {"code", std::string{to_string(each.letter.code)}},
          {"text", each.letter.text},
          {"position", raw(each.letter.at)},
          {"epoch", raw(each.letter.in)},
          {"schema", each.letter.schema},
          {"payload", hex(each.letter.payload)}};
}

int show_letters(const request& what) {
  reading from{what};
  const cairn_store::letters found{from.store, from.chosen(what)};
  if (what.as_json) {  // one a line, and at the end how many
    for (const auto& each : found.all()) fmt::print("{}\n", line_of(as_json(each.what)));
    fmt::print("{}\n",
               line_of({{"letters", found.all().size()}, {"displaced", found.displaced()}}));
    return 0;
  }
  fmt::print("{:>8} {:>8} {:>10} {:>8}  {}\n", "letter", "epoch", "position", "bytes",
             "actor: message: why");
  for (const auto& each : found.all()) {
    const auto& letter = each.what.letter;
    fmt::print("{:>8} {:>8} {:>10} {:>8}  {}: {}: {}\n", raw(each.what.id), raw(letter.in),
               raw(letter.at), letter.payload.size(), letter.name, letter.message, letter.text);
  }
  if (found.displaced() != 0) fmt::print("{} older ones are gone\n", found.displaced());
  return 0;
}

std::optional<std::uint64_t> number_in(const std::string& word) {
  std::uint64_t number = 0;
  const auto* end = word.data() + word.size();
  const auto [at, problem] = std::from_chars(word.data(), end, number);
  if (problem != std::errc{} || at != end) return std::nullopt;
  return number;
}

void require_words(const request& what, const char* which) {
  if (what.words.empty() == what.all) return;
  throw cairn::error{cairn::errc::misuse, fmt::format("say which: {}, or --all", which)};
}

int drop_letters(const request& what) {
  require_words(what, "numbers of letters");
  std::vector<std::uint64_t> ids;
  for (const auto& word : what.words) {
    const auto number = number_in(word);
    if (!number) throw cairn::error{cairn::errc::not_found, "no letter's number: " + word};
    ids.push_back(*number);
  }
  writing to{what};
  cairn_store::letters found{to.store, *to.found.latest};
  const auto before = found.all().size();
  what.all ? found.drop_all() : found.drop(ids);
  const auto dropped = before - found.all().size();
  if (dropped != 0) to.commit(what, {found.keeper().value()});
  say(what, {{"dropped", dropped}, {"left", found.all().size()}},
      fmt::format("{} letters dropped, {} left", dropped, found.all().size()));
  return 0;
}

int resume(const request& what) {
  require_words(what, "paths of actors");
  writing to{what};
  const auto seen = cairn_store::read_snapshot(to.store, *to.found.latest);
  std::set<std::string> wanted{what.words.begin(), what.words.end()};
  const cairn_store::noted_deaths deaths{what.directory};
  std::set<std::uint64_t> ids;
  std::set<std::uint64_t> deadly;
  json paths = json::array();
  for (const auto& each : seen.actors) {
    const bool held_back = deaths.hold_back(each.id, each.position);
    if (!each.suspended && !held_back) continue;
    if (!what.all && !wanted.contains(each.path)) continue;
    wanted.erase(each.path);
    if (each.suspended) ids.insert(each.id);
    if (held_back) deadly.insert(each.id);
    paths.push_back(each.path);
  }
  if (!what.all && !wanted.empty()) {
    throw cairn::error{cairn::errc::not_found, "no suspended actor " + *wanted.begin()};
  }
  auto actors = cairn_store::read_actors(
      to.store, *to.found.latest,
      [&](const cairn::record_header& each) { return ids.contains(raw(each.actor)); });
  for (auto& each : actors) {
    cairn::detail::buffer resumed;
    cairn_store::actor_parts{each.payload.view()}.put_resumed(resumed);
    each.payload = std::move(resumed);
  }
  if (!actors.empty()) to.commit(what, actors);
  if (!deadly.empty() && !what.dry_run) cairn_store::noted_deaths::forget(to.store, deadly);
  say(what, {{"resumed", paths}}, fmt::format("{} actors resumed", paths.size()));
  return 0;
}

/// Handlers that cannot be run again stand in the way of a start, or of a resumption.
int give_up(const request& what) {
  if (what.words.empty()) throw cairn::error{cairn::errc::misuse, "say which: paths of actors"};
  writing to{what};
  const auto seen = cairn_store::read_snapshot(to.store, *to.found.latest);
  std::set<std::uint64_t> ids;
  for (const auto& path : what.words) {
    const auto found = std::find_if(seen.actors.begin(), seen.actors.end(),
                                    [&](const auto& each) { return each.path == path; });
    if (found == seen.actors.end()) throw cairn::error{cairn::errc::not_found, "no actor " + path};
    ids.insert(found->id);
  }
  auto actors = cairn_store::read_actors(
      to.store, *to.found.latest,
      [&](const cairn::record_header& each) { return ids.contains(raw(each.actor)); });
  for (auto& each : actors) {
    const cairn_store::actor_parts parts{each.payload.view()};
    if (!parts.has_handler()) {
      throw cairn::error{cairn::errc::not_found,
                         "no handler is suspended in " + std::string{parts.name}};
    }
    if (each.header.type == cairn::type_hash<cairn::detail::supervisor_actor>) {
      throw cairn::error{cairn::errc::misuse, std::string{parts.name} +
                                                  " is a supervisor: what it has begun is cairn's "
                                                  "own, and is not given up"};
    }
    cairn::detail::buffer without;
    parts.put_without_handler(without);
    each.payload = std::move(without);
  }
  to.commit(what, actors);
  say(what, {{"given_up", what.words}}, fmt::format("{} handlers will be given up", actors.size()));
  return 0;
}

int accept_older(const request& what) {
  cairn::store_options how;
  how.accept_older = true;
  if (what.epoch) how.as_of = cairn::epoch{*what.epoch};
  writing to{what, how};
  const bool older = to.warned || to.found.newest > *to.found.latest;
  if (older) to.commit(what, {});
  say(what, {{"epoch", raw(*to.found.latest)}, {"older", older}},
      older ? fmt::format("the program will go on from epoch {}", raw(*to.found.latest))
            : fmt::format("epoch {} is the latest, and whole", raw(*to.found.latest)));
  return 0;
}

int make_clone(const request& what) {
  if (what.words.size() != 2) {
    throw cairn::error{cairn::errc::misuse, "say which savepoint or epoch, and the new directory"};
  }
  const auto& [name, target] = std::pair{what.words[0], what.words[1]};
  cairn::epoch number{};
  {
    reading from{what};
    std::optional<cairn::epoch> found;
    for (const auto& each : from.found.snapshots) {
      if (each.name == name && !name.empty()) found = each.number;
    }
    if (!found && number_in(name)) found = cairn::epoch{*number_in(name)};
    if (!found) throw cairn::error{cairn::errc::not_found, "no savepoint '" + name + "'"};
    number = *found;
    from.store.read(number, [](const cairn::record_view&) {});
  }
  const bool was_there = std::filesystem::exists(target);
  if (was_there && !std::filesystem::is_empty(target)) {
    throw cairn::error{cairn::errc::misuse, target + " is not empty"};
  }
  try {
    if (!what.dry_run) {
      cairn::clone(cairn::file_store{what.directory}, number, cairn::file_store{target});
    }
  } catch (...) {
    if (!was_there) std::filesystem::remove_all(target);
    throw;
  }
  say(what, {{"epoch", raw(number)}, {"into", target}},
      fmt::format("epoch {} copied into {}", raw(number), target));
  return 0;
}

/// A directory that is not there is a wrong argument, not a broken store.
int exit_code_of(cairn::errc code) {
  constexpr int no_input = 66;  // sysexits(3)
  return code == cairn::errc::not_found ? no_input : cairn::detail::exit_code_of(code);
}

}  // namespace

int main(int count, char** words) {
  CLI::App app{"Shows and changes what a cairn store holds, while its program is not running."};
  app.set_version_flag("--version", std::string{cairn::version_text});
  request what;
  app.add_option("DIR", what.directory, "the store's directory")->required();
  app.add_flag("--json", what.as_json, "for machines");
  app.add_option("--epoch", what.epoch,
                 "this snapshot instead of the latest (actors, letters, accept-older)");
  app.add_flag("--dry-run", what.dry_run, "changes nothing, says what it would do");
  int (*act)(const request&) = &show_epochs;
  const auto verb = [&](const char* name, const char* help, int (*does)(const request&)) {
    auto* made = app.add_subcommand(name, help)->fallthrough();
    made->callback([&act, does] { act = does; });
    return made;
  };
  verb("epochs", "the snapshots that are kept, savepoints included (also without a word)",
       &show_epochs);
  verb("actors", "the actors of a snapshot: path, type, size, position, what waits", &show_actors);
  verb("verify", "reads and checks every byte that counts", &verify);
  verb("letters", "the dead letters that are kept; with --json one a line, payloads in hex",
       &show_letters);
  auto* drop = verb("drop", "forgets dead letters", &drop_letters);
  drop->add_option("LETTER", what.words, "their numbers");
  drop->add_flag("--all", what.all, "all of them");
  auto* again = verb("resume", "lets suspended actors go on when the program runs again", &resume);
  again->add_option("ACTOR", what.words, "their paths, such as bank/alice");
  again->add_flag("--all", what.all, "all of them");
  verb("give-up", "suspended handlers are given up when the program runs again", &give_up)
      ->add_option("ACTOR", what.words, "the actors' paths");
  verb("accept-older", "goes back where the latest snapshot is damaged, or to --epoch",
       &accept_older);
  verb("clone", "copies a snapshot into a new store", &make_clone)
      ->add_option("WHAT", what.words, "a savepoint or an epoch, and the new directory");
  app.require_subcommand(0, 1);
  try {
    app.parse(count, words);
    return act(what);
  } catch (const CLI::ParseError& why) {  // also where help is asked for; maybe before the flag
    const bool for_machines =
        std::find(words, words + count, std::string_view{"--json"}) != words + count;
    if (why.get_exit_code() == 0 || !for_machines) return app.exit(why);
    return fail(true, why.what(), cairn::errc::misuse, why.get_exit_code());
  } catch (const cairn::error& why) {
    return fail(what.as_json, why.what(), why.code(), exit_code_of(why.code()));
  } catch (const std::exception& why) {
    return fail(what.as_json, why.what(), cairn::errc::failed, cairn::exit_code::software);
  }
}
