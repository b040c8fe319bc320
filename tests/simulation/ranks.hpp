// What a child's end comes to, by its restart type and by its supervisor's rules: each soul is
// asked to do its jobs in their order, and one that has stopped is spawned again by the root task.
// Each job is done once, and who begins afresh knows nothing of before.
#pragma once

#include "audit.hpp"

namespace simulated::ranks {

using namespace std::chrono_literals;

constexpr int souls = 15;
constexpr int jobs = 8;  // of each
constexpr std::chrono::hours ever{24};

enum class rank {
  temporary,   ///< a failure stops it
  permanent,   ///< it stops itself now and then, and begins afresh
  resumed,     ///< a sin is given up at once
  sentenced,   ///< a sin stops it
  strict,      ///< the second restart stops it
  low,         ///< each failure goes up two levels, and down again
  going_back,  ///< a failure takes the system back
  packed,      ///< the second restart of the pack stops all of it
  guest,       ///< temporary, in the pack: its failure, or a restart of the pack, stops it
  joined,      ///< restarts of both count together, and the second stops both
};
[[nodiscard]] constexpr rank rank_of(int soul) {
  constexpr rank all[souls] = {rank::temporary, rank::temporary,  rank::permanent, rank::resumed,
                               rank::sentenced, rank::strict,     rank::strict,    rank::low,
                               rank::low,       rank::going_back, rank::packed,    rank::packed,
                               rank::guest,     rank::joined,     rank::joined};
  return all[soul];
}
/// Whether it may come back as another one.
[[nodiscard]] constexpr bool ends(int soul) {
  const rank it = rank_of(soul);
  return it != rank::permanent && it != rank::resumed && it != rank::low && it != rank::going_back;
}

struct sinned : std::invalid_argument {
  sinned() : std::invalid_argument{"a sin"} {}
};
struct homesick : std::runtime_error {
  homesick() : std::runtime_error{"homesick"} {}
};

struct job {
  int number = 0;
  bool sin = false;
  void serialize(auto& ar) { ar(number, sin); }
};
/// How often it has done something since it began, and in which of its lives.
struct deed {
  int since = 0;
  std::uint64_t life = 0;
  void serialize(auto& ar) { ar(since, life); }
};
struct entry {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct report {};

struct books {
  using protocol = cairn::protocol<entry, report>;
  order_check received{};
  void serialize(auto& ar) { ar(received); }
  void on(entry what) { received.take(what.from, what.number, 99); }
  std::uint64_t on(report) const { return received.total(); }
};

struct soul {
  using protocol = cairn::protocol<job>;
  int self = 0;
  std::uint64_t life = 0;
  cairn::ref<books> to{};
  bool born = false;
  int since = 0;
  void serialize(auto& ar) { ar(self, life, to, born, since); }

  void on_birth(cairn::context<soul>&) {
    if (born || since != 0) complain("a soul is born with a past");
    born = true;
  }
  cairn::task<deed> on(job what, cairn::context<soul>& me) {
    if (!born) complain("a soul does something before it is born");
    if (what.sin) throw sinned{};
    if (rank_of(self) == rank::going_back) {
      may_be_homesick(me);
    } else {
      may_fail();
    }
    ++since;
    to.tell<entry>(self, static_cast<std::uint64_t>(what.number));
    // A guest is not stopped within its handler, after what it has told: it would tell it again.
    if (what.number % 3 == 0 && rank_of(self) != rank::guest) co_await me.sleep(1ms);
    if (rank_of(self) == rank::permanent && what.number % 4 == 0) me.stop("tired");
    co_return deed{since, life};
  }

 private:
  static void may_be_homesick(cairn::context<soul>& me) {
    if (outside->one_turn_in == 0 || outside->dying || me.replaying()) return;
    if (outside->faults.one_in(6)) throw homesick{};
  }
};

struct round {
  std::vector<cairn::ref<soul>> all{};
  void serialize(auto& ar) { ar(all); }
};
/// What has become of those that were asked.
struct outcome {
  bool done = false;
  std::set<int> gone{};
  std::set<int> held{};
  void serialize(auto& ar) { ar(done, gone, held); }
};

/// Asks each soul for its next job.
struct chief {
  using protocol = cairn::protocol<round>;
  std::map<int, int> done{};                  ///< how many jobs
  std::map<int, std::uint64_t> least_life{};  ///< that may answer
  std::map<int, int> sins{};                  ///< how many were asked for
  void serialize(auto& ar) { ar(done, least_life, sins); }

