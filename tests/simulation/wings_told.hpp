// What a program that is told of every failure, restart and suspension knows of supervisors below
// supervisors: whom each failure concerns, how often each of them has restarted, and when.
//
// What a snapshot does not hold has never been: each note has the epoch of who made it, and who
// begins from a snapshot, also one told of as abandoned, goes on from the notes that are in it.
#pragma once

#include <optional>

#include "audit.hpp"
#include "wings_rules.hpp"

namespace simulated::wings {

enum class deed {
  begins,     ///< a process does, or it has gone back
  goes_back,  ///< to the snapshot of the note's epoch
  born,       ///< a guest is spawned
  starts,     ///< its `on_start`
  fails,      ///< what is its room's matter
  climbs,     ///< what is its wing's
  ends,       ///< a permanent one has stopped itself
  tries,      ///< it stood before what has failed, and goes on
  joins,      ///< it is restarted with others
  afresh,     ///< it has its first state again
  suspended,  ///< of its room
  by_wing,    ///< suspended, of its wing
  resumed,
  released,  ///< the root task lets a unit go on
  stopped,
  room_stopped,
};
struct note {
  deed what{};
  cairn::epoch at{};
  int who = 0;  ///< a guest, a room or a unit
  cairn::actor_id id{};
  std::chrono::nanoseconds when{};
  cairn::epoch from{};  ///< of who goes back: that of what follows
};

/// What has become of them, by the notes so far.
class tally {
 public:
  explicit tally(cairn::restart_strategy chosen) : chosen_{chosen} {}

  /// `judges`: what must not be is said aloud.
  void take(const note& one, bool judges) {
    judges_ = judges;
    ++now_;
    lodger& who = guests_[one.what == deed::released || one.what == deed::begins ? 0 : one.who];
    switch (one.what) {
      case deed::goes_back:
      case deed::begins:
        began_ = now_;
        break;
      case deed::born:
        who = {.id = one.id, .there = true};
        break;
      case deed::starts:
        who.started = now_;
        who.is_open = false;
        break;
      case deed::fails:
      case deed::climbs:
      case deed::ends:
        take_failure(one);
        break;
      case deed::tries:
      case deed::joins:
        take_restart(one);
        break;
      case deed::afresh:
        if (--who.ends < 0) wrong(one, "begins afresh, and has not stopped itself");
        break;
      case deed::suspended:
      case deed::by_wing:
        take_suspension(one);
        break;
      case deed::resumed:
        take_resumption(one);
        break;
      case deed::released:
        for (int at = 0; at < all_guests; ++at) {
          lodger& each = guests_[at];
          if (!is_in(one.who, at)) continue;
          unsure_[one.who] = unsure_[one.who] || each.awaited;
          each.awaited = each.there && !passes_by(at);
        }
        break;
      case deed::stopped:
        take_stop(one);
        break;
      case deed::room_stopped:
        for_room(one.who, [&](int, const lodger& each) {
          if (each.there) wrong(one, "has stopped before who is in it");
        });
        break;
    }
  }

  /// Whether some of them are suspended, and nobody is at it.
  [[nodiscard]] bool is_held(int unit, bool patient) const {
    bool held = false;
    bool awaited = false;
    for (int at = 0; at < all_guests; ++at) {
      if (!is_in(unit, at)) continue;
      held = held || guests_[at].held;
      awaited = awaited || guests_[at].awaited;
    }
    return held && (!patient || !awaited);
  }
  /// Whether nobody is left who is there for good, in one room or in all.
  [[nodiscard]] bool is_empty(int room = -1) const {
    for (int at = 0; at < all_guests; ++at) {
      const bool counts = (room < 0 || room_of(at) == room) && !passes_by(at);
      if (counts && guests_[at].there) return false;
    }
    return true;
  }

