// Messages that kill the process: it is found which ones they are, after two deaths, they become
// dead letters that are kept, and nothing else is lost. What was accused in error is delivered
// again.
#pragma once

#include "audit.hpp"

namespace simulated::curse {

using namespace std::chrono_literals;

constexpr int diggers = 3;
constexpr int digs = 6;           // of each
constexpr int cursed = 3;         // the number of a digger's cursed dig
constexpr int most_of_later = 4;  // deaths of the one that is run again
constexpr int most_idle = 300;    // rounds, of 2 ms

/// How a digger's cursed dig kills.
enum class curse_kind : std::uint8_t { none, at_once, when_it_goes_on, when_run_again };
[[nodiscard]] constexpr curse_kind kind_of(int digger, int number) {
  return number == cursed ? static_cast<curse_kind>(1 + digger) : curse_kind::none;
}
/// Whether it is never done.
[[nodiscard]] constexpr bool is_lost(int digger, int number) {
  const curse_kind kind = kind_of(digger, number);
  return kind == curse_kind::at_once || kind == curse_kind::when_it_goes_on;
}

struct dig {
  int who = 0;
  int number = 0;
  bool again = false;  ///< its chief has asked for it before
  void serialize(auto& ar) { ar(who, number, again); }
};
struct found {
  int who = 0;
  int number = 0;
  bool again = false;
  void serialize(auto& ar) { ar(who, number, again); }
};
struct begin {};
struct next {};
struct report {};

struct books {
  using protocol = cairn::protocol<found, report>;
  std::set<std::pair<int, int>> all{};
  std::set<std::pair<int, int>> asked_twice{};
  void serialize(auto& ar) { ar(all, asked_twice); }
  void on(found what) {
    const std::pair<int, int> which{what.who, what.number};
    if (what.again) asked_twice.insert(which);
    const bool first = all.insert(which).second;
    if (!first && !asked_twice.contains(which)) complain("a dig is done twice");
    if (is_lost(what.who, what.number)) complain("what kills has been done");
  }
  int on(report) const { return static_cast<int>(all.size()); }
};

struct digger {
  using protocol = cairn::protocol<dig>;
  cairn::ref<books> to{};
  int begun = 0;
  void serialize(auto& ar) { ar(to, begun); }

  cairn::task<> on(dig what, cairn::context<digger>& me) {
    const curse_kind kind = kind_of(what.who, what.number);
    if (kind == curse_kind::at_once) kill_the_process();
    if (kind == curse_kind::when_run_again && me.replaying()) dies_at_first();
    ++begun;
    if (what.number % 3 == 0) co_await me.sleep(2ms);
    if (kind == curse_kind::when_it_goes_on && !outside->auditing) kill_the_process();
    if (!outside->dying) to.tell<found>(what.who, what.number, what.again);
  }

 private:
  static void dies_at_first() {
    if (outside->auditing || outside->dying) return;
    auto& deaths = outside->notes<int>();
    if (deaths < most_of_later && ++deaths <= most_of_later) kill_the_process();
  }
};

/// Gives one digger its work, and does not mind what fails.
struct chief {
  using protocol = cairn::protocol<begin, next, report>;
  int self = 0;
  cairn::ref<digger> whom{};
  bool begun = false;
  int asked = 0;  ///< a handler that was given up, and delivered again, asks again
  int done = 0;
  void serialize(auto& ar) { ar(self, whom, begun, asked, done); }

  void on(begin, cairn::context<chief>& me) {
    if (!std::exchange(begun, true)) me.ref().tell<next>();
  }
  cairn::task<> on(next, cairn::context<chief>& me) {
    may_fail();
    const int number = done + 1;
    const bool again = std::exchange(asked, number) == number;
    auto asking = whom.ask<dig>(self, number, again).as_result();
    const auto answer = co_await std::move(asking);
    may_fail();
    if (!answer && answer.code() != cairn::errc::failed) complain("a dig fails otherwise");
    if (answer && is_lost(self, number)) complain("what kills is answered");
    done = number;
    if (done < digs) me.ref().tell<next>();
  }
  int on(report) const { return done; }
};

[[nodiscard]] inline bool is_cursed(const cairn::dead_letter& letter) {
  if (letter.message != cairn::type_name<dig>) return false;
  const auto what = cairn::decode<dig>(letter.payload);
  return is_lost(what.who, what.number);
}

/// Whose cursed dig is a letter for good; others are delivered again. One digger may have two: its
/// chief was accused in error, and has asked again.
inline cairn::task<int> tidy(cairn::root* root) {
  const auto kept = co_await root->dead_letters();
  std::set<cairn::actor_id> lost;
  for (const auto& each : kept.letters) {
    if (is_cursed(each.letter)) {
      lost.insert(each.letter.target);
      continue;
    }
    auto doing = root->deliver_again(each.id).as_result();
    (void)co_await std::move(doing);
  }
  co_return static_cast<int>(lost.size());
}

/// How many chiefs know that what kills was given up.
inline cairn::task<int> past_their_curse(const std::vector<cairn::ref<chief>>* all) {
  int found = 0;
  for (int at = 0; at < diggers; ++at) {
    if (!is_lost(at, cursed)) continue;
    auto asked = (*all)[static_cast<std::size_t>(at)].ask<report>().as_result();
    const auto done = co_await std::move(asked);
    found += done && done.value() >= cursed ? 1 : 0;
  }
  co_return found;
}

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("curse", forgiving());
  auto kept = top.spawn<books>("books");
  std::vector<cairn::ref<digger>> all;
  std::vector<cairn::ref<chief>> by;
  for (int at = 0; at < diggers; ++at) {
    all.push_back(top.spawn<digger>("digger " + std::to_string(at), kept));
    by.push_back(top.spawn<chief>("chief " + std::to_string(at), at, all.back()));
  }
  // Who is in no snapshot yet could kill for ever.
  for (bool there = root.restored(); !there;) {
    auto saving = root.checkpoint().as_result();
    const auto saved = co_await std::move(saving);
    there = static_cast<bool>(saved);
  }
  for (const auto& each : by) each.tell<begin>();
  int done = 0;
  int lost = 0;
  int idle = 0;  // rounds in a row in which nobody came further
  while (done < diggers * digs - 2 || lost < 2) {
    co_await root.sleep(2ms);
    for (const auto& each : all) root.resume(each);  // it may be suspended for its replay
    for (const auto& each : by) root.resume(each);
    const int before = done + lost;
    lost = co_await tidy(&root);
    auto asked = kept.ask<report>().as_result();
    const auto answer = co_await std::move(asked);
    if (answer) done = answer.value();  // else the process has died of it, twice
    idle = done + lost == before ? idle + 1 : 0;
    if (idle < most_idle) continue;
    const int given_up = co_await past_their_curse(&by);
    complain(given_up > lost ? "what kills is given up without a letter" : "nobody comes further");
    co_return 1;
  }
  outside->result = std::to_string(done) + " done, " + std::to_string(lost) + " lost";
  co_return 0;
}

inline const std::string expected = "16 done, 2 lost";

}  // namespace simulated::curse
