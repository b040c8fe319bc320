// Rooms below wings: supervisors with a strategy, an intensity and a backoff of their own, below
// others that have theirs. Guests of each restart type fail in what is their room's matter, or
// their wing's; what is suspended is let go on, and in the end all are stopped. What was handled is
// told to a register outside, and who may be restarted, when and how often: see wings_told.hpp.
#pragma once

#include "house.hpp"
#include "wings_told.hpp"

namespace simulated::wings {

using house::books;
using house::entry;
using house::report;

constexpr int days = 6;

struct chore {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct visit {};
struct day {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};

struct planned : std::runtime_error {
  planned() : std::runtime_error{"a planned failure"} {}
};
struct beyond : std::runtime_error {
  beyond() : std::runtime_error{"beyond"} {}
};

/// What is told of all processes, as far as it has been.
class chronicle {
 public:
  std::optional<cairn::restart_strategy> chosen{};
  bool closed = false;                                             ///< nobody fails any more
  cairn::epoch begun{};                                            ///< the latest one that was
  const cairn::detail::world* system = nullptr;                    ///< whose root task has begun
  std::set<std::pair<cairn::actor_id, cairn::position>> failed{};  ///< each message fails once

  void begin(cairn::epoch from) {
    all_ = standing(from);
    all_.push_back({.what = deed::begins, .at = from});
    now_ = until(from);
    begun = from;
  }
  void go_back(cairn::epoch to) {
    all_.push_back({.what = deed::goes_back, .at = to, .from = next(begun)});
    all_.push_back({.what = deed::begins, .at = to});
    now_ = until(to);
  }
  /// Before the root task begins nobody's failures depend on it.
  [[nodiscard]] std::chrono::nanoseconds time() {
    if (system != nullptr) time_ = system->steady_now();
    return time_;
  }
  void add(const note& one) {
    all_.push_back(one);
    now_.take(one, true);
  }
  /// By the snapshot of this epoch.
  [[nodiscard]] tally until(cairn::epoch last) const {
    tally made{chosen.value_or(cairn::one_for_all)};
    for (const note& each : standing(last)) made.take(each, false);
    return made;
  }
  [[nodiscard]] const tally& now() const { return now_; }

 private:
  /// What the snapshot of this epoch holds.
  [[nodiscard]] std::vector<note> standing(cairn::epoch last) const {
    std::vector<note> found;
    for (const note& each : all_) {
      if (each.what != deed::goes_back) {
        found.push_back(each);
      } else if (last > each.at && last < each.from) {
        break;  // it is of what was undone
      } else {
        std::erase_if(found, [&](const note& one) { return one.at > each.at; });
      }
    }
    std::erase_if(found, [&](const note& one) { return one.at > last; });
    return found;
  }

  std::chrono::nanoseconds time_{};
  std::vector<note> all_{};
  tally now_{cairn::one_for_all};
};

inline void tell_of(deed what, int who, cairn::detail::cell& by) {
  auto& told = outside->notes<chronicle>();
  if (!outside->dying) told.add({what, by.at, who, by.self().id, told.time()});
}

struct guest {
  using protocol = cairn::protocol<chore, visit>;
  int self = 0;
  cairn::ref<books> to{};
  bool born = false;
  void serialize(auto& ar) { ar(self, to, born); }

  void on_start(cairn::context<guest>& me) {
    house::check_elders(me.where());
    tell_of(deed::starts, self, me.where());
  }
  void on_birth(cairn::context<guest>&) {
    if (born) complain("a guest is born with a past");
    born = true;
  }
  cairn::task<> on(chore what, cairn::context<guest>& me) {
    if (!born) complain("a guest handles before it is born");
    stumble(me);
    to.tell<entry>(self, what.number);
    if (what.number % 3 == 0) co_await me.sleep(1ms);
    stumble(me);
    if (type_of(self) != cairn::permanent || what.number % 4 != 3) co_return;
    if (!me.replaying()) tell_of(deed::ends, self, me.where());
    me.stop("tired");
  }
  void on(visit, cairn::context<guest>& me) { stumble(me); }

 private:
  void stumble(cairn::context<guest>& me) const {
    auto& told = outside->notes<chronicle>();
    if (outside->one_turn_in == 0 || outside->dying || told.closed || me.replaying()) return;
    if (told.failed.contains({me.id(), me.consumed()})) return;
    if (!outside->faults.one_in(2 + outside->one_turn_in / 4)) return;
    told.failed.insert({me.id(), me.consumed()});
    const bool climbs = !passes_by(self) && outside->faults.one_in(3);
    tell_of(climbs ? deed::climbs : deed::fails, self, me.where());
    if (climbs) throw beyond{};
    throw planned{};
  }
};

struct keeper {
  using protocol = cairn::protocol<day>;
  std::vector<cairn::ref<guest>> all{};
  numbering sent{};
  void serialize(auto& ar) { ar(all, sent); }