  /// How many restarts count that a room's supervisor has noted, or a wing's of one room or of all:
  /// at least, and at most.
  struct bounds {
    int least = 0;
    int most = 0;
  };
  [[nodiscard]] bounds of_room(int room) const {
    const bool sure = is_sure(unit_of(room));
    return {sure ? rooms_[room].tries : 0, rooms_[room].failures + (sure ? 0 : rooms_[room].past)};
  }
  [[nodiscard]] bounds of_wing(int wing, int room) const {
    bounds found;
    for (int at = 0; at < rooms; ++at) {
      if (wing_of(at) != wing || (wing == 0 && at != room)) continue;
      found.most += rooms_[at].climbs;
      for_room(at, [&](int, const lodger& each) {
        if (wing == 0 || is_sure(unit_of(at)))
          found.least = std::max(found.least, each.joins_alone);
      });
    }
    return found;
  }
  [[nodiscard]] bounds of_guest(int guest) const {
    return {guests_[guest].tries, guests_[guest].failures};
  }

 private:
  struct lodger {
    cairn::actor_id id{};
    bool there = false;
    bool held = false;
    bool awaited = false;  ///< it has been let go on
    bool is_open = false;  ///< it waits before what is its room's matter
    int owed = 0;          ///< restarts that failures have made due, at most
    int ends = 0;
    int failures = 0, tries = 0;  ///< since it was resumed
    int joins_alone = 0;          ///< where only its wing can have restarted it with others
    std::optional<std::chrono::nanoseconds> fails_since{}, climbs_since{};
    std::size_t failed = 0, ended = 0, started = 0, resumed = 0;  ///< the number of the note
  };
  struct chamber {
    int past = 0;  ///< failures before it was resumed, which may still be remembered
    int failures = 0, tries = 0, climbs = 0;  ///< since it was resumed
    int causes = 0, passes = 0;               ///< of restarts in a row
    cairn::actor_id last{};                   ///< who was restarted
    bool resuming = false;
    int passed_for = -1;     ///< who had failed, the last time
    std::size_t passed = 0;  ///< the number of that note
  };

  [[nodiscard]] static bool is_group(int room) {
    return plain_rules_of(room).strategy != cairn::one_for_one;
  }
  [[nodiscard]] static int limit_of(int room) {
    return static_cast<int>(plain_rules_of(room).intensity.restarts);
  }
  [[nodiscard]] static int limit_of_wing(int wing) {
    return static_cast<int>(rules_of_wing(wing, {}).intensity.restarts);
  }
  [[nodiscard]] static bool is_in(int unit, int guest) { return unit_of(room_of(guest)) == unit; }

  template <class Use>
  void for_room(int of, Use&& use) const {
    for (int at = of * beds; at < (of + 1) * beds; ++at) use(at, guests_[at]);
  }
  /// Nobody of them is about to go on, whose supervisor has forgotten already.
  [[nodiscard]] bool is_sure(int unit) const { return !unsure_[unit] && !is_held(unit, false); }

  void wrong(const note& of, const std::string& text) const {
    const std::string whose = of.what == deed::room_stopped ? "room " : "guest ";
    if (judges_) complain(whose + std::to_string(of.who) + " " + text);
  }

  [[nodiscard]] static bool names(cairn::restart_strategy how, auto failed, auto other) {
    return other == failed || how == cairn::one_for_all ||
           (how == cairn::rest_for_one && other > failed);
  }
  /// Whether a failure may have the other one restarted.
  [[nodiscard]] bool concerns(int failed, int other, bool climbs) const {
    const int mine = room_of(failed);
    const int its = room_of(other);
    if (climbs && wing_of(mine) == wing_of(its)) {
      return names(rules_of_wing(wing_of(mine), chosen_).strategy, mine, its);
    }
    const auto how = plain_rules_of(mine).strategy;
    return mine == its && names(how, guests_[failed].id, guests_[other].id);
  }

