// Supervisors under supervisors: tenants that fail take their siblings along, late, or go up to the
// house; some begin afresh, some are suspended together. What was handled is told to a register
// outside of all groups: nothing may be lost by it or come twice.
#pragma once

#include "audit.hpp"

namespace simulated::house {

using namespace std::chrono_literals;

constexpr int rooms = 5;
constexpr int tenants = 2;  // of each room
constexpr int days = 8;
constexpr int all_tenants = rooms * tenants;

struct chore {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct entry {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct day {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct report {};

struct books {
  using protocol = cairn::protocol<entry, report>;
  order_check received{};
  void serialize(auto& ar) { ar(received); }
  void on(entry what) { received.take(what.from, what.number, 99); }
  std::uint64_t on(report) const { return received.total(); }
};

/// Whether the store gave it back to this process.
inline bool is_restored(const cairn::detail::cell& one) {
  return one.on_disk && one.known_since == cairn::epoch{};
}
/// Restored ones come first, by their ids; then those that are born in this process. One that a
/// rollback took, and that comes again, has the id that it had.
inline bool comes_before(const cairn::detail::cell& one, const cairn::detail::cell& other) {
  const bool is_older = one.id < other.id;
  if (is_restored(other) || is_restored(one)) {
    return is_restored(one) && (is_older || !is_restored(other));
  }
  const auto& all = static_cast<const cairn::detail::world&>(*one.owner);
  return is_older && one.id >= all.first_new_id;
}
/// Whoever comes before it, here or below, is awake.
inline void check_started(const cairn::detail::cell& one, const cairn::detail::cell& starting) {
  if (cairn::detail::is_supervisor(one.type)) {
    if (!one.more) return;  // nobody is below it
    one.more->children.for_each([&](const std::string&, const cairn::detail::child& each) {
      check_started(*each.where.where, starting);
    });
  } else if (one.type != nullptr && one.type->on_start != nullptr && one.dormant &&
             comes_before(one, starting)) {
    complain("a child starts before its elder " + one.name);
  }
}
inline void check_elders(const cairn::detail::cell& one, const cairn::detail::cell& starting) {
  const cairn::detail::address above = one.parent;
  if (above.where == nullptr || !cairn::detail::is_supervisor(above.where->type)) return;
  above.where->more->children.for_each([&](const std::string&, const cairn::detail::child& each) {
    if (each.where.id < one.id) check_started(*each.where.where, starting);
  });
  check_elders(*above.where, starting);
}
inline void check_elders(const cairn::detail::cell& starting) { check_elders(starting, starting); }

/// The state of one that begins afresh is that of its birth.
struct tenant {
  using protocol = cairn::protocol<chore>;
  int self = 0;
  bool forgets = false;
  cairn::ref<books> to{};
  bool born = false;
  order_check received{};
  void serialize(auto& ar) { ar(self, forgets, to, born, received); }

  void on_start(cairn::context<tenant>& me) {
    check_elders(me.where());
    may_fail();
  }
  void on_birth(cairn::context<tenant>&) {
    if (born) complain("a tenant is born with a past");
    born = true;
  }
  cairn::task<> on(chore what, cairn::context<tenant>& me) {
    if (!born) complain("a tenant handles before it is born");
    may_fail();
    if (!forgets) received.take(what.from, what.number, self);
    to.tell<entry>(self, what.number);
    if (what.number % 3 == 0) co_await me.sleep(1ms);
    may_fail();
  }
};

struct keeper {
  using protocol = cairn::protocol<day>;
  std::vector<cairn::ref<tenant>> all{};
  numbering sent{};
  void serialize(auto& ar) { ar(all, sent); }

  cairn::task<> on(day what, cairn::context<keeper>& me) {
    may_fail();
    for (int at = 0; at < all_tenants; ++at) {
      all[static_cast<std::size_t>(at)].tell<chore>(9, sent.next(at));
    }
    co_await me.sleep(2ms);
    if (what.left > 1) me.ref().tell<day>(what.left - 1);
  }
};

inline cairn::supervisor_options rules_of(int room) {
  auto rules = forgiving();
  rules.attempts = 1000;  // it may fail again while others go on
  if (room == 0) {
    rules.strategy = cairn::one_for_all;
    rules.backoff = {.first = 1ms, .most = 4ms};
  } else if (room == 1) {
    rules.strategy = cairn::rest_for_one;
    rules.siblings = cairn::sibling_restart::fresh;
    rules.backoff = {.first = 1ms, .most = 4ms};
  } else if (room == 2) {
    rules = rules.on<std::runtime_error>(cairn::escalate);
  } else if (room == 3) {  // who fails suspends all
    rules.strategy = cairn::one_for_all;
    rules.intensity.restarts = 0;
  } else {  // so does the second one, in the backoff of the first
    rules.intensity = {.restarts = 1, .within = std::chrono::hours{24}, .together = true};
    rules.backoff = {.first = 1ms, .most = 4ms};
  }
  return rules;
}

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("house", forgiving());
  auto kept = top.spawn<books>("books");
  keeper start;
  std::vector<cairn::supervisor> strict;
  for (int room = 0; room < rooms; ++room) {
    auto door = top.supervise("room " + std::to_string(room), rules_of(room));
    if (room >= 3) strict.push_back(door);
    for (int at = room * tenants; at < (room + 1) * tenants; ++at) {
      start.all.push_back(door.spawn<tenant>("tenant " + std::to_string(at), at, room == 1, kept));
    }
  }
  auto chief = top.spawn<keeper>("keeper 9", start);
  if (!root.restored()) chief.tell<day>(days);
  std::uint64_t done = 0;
  while (done < static_cast<std::uint64_t>(days * all_tenants)) {
    co_await root.sleep(3ms);
    for (const auto& each : strict) each.resume();
    done = co_await kept.ask<report>();
  }
  outside->result = std::to_string(done) + " chores";
  co_return 0;
}

inline void check(const snapshot& in) {
  ledger chores{in};
  in.each<keeper>([&](const keeper& each, const snapshot::cell&) { chores.sent(each.sent, 9); });
  in.each<tenant>([&](const tenant& one, const snapshot::cell& where) {
    in.each_waiting<chore>(
        where, [&](const chore& each) { chores.waits(each.from, one.self, each.number); });
    if (!one.forgets) chores.received(one.received, one.self);
  });
  // Who begins afresh has forgotten what it was given; the books have not, or will hear of it.
  in.each<books>([&](const books& kept, const snapshot::cell& where) {
    std::map<int, std::uint64_t> known = kept.received.last;
    in.each_waiting<entry>(where, [&](const entry& each) { known[each.from] = each.number; });
    for (int at = tenants; at < 2 * tenants; ++at) {
      order_check heard_of;
      heard_of.last[9] = known[at];
      chores.received(heard_of, at);
    }
  });
  chores.check();
}

inline const std::string expected = "80 chores";

}  // namespace simulated::house