  cairn::task<> on(day what, cairn::context<keeper>& me) {
    may_fail();
    for (int at = 0; at < all_guests; ++at) {
      if (passes_by(at)) continue;
      all[static_cast<std::size_t>(at)].tell<chore>(9, sent.next(at));
    }
    co_await me.sleep(2ms);
    if (what.left > 1) me.ref().tell<day>(what.left - 1);
  }
};

inline std::string name_of(int guest) { return "guest " + std::to_string(guest); }

/// The root task's doors.
class doors {
 public:
  doors(cairn::root& root, cairn::restart_strategy chosen) {
    const auto top = root.supervise("hotel", forgiving());
    for (int at = 0; at < 2; ++at) {
      wings_[at] = top.supervise("wing " + std::to_string(at), rules_of_wing(at, chosen));
    }
    for (int at = 0; at < rooms; ++at) {
      rooms_[at] = wings_[wing_of(at)].supervise("room " + std::to_string(at),
                                                 plain_rules_of(at).on<beyond>(cairn::escalate));
    }
  }

  /// `some`: those that pass by, or the others.
  void fill(std::vector<cairn::ref<guest>>& all, const cairn::ref<books>& kept, bool some) const {
    all.resize(all_guests);
    for (int at = 0; at < all_guests; ++at) {
      if (passes_by(at) == some) spawn(all, at, kept);
    }
  }
  /// Who has left comes back as another one.
  void visit_again(std::vector<cairn::ref<guest>>& all, const cairn::ref<books>& kept) const {
    for (int at = 0; at < all_guests; ++at) {
      if (!passes_by(at)) continue;
      try {
        spawn(all, at, kept);
      } catch (const cairn::error& why) {
        if (why.code() != cairn::errc::name_taken) throw;
      }
      all[static_cast<std::size_t>(at)].tell<visit>();
    }
  }
  /// Once for each suspension, or its supervisor would forget what was restarted since.
  void let_go_on(cairn::detail::cell& by, bool patient) const {
    const auto& told = outside->notes<chronicle>();
    for (int unit = 0; unit < units; ++unit) {
      if (!told.now().is_held(unit, patient)) continue;
      tell_of(deed::released, unit, by);
      unit == 2 ? wings_[1].resume() : rooms_[unit].resume();
    }
  }
  void close() const {
    for (const auto& each : wings_) each.stop();
  }

 private:
  void spawn(std::vector<cairn::ref<guest>>& all, int at, const cairn::ref<books>& kept) const {
    all[static_cast<std::size_t>(at)] =
        rooms_[room_of(at)].with({.restart = type_of(at)}).spawn<guest>(name_of(at), at, kept);
  }

