// `cairn-store DIR`: what a store holds, and what operators may change in it, while its program is
// not running.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <cairn/clone.hpp>
#include <cairn/run.hpp>
#include <cairn/version.hpp>

#include "store_change.hpp"
#include "store_deaths.hpp"
#include "store_looks.hpp"
#include "store_output.hpp"
#include "store_request.hpp"
#include "store_view.hpp"

namespace {

using cairn_store::json;
using cairn_store::reading;
using cairn_store::request;
using cairn_store::say;
using cairn_store::would_be;
using cairn_store::writing;

/// What ends the command. Returns its exit code.
int fail(bool as_json, const std::string& text, cairn::errc code, int exit) {
  const json said{{"error", text}, {"code", std::string{to_string(code)}}, {"exit", exit}};
  cairn_store::tell(as_json ? cairn_store::text_of(said)
                            : cairn_store::line_of("cairn-store: " + text));
  return exit;
}

std::optional<std::uint64_t> number_in(const std::string& word) {
  std::uint64_t number = 0;
  const auto* end = word.data() + word.size();
  const auto [at, problem] = std::from_chars(word.data(), end, number);
  if (problem != std::errc{} || at != end) return std::nullopt;
  return number;
}

[[noreturn]] void refuse(const std::string& why) { throw cairn::error{cairn::errc::misuse, why}; }

void require_words(const request& what, const char* which) {
  if (what.words.empty() != what.all) refuse(fmt::format("say which: {}, or --all", which));
}

/// A word that is there twice may have been meant to be another.
[[noreturn]] void refuse_twice(const std::string& word) { refuse(word + ": say each once"); }

int drop_letters(const request& what) {
  require_words(what, "numbers of letters");
  std::set<std::uint64_t> ids;
  for (const auto& word : what.words) {
    const auto number = number_in(word);
    if (!number) throw cairn::error{cairn::errc::not_found, "no letter's number: " + word};
    if (!ids.insert(*number).second) refuse_twice(word);
  }
  writing to{what};
  cairn_store::letters found{to.store, *to.found.latest};
  const auto before = found.all().size();
  what.all ? found.drop_all() : found.drop({ids.begin(), ids.end()});
  const auto dropped = before - found.all().size();
  if (dropped != 0) to.commit(what, {found.keeper().value()});
  say(what, {{"dropped", dropped}, {"left", found.all().size()}},
      fmt::format("{} letters {}dropped, {} left", dropped, would_be(what), found.all().size()));
  return 0;
}

std::set<std::string> paths_in(const request& what) {
  std::set<std::string> paths;
  for (const auto& word : what.words) {
    if (!paths.insert(word).second) refuse_twice(word);
  }
  return paths;
}

int resume(const request& what) {
  require_words(what, "paths of actors");
  std::set<std::string> wanted = paths_in(what);
  writing to{what};
  const auto seen = cairn_store::read_snapshot(to.store, *to.found.latest);
  const cairn_store::noted_deaths deaths{what};
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
  say(what, {{"resumed", paths}}, fmt::format("{} actors {}resumed", paths.size(), would_be(what)));
  return 0;
}

/// Handlers that cannot be run again stand in the way of a start, or of a resumption.
int give_up(const request& what) {
  if (what.words.empty()) refuse("say which: paths of actors");
  const auto wanted = paths_in(what);
  writing to{what};
  const auto seen = cairn_store::read_snapshot(to.store, *to.found.latest);
  std::map<std::uint64_t, std::string> paths;
  for (const auto& path : wanted) {
    const auto found = std::find_if(seen.actors.begin(), seen.actors.end(),
                                    [&](const auto& each) { return each.path == path; });
    if (found == seen.actors.end()) throw cairn::error{cairn::errc::not_found, "no actor " + path};
    paths[found->id] = path;
  }
  auto actors = cairn_store::read_actors(
      to.store, *to.found.latest,
      [&](const cairn::record_header& each) { return paths.contains(raw(each.actor)); });
  for (auto& each : actors) {
    const std::string& path = paths[raw(each.header.actor)];
    const cairn_store::actor_parts parts{each.payload.view()};
    if (!parts.has_handler()) {
      throw cairn::error{cairn::errc::not_found, "no handler is suspended in " + path};
    }
    if (each.header.type == cairn::type_hash<cairn::detail::supervisor_actor>) {
      refuse(path + " is a supervisor: what it has begun is cairn's own, and is not given up");
    }
    cairn::detail::buffer without;
    parts.put_without_handler(without);
    each.payload = std::move(without);
  }
  to.commit(what, actors);
  say(what, {{"given_up", what.words}},
      fmt::format("{} handlers {} be given up", actors.size(), what.dry_run ? "would" : "will"));
  return 0;
}

int accept_older(const request& what) {
  cairn::store_options how;
  how.accept_older = true;
  if (what.epoch) how.as_of = cairn::epoch{*what.epoch};
  writing to{what, how};
  const bool older = to.warned || to.found.newest > *to.found.latest;
  json names = json::array();
  std::string list;
  for (const auto& each : to.found.left_behind) {
    if (each.name.empty()) continue;
    names.push_back(each.name);
    list += fmt::format("{}'{}' (epoch {})", list.empty() ? "" : ", ", each.name, raw(each.number));
  }
  if (!list.empty() && !what.drop_savepoints) {
    refuse("savepoints after it would be gone: " + list + "; --drop-savepoints allows it");
  }
  if (older) to.commit(what, {});
  auto text = older ? fmt::format("the program {} go on from epoch {}",
                                  what.dry_run ? "would" : "will", raw(*to.found.latest))
                    : fmt::format("epoch {} is the latest, and whole", raw(*to.found.latest));
  if (!list.empty()) text += fmt::format("; savepoints {}dropped: {}", would_be(what), list);
  say(what, {{"epoch", raw(*to.found.latest)}, {"older", older}, {"savepoints_dropped", names}},
      text);
  return 0;
}

/// Where a clone is to be made. What a copy would fail at is said before a store is read for it.
///
/// Errors: throws `errc::misuse`.
void require_target(const request& what, const std::string& target) {
  namespace fs = std::filesystem;
  if (fs::exists(target) && !fs::is_directory(target)) refuse(target + " is no directory");
  if (fs::exists(target) && !fs::is_empty(target)) refuse(target + " is not empty");
  const auto store = fs::canonical(what.directory);
  const auto place = fs::weakly_canonical(target);
  if (std::mismatch(store.begin(), store.end(), place.begin(), place.end()).first == store.end()) {
    refuse(target + " is within the store: that directory is its own");
  }
}

int make_clone(const request& what) {
  if (what.words.size() != 2) refuse("say which savepoint or epoch, and the new directory");
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
  require_target(what, target);
  const bool was_there = std::filesystem::exists(target);
  try {
    if (!what.dry_run) {
      cairn::clone(cairn::file_store{what.directory}, number, cairn::file_store{target});
    }
  } catch (...) {
    if (!was_there) std::filesystem::remove_all(target);
    throw;
  }
  say(what, {{"epoch", raw(number)}, {"into", target}},
      fmt::format("epoch {} {}copied into {}", raw(number), would_be(what), target));
  return 0;
}

/// A directory that is not there is a wrong argument, not a broken store.
int exit_code_of(cairn::errc code) {
  constexpr int no_input = 66;  // sysexits(3)
  return code == cairn::errc::not_found ? no_input : cairn::detail::exit_code_of(code);
}

struct verb {
  int (*act)(const request&) = &cairn_store::show_epochs;
  std::string name = "epochs";
  bool of_epoch = false;  ///< `--epoch` means something to it
  bool changes = false;   ///< and `--dry-run`
};

void add_verbs(CLI::App& app, request& what, verb& chosen) {
  const auto add = [&](const char* help, const verb& one) {
    auto* made = app.add_subcommand(one.name, help)->fallthrough();
    made->callback([&chosen, one] { chosen = one; });
    return made;
  };
  add("the snapshots that are kept, savepoints included (also without a word)", {});
  add("the actors of a snapshot: path, type, size, position, what waits",
      {&cairn_store::show_actors, "actors", true, false});
  add("reads and checks every byte that counts", {&cairn_store::verify, "verify", false, false});
  add("the dead letters that are kept; with --json one a line, payloads in hex",
      {&cairn_store::show_letters, "letters", true, false});
  auto* drop = add("forgets dead letters", {&drop_letters, "drop", false, true});
  drop->add_option("LETTER", what.words, "their numbers");
  drop->add_flag("--all", what.all, "all of them");
  auto* again = add("lets suspended actors go on when the program runs again",
                    {&resume, "resume", false, true});
  again->add_option("ACTOR", what.words, "their paths, such as bank/alice");
  again->add_flag("--all", what.all, "all of them");
  add("suspended handlers are given up when the program runs again",
      {&give_up, "give-up", false, true})
      ->add_option("ACTOR", what.words, "the actors' paths");
  add("goes back where the latest snapshot is damaged, or to --epoch",
      {&accept_older, "accept-older", true, true})
      ->add_flag("--drop-savepoints", what.drop_savepoints, "also past savepoints");
  add("copies a snapshot into a new store", {&make_clone, "clone", false, true})
      ->add_option("WHAT", what.words, "a savepoint or an epoch, and the new directory");
  app.require_subcommand(0, 1);
}

/// What is ignored would look as if it had been done.
int act(const verb& chosen, const request& what) {
  if (what.epoch && !chosen.of_epoch) refuse(chosen.name + " takes no --epoch");
  if (what.dry_run && !chosen.changes) refuse(chosen.name + " changes nothing: no --dry-run");
  const int code = chosen.act(what);
  cairn_store::flush();
  return code;
}

}  // namespace