  void take_failure(const note& one) {
    lodger& who = guests_[one.who];
    chamber& in = rooms_[room_of(one.who)];
    who.failed = now_;
    who.ends += one.what == deed::ends ? 1 : 0;
    if (one.what == deed::ends) who.ended = now_;
    if (passes_by(one.who)) return;  // it stops
    bool climbs = one.what == deed::climbs;
    const bool spared = !climbs && comes_back_anyway(one.who);
    if (!climbs && !spared) {
      const int count = is_group(room_of(one.who)) ? std::max(++who.failures, ++in.failures)
                                                   : (++in.failures, ++who.failures);
      const auto then = plain_rules_of(room_of(one.who)).exceeded;
      climbs = then == cairn::escalate && count > limit_of(room_of(one.who));
    }
    if (climbs) {
      ++in.climbs;
      who.climbs_since = one.when;
    }
    if (one.what == deed::fails) {
      who.fails_since = one.when;
      who.is_open = true;
    }
    std::set<int> concerned;
    for (int at = 0; at < all_guests; ++at) {
      if (!concerns(one.who, at, climbs)) continue;
      ++guests_[at].owed;
      concerned.insert(room_of(at));
    }
    for (const int each : concerned) ++rooms_[each].causes;
  }

  /// An elder one has failed, who is restarted before it: they count once.
  [[nodiscard]] bool comes_back_anyway(int failed) const {
    const int where = room_of(failed);
    bool found = false;
    for_room(where, [&](int, const lodger& each) {
      found = found || (each.is_open && each.id < guests_[failed].id);
    });
    return found && plain_rules_of(where).strategy == cairn::one_for_all &&
           rooms_[where].failures <= limit_of(where);
  }

  void take_restart(const note& one) {
    lodger& who = guests_[one.who];
    const int where = room_of(one.who);
    chamber& in = rooms_[where];
    if (passes_by(one.who)) wrong(one, "is restarted, and is temporary");
    if (--who.owed < 0) wrong(one, "is restarted for nobody");
    if (one.what == deed::joins || is_group(where)) {
      if (one.id <= in.last || in.passes == 0) ++in.passes;
      in.last = one.id;
      if (in.passes > in.causes) wrong(one, "is restarted out of its order");
    }
    if (one.what == deed::tries) {
      check_backoff(one, plain_rules_of(where).backoff.first);
      if (is_group(where)) {
        if (++in.tries > limit_of(where)) wrong(one, "is tried again: its room failed too often");
        check_left_out(one, in);
      } else if (++who.tries > limit_of(where)) {
        wrong(one, "is tried again, and failed too often");
      }
    } else if (!is_group(where)) {
      check_backoff_of_wing(one);
      const int count = ++who.joins_alone;
      if (count > limit_of_wing(wing_of(where))) wrong(one, "is restarted: its wing was too often");
    }
    who.fails_since = who.climbs_since = std::nullopt;
    who.is_open = false;
    who.started = now_;  // also who is about to be born, and starts then
  }

  /// Of who was the first to fail: he, and who fails after him, waits for as long.
  void check_backoff(const note& one, std::chrono::nanoseconds least) const {
    std::optional<std::chrono::nanoseconds> since = guests_[one.who].fails_since;
    if (is_group(room_of(one.who))) {
      for_room(room_of(one.who), [&](int, const lodger& each) {
        if (each.fails_since && each.fails_since < since) since = each.fails_since;
      });
    }
    if (since && one.when - *since < least) wrong(one, "has not waited for its backoff");
  }
  /// Of the room that is restarted alone: its eldest is so before all others.
  void check_backoff_of_wing(const note& one) const {
    const int where = room_of(one.who);
    if (wing_of(where) != 0) return;
    std::optional<std::chrono::nanoseconds> since;
    bool eldest = true;
    for_room(where, [&](int at, const lodger& each) {
      if (!passes_by(at) && each.id < one.id) eldest = false;
      if (each.climbs_since && (!since || each.climbs_since < since)) since = each.climbs_since;
    });
    const auto least = rules_of_wing(0, {}).backoff.first;
    if (eldest && since && one.when - *since < least) wrong(one, "does not wait: its room has to");
  }

