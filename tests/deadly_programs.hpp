// Programs that kill their process, each as a process of its own, for the tests of what is done
// about that.
#pragma once

#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include <cairn/file_store.hpp>

#include "../tools/store_change.hpp"
#include "child_process.hpp"
#include "deadly_messages.hpp"
#include "runtime/fixture.hpp"

namespace deadly {

using namespace std::chrono_literals;

struct sum {
  using protocol = cairn::protocol<add, slow, later, total>;
  std::int64_t all = 0;
  void serialize(auto& ar) { ar(all); }
  void on(add what) {
    if (what.value < 0) die();
    all += what.value;
  }
  /// 0 only waits, -1 dies when it goes on, -2 where it is run again.
  cairn::task<> on(slow what, cairn::context<sum>& self) {
    if (what.value == -2 && self.replaying()) die();
    all += what.value == 0 ? 0 : 100;
    co_await self.sleep(1h);
    if (what.value != 0) die();
  }
  void on(later, cairn::context<sum>& self) { self.send_after<add>(1h, -1); }
  std::int64_t on(total) const { return all; }
};

/// Dies between its turns: in `serialize` once it is rotten, in `on_start` once it holds something.
struct brittle {
  using protocol = cairn::protocol<add, slow, heavy, parcel, later, remind, outside, total>;
  std::int64_t all = 0;
  bool rotten = false;
  std::string text{};  // so that its base is not a copy before each turn
  void serialize(auto& ar) {
    const bool early = is_early("mended") || is_early("pardoned") || is_early("lost pardon") ||
                       is_early("pardoned back");
    const bool later = is_later("unwritable") || is_later("touched") || early;
    if (rotten || (all != 0 && later)) die();
    ar(all, rotten, text);
  }
  void on_start(cairn::context<brittle>&) {
    if (all != 0 && is_later("start")) die();
  }
  void on(add what) { all += what.value; }
  cairn::task<> on(slow, cairn::context<brittle>& self) { co_await self.sleep(1h); }
  void on(heavy) {}
  void on(parcel what) { all += what.value; }
  void on(later) { rotten = true; }
  void on(remind, cairn::context<brittle>& self) { self.send_after<add>(1h, 1); }
  cairn::task<> on(outside, cairn::context<brittle>& self) {
    co_await self.run("pay", [] {
      if (is_later("run")) die();
      return 1;
    });
  }
  std::int64_t on(total) const { return all; }
};

/// While it cannot be written there is no snapshot.
inline bool is_rigid = false;
struct stubborn {
  using protocol = cairn::protocol<later, total>;
  int state = 0;
  void serialize(auto& ar) {
    if (is_rigid) throw std::runtime_error{"not yet"};
    ar(state);
  }
  void on(later) { throw std::runtime_error{"it fails"}; }
  std::int64_t on(total) const { return state; }
};

inline void say(const std::string& text) {
  std::printf("> %s\n", text.c_str());
  std::fflush(stdout);
}

inline fixture::hand_clock* clock_here = nullptr;

inline cairn::task<std::string> look_at(cairn::root& top, cairn::ref<brittle> one) {
  auto asked = one.ask<total>().as_result();
  const auto found = co_await std::move(asked);
  const auto kept = co_await top.dead_letters();
  co_return (found ? std::to_string(found.value()) : "suspended") + ", letters " +
      std::to_string(kept.letters.size());
}

/// What is between turns: once in a snapshot, it comes to it in every process.
inline cairn::task<int> between(cairn::root& top) {
  const auto scenario = variable("CAIRN_DEADLY");
  const bool waits = scenario == "writing" || scenario == "run";
  const int run = std::stoi(variable("CAIRN_RUN"));
  auto all = top.supervise("all");
  auto one = all.spawn<brittle>("one");
  if (run == 0) {
    if (waits) {
      one.tell<slow>(0);
      scenario == "run" ? one.tell<outside>() : one.tell<later>();
    }
    one.tell<add>(5);
    co_await top.checkpoint();
    if (scenario != "writing") die();
  }
  if (!waits) one.tell<add>(1);
  clock_here->advance(2h);
  co_await top.sleep(0h);
  const auto before = co_await look_at(top, one);
  co_await top.checkpoint();  // which leaves it as it is
  say(before);
  co_return 0;
}

/// Among messages alike one that cannot be copied for its actor's log.
inline cairn::task<int> copied(cairn::root& top) {
  auto all = top.supervise("all");
  auto one = all.spawn<brittle>("one");
  if (variable("CAIRN_RUN") == "0") co_await top.checkpoint();
  for (const int value : {1, 2, 4, -1, 10}) one.tell<parcel>(value);
  const auto found = co_await look_at(top, one);
  say(found);
  co_return 0;
}

/// What comes to an actor of which nothing may be serialized: mail, a reminder, a word, an epoch
/// that is abandoned, the orderly end.
inline cairn::task<int> touched(cairn::root& top) {
  auto all = top.supervise("all", {.strategy = cairn::one_for_all});
  auto one = all.spawn<brittle>("one");
  if (variable("CAIRN_RUN") == "0") {
    one.tell<remind>();
    one.tell<add>(5);
    co_await top.checkpoint();
    die();
  }
  one.tell<add>(1);
  clock_here->advance(2h);
  co_await top.sleep(0h);
  const auto before = co_await look_at(top, one);
  auto other = all.spawn<stubborn>("other");
  std::string ends;
  is_rigid = true;
  try {
    co_await top.checkpoint();
  } catch (const cairn::error&) {
    ends += " abandoned";
  }
  is_rigid = false;
  top.resume(other);
  auto asked = other.ask<total>().as_result();
  (void)co_await std::move(asked);
  other.tell<later>();  // it fails, and all restart
  auto again = other.ask<total>().as_result();
  if (const auto found = co_await std::move(again); found) ends += " restarted";
  co_await top.checkpoint();
  say(before.substr(0, before.find(',')) + ends);
  co_return 0;
}

/// Somebody resumes the actor that two processes have died of.
inline cairn::task<int> resumed(cairn::root& top) {
  auto all = top.supervise("all");
  auto one = all.spawn<brittle>("one");
  if (variable("CAIRN_RUN") == "0") {
    if (variable("CAIRN_DEADLY") == "mended") one.tell<remind>();
    (void)co_await look_at(top, one);
    one.tell<slow>(0);
    co_await top.checkpoint();
    die();
  }
  one.tell<add>(5);
  if (is_later("mail")) {
    one.tell<heavy>();  // which waits
  } else {
    clock_here->advance(2h);
    co_await top.sleep(0h);
    (void)co_await look_at(top, one);
  }
  co_await top.checkpoint();
  const auto before = co_await look_at(top, one);
  if (is_later("mended") && variable("CAIRN_RUN") == "3") {  // the next one does
    say(before);
    co_return 0;
  }
  top.resume(one);
  clock_here->advance(2h);
  co_await top.sleep(0h);
  (void)co_await look_at(top, one);  // what was due comes after this
  co_await top.sleep(0h);
  const auto then = co_await look_at(top, one);
  co_await top.checkpoint();
  say(before + ", then " + then);
  co_return 0;
}

/// The third process resumes the actor, which does not come further in it. It may commit that, and
/// may go back then, before it dies of something else.
inline cairn::task<int> pardoned(cairn::root& top) {
  const auto scenario = variable("CAIRN_DEADLY");
  const int run = std::stoi(variable("CAIRN_RUN"));
  auto all = top.supervise("all");
  auto one = all.spawn<brittle>("one");
  static bool went_back = false;  // the root task begins anew after it
  if (run == 0) {
    (void)co_await look_at(top, one);
    one.tell<slow>(0);
    co_await top.checkpoint();
    die();
  }
  if (run == 3 && !went_back) {
    co_await top.sleep(0h);  // it is held back
    top.resume(one);
    if (scenario != "lost pardon") co_await top.checkpoint();
    if (scenario != "pardoned back") die();
    went_back = true;
    co_await top.rollback();
  }
  one.tell<add>(5);
  clock_here->advance(2h);
  co_await top.sleep(0h);
  const auto found = co_await look_at(top, one);
  co_await top.checkpoint();
  say(found);
  co_return 0;
}

/// The first process makes what is deadly durable, and comes to it like those after it: but for
/// what only kills where it is run again, and where it dies of something else or ends orderly.
inline cairn::task<int> app(cairn::root& top) {
  const auto scenario = variable("CAIRN_DEADLY");
  const int run = std::stoi(variable("CAIRN_RUN"));
  const bool kills_in_replay = scenario == "replay" || scenario == "given up";
  auto all = top.supervise("all");
  auto one = all.spawn<sum>("one");
  auto two = all.spawn<sum>("two");
  if (run == 0 && scenario == "orderly") {
    one.tell<later>();
    (void)co_await one.ask<total>();
    co_return 0;
  }
  if (run == 0) {
    one.tell<slow>(scenario == "slow" ? -1 : kills_in_replay ? -2 : 0);
    if (scenario == "plain" || scenario == "back" || scenario == "other") {
      for (const int value : {1, -1, 10}) one.tell<add>(value);
    }
    co_await top.checkpoint();  // what waits, waits for the handler before it
    if (kills_in_replay || scenario == "elsewhere" || scenario == "other") die();
  }
  if (scenario == "elsewhere") {
    for (int at = 0; at < run; ++at) two.tell<add>(1);
    two.tell<add>(-1);  // at another position each time
    (void)co_await two.ask<total>();
  }
  if (scenario == "row") {  // at the same position each time
    for (const int value : {1, 2, 3, 4, 5, 6, -1, 10}) two.tell<add>(value);
  }
  static bool went_back = false;  // the root task begins anew after it
  if (run > 0 && scenario == "back" && !std::exchange(went_back, true)) co_await top.rollback();
  if (scenario == "orderly") (void)co_await one.ask<total>();  // it is awake, and its timer runs
  clock_here->advance(2h);
  co_await top.sleep(0h);  // what was due before comes before
  const auto& whom = scenario == "row" ? two : one;
  auto asked = whom.ask<total>().as_result();
  const auto first = co_await std::move(asked);
  const auto kept = co_await top.dead_letters();
  std::string text = first ? std::to_string(first.value()) : "suspended";
  for (const auto& each : kept.letters) {
    text += ", " + each.letter.message + ": " + each.letter.text;
  }
  say(text);
  co_return 0;
}

inline int run_in(const std::string& directory) {
  fixture::hand_clock time;
  clock_here = &time;
  cairn::options chosen;
  chosen.store = cairn::file_store{directory};
  chosen.epoch = {.every = {}, .messages = 0, .bytes = 0};
  chosen.workers = 1;
  chosen.ask_timeout = 1000h;
  chosen.clock = time.handle();
  chosen.on_event = [](const cairn::event& what) {
    if (what.text.find("self.run") != std::string_view::npos) say(std::string{what.text});
  };
  cairn::system<cairn::actors<sum, brittle, stubborn>> running{std::move(chosen)};
  const auto scenario = variable("CAIRN_DEADLY");
  const std::set<std::string> others{"start", "writing", "unwritable", "run"};
  const std::set<std::string> helped{"mail", "mended"};
  const std::set<std::string> forgiven{"pardoned", "lost pardon", "pardoned back"};
  running.start(scenario == "touched"         ? &touched
                : scenario == "copied"        ? &copied
                : forgiven.contains(scenario) ? &pardoned
                : helped.contains(scenario)   ? &resumed
                : others.contains(scenario)   ? &between
                                              : &app);
  running.wait();
  return running.stop().code;
}

/// What `cairn-store give-up` does.
inline void give_up(const std::string& directory) {
  cairn::file_store store{directory};
  const auto found = store.open();
  auto actors = cairn_store::read_actors(store, *found.latest, [](const auto& each) {
    return each.type == cairn::type_hash<sum> && each.position != cairn::position{};
  });
  REQUIRE(actors.size() == 1);
  cairn::detail::buffer without;
  cairn_store::actor_parts{actors[0].payload.view()}.put_without_handler(without);
  actors[0].payload = std::move(without);
  (void)cairn_store::commit(
      store, found, [&](cairn_store::change& all, cairn::epoch in) { all.put(actors[0], in); });
}

/// Runs until a process ends well that is to, and returns what was said then; `deaths` counts those
/// that did not.
struct outcome {
  int deaths = 0;
  std::string said{};
  std::string then{};  ///< by the one after it
};
inline outcome live(const std::string& scenario, int most = 8, bool once_more = false) {
  const auto place = std::filesystem::temp_directory_path() / ("cairn-deaths-" + scenario);
  std::filesystem::remove_all(place);
  outcome found;
  for (int run = 0; run < most; ++run) {
    if (scenario == "given up" && run == 3) give_up(place.string());
    child_process::child one{"deadly: a process",
                             {"CAIRN_DEADLY=" + scenario, "CAIRN_RUN=" + std::to_string(run),
                              "CAIRN_PLACE=" + place.string()}};
    const std::string line = one.line();
    const bool ended = !found.said.empty();
    (ended ? found.then : found.said) = line;
    const bool died = one.exit_code() != 0;
    found.deaths += died ? 1 : 0;
    if (ended || (!died && !line.empty() && !once_more)) break;
  }
  std::filesystem::remove_all(place);
  return found;
}

}  // namespace deadly