  cairn::task<outcome> on(round what) {
    may_fail();
    outcome found;
    for (int at = 0; at < souls; ++at) {
      if (done[at] == jobs) continue;
      const int number = done[at] + 1;
      const bool sin = is_to_sin(at, number);
      auto asked = what.all[static_cast<std::size_t>(at)].ask<job>(number, sin).as_result();
      const auto answer = co_await std::move(asked);
      if (sin) take_sin(at, answer.code());
      if (answer) {
        take(at, answer.value());
      } else if (answer.code() == cairn::errc::stopped) {
        found.gone.insert(at);
      } else if (answer.code() == cairn::errc::failed) {
        found.held.insert(at);
        // Whatever fails here ends this life.
        const rank it = rank_of(at);
        const bool ended = it == rank::temporary || it == rank::guest;
        if (ended || (sin && it == rank::sentenced)) ++least_life[at];
      } else {
        complain("a soul does not answer: " + std::string{to_string(answer.code())});
      }
    }
    may_fail();
    found.done = is_done();
    co_return found;
  }

 private:
  [[nodiscard]] bool is_to_sin(int at, int number) {
    const bool can = rank_of(at) == rank::resumed || rank_of(at) == rank::sentenced;
    return can && number % 4 == 3 && sins[at] < (number + 1) / 4;
  }
  /// A sin is known to be given up, unless nobody was there.
  void take_sin(int at, cairn::errc code) {
    if (code == cairn::errc::ok) complain("a sin is answered");
    if (code == cairn::errc::failed) ++sins[at];
  }
  void take(int at, const deed& answer) {
    const int number = ++done[at];
    const int since = rank_of(at) == rank::permanent ? (number - 1) % 4 + 1 : number;
    if (!ends(at) && answer.since != since) {
      complain("soul " + std::to_string(at) + " remembers " + std::to_string(answer.since) +
               " jobs, not " + std::to_string(since));
    }
    auto& least = least_life[at];
    if (answer.life < least) complain("a soul is back that was stopped");
    if (!ends(at) && least != 0 && answer.life != least) complain("a soul was stopped");
    least = answer.life;
  }
  [[nodiscard]] bool is_done() const {
    return std::all_of(done.begin(), done.end(),
                       [](const auto& each) { return each.second == jobs; });
  }
};

/// What events have said since the process began, or went back.
struct heard_of {
  std::uint64_t lives = 0;
  std::map<std::string, std::string> failed{};  ///< with what, the last time
  std::map<cairn::actor_id, int> restarted{};   ///< how often
};

/// The root task's doors to the souls.
class doors {
 public:
  doors(cairn::root& root, cairn::ref<books> kept) : kept_{kept} {
    auto rules = forgiving();
    top_ = root.supervise("ranks", rules);
    plain_ = top_.supervise("plain", rules);
    ruled_ = top_.supervise("ruled", rules.on<homesick>(cairn::rollback).on<sinned>(cairn::resume));
    severe_ = top_.supervise("severe", rules.on<std::invalid_argument>(cairn::stop));
    auto twice = rules;
    twice.intensity = {.restarts = 1, .within = ever};
    twice.exceeded = cairn::stop;
    strict_ = top_.supervise("strict", twice);
    auto none = rules;
    none.intensity.restarts = 0;
    none.exceeded = cairn::escalate;
    none.attempts = 1000;
    low_ = top_.supervise("low", rules).supervise("lower", none).supervise("lowest", none);
    open_again();
  }

  /// Spawns who is not there. Where its name is not free yet, next time.
  void fill(std::vector<cairn::ref<soul>>& all, const std::set<int>& gone) {
    all.resize(souls);
    for (int at = 0; at < souls; ++at) {
      auto& one = all[static_cast<std::size_t>(at)];
      if (one && !gone.contains(at)) continue;
      try {
        const auto life = ++outside->notes<heard_of>().lives;
        one = door_of(at).spawn<soul>("soul " + std::to_string(at), at, life, kept_);
      } catch (const cairn::error& why) {
        if (why.code() != cairn::errc::name_taken && why.code() != cairn::errc::stopped) throw;
        if (why.code() == cairn::errc::stopped) open_again();
      }
    }
  }