  /// Where the strategy restarts others too: the elder ones are back, and the younger ones of the
  /// time before.
  void check_left_out(const note& one, chamber& in) {
    const auto how = plain_rules_of(room_of(one.who)).strategy;
    const auto check = [&](int failed, std::size_t since, bool elder) {
      for_room(room_of(one.who), [&](int at, const lodger& each) {
        const bool is_it = !passes_by(at) && each.there && !each.held && each.resumed < since &&
                           (each.id < guests_[failed].id) == elder && at != failed &&
                           names(how, guests_[failed].id, each.id);
        if (is_it && each.started < since) wrong(one, "is tried again without its siblings");
      });
    };
    if (guests_[one.who].failed > began_) check(one.who, guests_[one.who].failed, true);
    if (in.passed > began_) check(in.passed_for, in.passed, false);
    in.passed = now_;
    in.passed_for = one.who;
  }

  void take_suspension(const note& one) {
    lodger& who = guests_[one.who];
    const int where = room_of(one.who);
    if (one.what == deed::suspended) {
      const bool may = plain_rules_of(where).exceeded == cairn::suspend;
      if (!may || rooms_[where].failures <= limit_of(where)) wrong(one, "is suspended too soon");
    } else if (of_wing(wing_of(where), where).most <= limit_of_wing(wing_of(where))) {
      wrong(one, "is suspended with its wing too soon");
    }
    who.held = true;
    who.fails_since = who.climbs_since = std::nullopt;
    who.is_open = false;
    resuming_[unit_of(where)] = false;
  }

  /// Nobody goes on before all were suspended.
  void take_resumption(const note& one) {
    const int unit = unit_of(room_of(one.who));
    if (!resuming_[unit]) {
      resuming_[unit] = true;
      for (int at = 0; at < all_guests; ++at) {
        lodger& each = guests_[at];
        if (!is_in(unit, at)) continue;
        if (each.there && !each.held && !passes_by(at)) {
          wrong(one, "was suspended without " + std::to_string(at));
        }
        if (unit == 2) each.joins_alone = each.owed = 0;
      }
      for (int at = 0; at < rooms; ++at) {
        if (unit_of(at) != unit) continue;
        rooms_[at].past = std::exchange(rooms_[at].failures, 0);
        rooms_[at].tries = 0;
        if (unit == 2) rooms_[at].climbs = 0;
      }
    }
    lodger& who = guests_[one.who];
    who.held = who.awaited = false;
    who.failures = who.tries = 0;
    who.resumed = now_;
  }

  /// In the end: it was restarted with an elder one that had stopped itself.
  void check_begun_with(const note& one) const {
    const lodger& who = guests_[one.who];
    for_room(room_of(one.who), [&](int, const lodger& each) {
      const bool is_it = each.ended > std::max(began_, who.resumed) && each.id < who.id &&
                         is_group(room_of(one.who)) && !who.held;
      if (is_it && who.started < each.ended) wrong(one, "has not begun with its sibling");
    });
  }

  void take_stop(const note& one) {
    lodger& who = guests_[one.who];
    if (who.id != one.id) return;
    if (!passes_by(one.who)) {
      for (int at = 0; at < all_guests; ++at) {
        const lodger& each = guests_[at];
        if (!each.there || wing_of(room_of(at)) != wing_of(room_of(one.who))) continue;
        const bool after =
            room_of(at) == room_of(one.who) ? each.id > who.id : room_of(at) > room_of(one.who);
        if (after) wrong(one, "stops before " + std::to_string(at));
      }
      check_begun_with(one);
    }
    who.there = who.held = who.awaited = false;
  }

  cairn::restart_strategy chosen_;
  bool judges_ = false;
  std::size_t now_ = 0, began_ = 0;  ///< the number of the note
  lodger guests_[all_guests]{};
  chamber rooms_[rooms]{};
  bool resuming_[units]{};
  bool unsure_[units]{};  ///< what is forgotten once may be so twice
};

}  // namespace simulated::wings