  cairn::supervisor wings_[2]{};
  cairn::supervisor rooms_[rooms]{};
};

constexpr std::uint64_t all_chores = days * rooms * (beds - 1);

inline cairn::task<int> app(cairn::root& root) {
  auto& told = outside->notes<chronicle>();
  auto& self = *cairn::detail::current_turn->self;
  told.system = static_cast<const cairn::detail::world*>(self.owner);
  if (!told.chosen) {
    told.chosen = outside->faults.one_in(2) ? cairn::one_for_all : cairn::rest_for_one;
  }
  if (!root.restored()) told.begin({});
  auto office = root.supervise("office", forgiving());
  auto kept = office.spawn<books>("books");
  std::uint64_t done = 0;
  if (root.restored()) done = co_await kept.ask<report>();
  told.closed = done == all_chores;
  doors open{root, *told.chosen};
  std::vector<cairn::ref<guest>> all;
  if (!told.closed) {
    open.fill(all, kept, false);
    // While the others are being woken, where the store has given these back.
    if (root.restored()) co_await root.sleep(0ms);
    open.fill(all, kept, true);
  }
  auto chief = office.spawn<keeper>("keeper 9", keeper{all});
  if (!root.restored()) chief.tell<day>(days);
  int waited = 0;
  while (!told.closed) {
    co_await root.sleep(2ms);
    open.let_go_on(self, ++waited % 32 != 0);
    open.visit_again(all, kept);
    done = co_await kept.ask<report>();
    told.closed = done == all_chores;
  }
  open.close();
  while (!told.now().is_empty()) co_await root.sleep(1ms);
  outside->result = std::to_string(done) + " chores";
  co_return 0;
}

inline void watch(const cairn::event& what) {
  using kind = cairn::event_kind;
  auto& told = outside->notes<chronicle>();
  if (what.kind == kind::restored) told.system = nullptr;
  if (what.kind == kind::epoch_begun) told.begun = what.at;
  if (what.kind == kind::restored) told.begin(what.at);
  if (what.kind == kind::rolled_back) told.go_back(what.at);
  const bool is_guest = what.name.starts_with("guest ");
  if (outside->dying || !(is_guest || what.name.starts_with("room "))) return;
  const int who = std::stoi(what.name.substr(what.name.find(' ')));
  const auto add = [&](deed it) { told.add({it, what.at, who, what.actor, told.time()}); };
  if (!is_guest) {
    if (what.kind == kind::stopped) add(deed::room_stopped);
    return;
  }
  const int wing = wing_of(room_of(who));
  const std::string below = wing == 0 && what.text.find(" below ") != what.text.npos
                                ? " below room " + std::to_string(room_of(who))
                            : wing == 0 ? "more restarts than"
                                        : " below wing 1";
  if (what.kind == kind::started) add(deed::born);
  if (what.kind == kind::restarted && what.text == "the failing turn is tried again") {
    add(deed::tries);
  } else if (what.kind == kind::restarted) {
    add(what.text == "fresh" ? deed::afresh : deed::joins);
  }
  if (what.kind == kind::suspended) {
    if (what.text.find(below) == what.text.npos) complain(what.name + ": " + what.text);
    add(below.starts_with(" below room") ? deed::suspended : deed::by_wing);
  }
  if (what.kind == kind::resumed) add(deed::resumed);
  if (what.kind == kind::stopped) add(deed::stopped);
}

/// What a supervisor, or a guest, has noted of its restarts.
inline void check_count(const snapshot& in, const std::string& of, std::size_t count,
                        const tally::bounds& may) {
  const auto noted = static_cast<int>(count);
  if (noted >= may.least && noted <= may.most) return;
  complain("snapshot " + std::to_string(raw(in.number())) + ": " + of + " has noted " +
           std::to_string(noted) + " restarts, not " + std::to_string(may.least) + " to " +
           std::to_string(may.most));
}
inline void check_counts(const snapshot& in) {
  using cairn::detail::supervisor_actor;
  const tally known = outside->notes<chronicle>().until(in.number());
  std::map<cairn::actor_id, int> which;
  in.each<supervisor_actor>([&](const supervisor_actor&, const snapshot::cell& where) {
    if (where.name.starts_with("room ")) which[where.id] = number_of(where);
  });
  in.each<supervisor_actor>([&](const supervisor_actor& one, const snapshot::cell& where) {
    const bool is_room = where.name.starts_with("room ");
    if (!is_room && !where.name.starts_with("wing ")) return;
    const int self = number_of(where);
    const bool alone = one.rules.strategy == cairn::one_for_one;
    std::map<int, std::size_t> noted;
    for (const auto& row : one.rows) {
      const bool its_own = row.whose != cairn::actor_id{};
      if (its_own != alone) complain(where.name + " counts otherwise");
      const auto whose = which.find(row.whose);
      if (its_own && whose == which.end()) continue;  // it has stopped
      noted[its_own ? whose->second : -1] = row.restarts.size();
      if (row.backoffs > row.restarts.size()) complain(where.name + " has too many backoffs");
      for (const auto each : row.waiting) {
        if (alone && each != row.whose)
          complain(where.name + ": another one's backoff is waited for");
      }
    }
    // Where somebody has left for good all are about to, and others may have come by these names.
    if (is_room && !alone && !known.is_empty(self)) {
      check_count(in, where.name, noted[-1], known.of_room(self));
    }
    if (!is_room && !alone && !known.is_empty(rooms - 1)) {
      check_count(in, where.name, noted[-1], known.of_wing(1, -1));
    }
    for (const auto& [id, room] : which) {
      if (is_room || !alone || wing_of(room) != 0 || known.is_empty(room)) continue;
      check_count(in, where.name, noted[room], known.of_wing(0, room));
    }
  });
  in.each<guest>([&](const guest& one, const snapshot::cell& where) {
    const auto count = where.more ? where.more->restarts.size() : 0;
    const bool alone = plain_rules_of(room_of(one.self)).strategy == cairn::one_for_one;
    if (alone) check_count(in, where.name, count, known.of_guest(one.self));
  });
}

inline void check(const snapshot& in) {
  ledger chores{in};
  in.each<keeper>([&](const keeper& each, const snapshot::cell&) { chores.sent(each.sent, 9); });
  in.each<guest>([&](const guest& one, const snapshot::cell& where) {
    in.each_waiting<chore>(
        where, [&](const chore& each) { chores.waits(each.from, one.self, each.number); });
  });
  // Who has begun afresh has forgotten what it was given; the books have not, or will hear of it.
  in.each<books>([&](const books& kept, const snapshot::cell& where) {
    std::map<int, std::uint64_t> known = kept.received.last;
    in.each_waiting<entry>(where, [&](const entry& each) { known[each.from] = each.number; });
    for (const auto& [who, count] : known) {
      order_check heard_of;
      heard_of.last[9] = count;
      chores.received(heard_of, who);
    }
  });
  chores.check();
  check_counts(in);
}

inline const std::string expected = "60 chores";

}  // namespace simulated::wings