 private:
  /// Those that may have stopped.
  void open_again() {
    auto rules = forgiving();
    rules.attempts = 1000;
    rules.intensity = {.restarts = 1, .within = ever, .together = true};
    rules.exceeded = cairn::stop;
    rules.backoff = {.first = 1ms, .most = 4ms};
    open(joined_, "joined", rules);
    rules.strategy = cairn::one_for_all;
    open(pack_, "pack", rules);
  }
  void open(cairn::supervisor& door, const char* name, const cairn::supervisor_options& rules) {
    try {
      door = top_.supervise(name, rules);
    } catch (const cairn::error& why) {
      if (why.code() != cairn::errc::name_taken) throw;
    }
  }
  [[nodiscard]] cairn::supervisor door_of(int soul) const {
    switch (rank_of(soul)) {
      case rank::temporary:
        return plain_.with({.restart = cairn::temporary});
      case rank::permanent:
        return plain_.with({.restart = cairn::permanent});
      case rank::resumed:
      case rank::going_back:
        return ruled_;
      case rank::sentenced:
        return severe_;
      case rank::strict:
        return strict_;
      case rank::low:
        return low_;
      case rank::packed:
        return pack_.with({.shutdown = 2ms});
      case rank::guest:
        return pack_.with({.restart = cairn::temporary, .shutdown = 2ms});
      case rank::joined:
        return joined_.with({.shutdown = 2ms});
    }
    return top_;
  }

  cairn::ref<books> kept_;
  cairn::supervisor top_{}, plain_{}, ruled_{}, severe_{}, strict_{}, low_{}, pack_{}, joined_{};
};

inline cairn::task<int> app(cairn::root& root) {
  auto office = root.supervise("office", forgiving());
  auto kept = office.spawn<books>("books");
  auto boss = office.spawn<chief>("chief");
  outside->notes<heard_of>().restarted.clear();
  doors open{root, kept};
  std::vector<cairn::ref<soul>> all;
  outcome found;
  while (!found.done) {
    open.fill(all, found.gone);
    auto asked = boss.ask<round>(all);
    found = co_await std::move(asked);
    for (const int each : found.held) root.resume(all[static_cast<std::size_t>(each)]);
    co_await root.sleep(1ms);
  }
  const auto letters = co_await root.dead_letters();
  int sins = 0;
  for (const auto& each : letters.letters) {
    if (each.letter.message == cairn::type_name<job>) {
      sins += cairn::decode<job>(each.letter.payload).sin ? 1 : 0;
    }
  }
  const auto done = co_await kept.ask<report>();
  outside->result = std::to_string(done) + " jobs, " + std::to_string(sins) + " sins";
  co_return 0;
}

inline void watch(const cairn::event& what) {
  auto& notes = outside->notes<heard_of>();
  if (!what.name.starts_with("soul ")) return;
  const rank it = rank_of(std::stoi(what.name.substr(5)));
  if (what.kind == cairn::event_kind::given_up) notes.failed.erase(what.name);
  if (what.kind == cairn::event_kind::failed) notes.failed[what.name] = what.text;
  if (what.kind == cairn::event_kind::suspended && it != rank::going_back) {
    complain(what.name + " is suspended: " + what.text);
  }
  if (what.kind != cairn::event_kind::restarted) return;
  if (it == rank::temporary || it == rank::guest) complain("a temporary soul is restarted");
  if (it == rank::joined && what.text == "with its siblings") {
    complain("a soul is restarted that has not failed");
  }
  if (notes.failed[what.name] == "a sin") complain("a sin is tried again");
  if (it == rank::strict && ++notes.restarted[what.actor] > 1) {
    complain("a soul is restarted more often than it may be");
  }
}

/// Of each name there is one.
inline void check(const snapshot& in) {
  std::map<int, int> there;
  in.each<soul>([&](const soul& one, const snapshot::cell&) { ++there[one.self]; });
  for (const auto& [who, count] : there) {
    if (count != 1) complain("a soul is there twice");
  }
}

inline const std::string expected = "120 jobs, 4 sins";

}  // namespace simulated::ranks