int main(int count, char** words) {
  cairn_store::hold_standard_streams();
  CLI::App app{"Shows and changes what a cairn store holds, while its program is not running."};
  app.set_version_flag("--version", std::string{cairn::version_text});
  request what;
  app.add_option("DIR", what.directory, "the store's directory")->required();
  app.add_flag("--json", what.as_json, "for machines");
  app.add_option("--epoch", what.epoch,
                 "this snapshot instead of the latest (actors, letters, accept-older)")
      ->check([](const std::string& word) {  // else -1 would be a number, too
        return number_in(word) ? std::string{} : word + " is no epoch";
      });
  app.add_flag("--dry-run", what.dry_run, "changes nothing, says what it would do");
  verb chosen;
  add_verbs(app, what, chosen);
  try {
    try {
      app.parse(count, words);
    } catch (const CLI::ParseError& why) {
      // Also where help is asked for; maybe before the flag was read.
      what.as_json = std::find(words, words + count, std::string_view{"--json"}) != words + count;
      if (why.get_exit_code() != 0) refuse(why.what());
      app.exit(why);
      cairn_store::flush();
      return 0;
    }
    return act(chosen, what);
  } catch (const cairn::error& why) {
    return fail(what.as_json, why.what(), why.code(), exit_code_of(why.code()));
  } catch (const std::exception& why) {
    return fail(what.as_json, why.what(), cairn::errc::failed, cairn::exit_code::software);
  }
}
