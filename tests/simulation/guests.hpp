// Hosts whose guests are spoken to by others while they stop: births, names used again, stops with
// late messages from everywhere, and what a guest has spawned goes with it.
#pragma once

#include "audit.hpp"

namespace simulated::guests {

constexpr int hosts = 3;
constexpr int stays = 5;  // of each host, one after the other
constexpr int friends = 4;
constexpr int words = 5;  // of each friend to each guest

struct host;
struct guest;
struct friendly;

struct word {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct hello {};
/// Whoever sends it waits for room first, also at a door behind which nobody is any more.
struct knock {};
struct invite {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
/// To a friend: somebody has come.
struct introduce {
  cairn::ref<guest> whom{};
  int who = 0;
  int left = words;
  void serialize(auto& ar) { ar(whom, who, left); }
};
struct meet {
  std::vector<cairn::ref<friendly>> all{};
  int self = 0;
  void serialize(auto& ar) { ar(all, self); }
};
struct report {};
struct host_totals {
  int births = 0;
  int deaths = 0;
  void serialize(auto& ar) { ar(births, deaths); }
};
struct friend_totals {
  int met = 0;
  int greeted = 0;
  int missed = 0;
  int knocked = 0;
  int watched = 0;
  int farewells = 0;
  void serialize(auto& ar) { ar(met, greeted, missed, knocked, watched, farewells); }
};

/// What a guest has with it.
struct bag {
  using protocol = cairn::protocol<word>;
  std::uint64_t packed = 0;
  void serialize(auto& ar) { ar(packed); }
  void on(word) { ++packed; }
};

struct guest {
  using protocol = cairn::protocol<word, hello, knock>;
  int self = 0;
  int births = 0;
  order_check received{};
  cairn::ref<bag> with{};
  void serialize(auto& ar) { ar(self, births, received, with); }

  void on_birth(cairn::context<guest>& me) {
    if (++births != 1) complain("a guest is born twice");
    with = me.spawn<bag>("bag");
  }
  void on(word what, cairn::context<guest>& me) {
    received.take(what.from, what.number, self);
    with.tell<word>(what.from, what.number);
    // It leaves in the middle of what it is told, and what comes later comes too late.
    if (received.total() == friends * words / 2) me.stop();
  }
  void on(knock) {}
  /// The answer comes out of a handler that may be stopped before it ends, also by itself.
  cairn::task<int> on(hello, cairn::context<guest>& me) {
    if (me.random() % 4 == 0) me.stop();
    co_await me.sleep(std::chrono::milliseconds{1});
    co_return self;
  }
};

struct friendly {
  using protocol = cairn::protocol<introduce, cairn::stopped, report>;
  int self = 0;
  friend_totals sum{};
  numbering sent{};
  void serialize(auto& ar) { ar(self, sum, sent); }

  cairn::task<> on(introduce what, cairn::context<friendly>& me) {
    may_fail();
    what.whom.tell<word>(self, sent.next(what.who));
    if (what.left == 1) {
      ++sum.met;
      auto asked = what.whom.ask<hello>().as_result();
      const auto answer = co_await std::move(asked);
      may_fail();
      if (answer && answer.value() != what.who) complain("another guest answers");
      answer ? ++sum.greeted : ++sum.missed;
      me.watch(what.whom);  // who may have gone already
      ++sum.watched;
      co_await knock_at(&what.whom);
      may_fail();
      ++sum.knocked;
    } else {
      me.ref().template tell<introduce>(what.whom, what.who, what.left - 1);
    }
  }
  void on(cairn::stopped) {
    may_fail();
    ++sum.farewells;
  }
  friend_totals on(report) const { return sum; }

 private:
  static cairn::task<> knock_at(const cairn::ref<guest>* whom) {
    try {
      auto room = whom->send<knock>();
      co_await std::move(room);
    } catch (const cairn::ask_error& why) {
      // Nobody is there, or nobody was in the process before.
      if (why.code() != cairn::errc::stopped && why.code() != cairn::errc::interrupted) throw;
    }
  }
};

struct host {
  using protocol = cairn::protocol<meet, invite, cairn::stopped, report>;
  int self = 0;
  int left = 0;
  host_totals sum{};
  std::vector<cairn::ref<friendly>> all{};
  void serialize(auto& ar) { ar(self, left, sum, all); }

  void on(meet what) {
    self = what.self;
    all = std::move(what.all);
  }
  void on(invite what, cairn::context<host>& me) {
    may_fail();
    left = what.left;
    const int who = self * stays + left;
    auto made = me.spawn<guest>("guest", guest{.self = who});
    me.watch(made);
    ++sum.births;
    for (const auto& each : all) each.tell<introduce>(made, who, words);
    if (me.random() % 4 == 0) me.stop_child("guest");
  }
  void on(cairn::stopped, cairn::context<host>& me) {
    may_fail();
    ++sum.deaths;
    if (left > 1) me.ref().template tell<invite>(left - 1);
  }
  host_totals on(report) const { return sum; }
};

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("house", forgiving());
  std::vector<cairn::ref<friendly>> all;
  std::vector<cairn::ref<host>> doors;
  for (int at = 0; at < friends; ++at) {
    all.push_back(top.spawn<friendly>("friend " + std::to_string(at), friendly{.self = at}));
  }
  for (int at = 0; at < hosts; ++at) {
    doors.push_back(top.spawn<host>("host " + std::to_string(at)));
  }
  if (!root.restored()) {
    for (int at = 0; at < hosts; ++at) {
      doors[static_cast<std::size_t>(at)].tell<meet>(all, at);
      doors[static_cast<std::size_t>(at)].tell<invite>(stays);
    }
  }
  host_totals sum;
  friend_totals talked;
  do {
    co_await root.sleep(std::chrono::milliseconds{2});
    sum = {};
    talked = {};
    for (const auto& each : doors) {
      const auto got = co_await each.ask<report>();
      sum.births += got.births;
      sum.deaths += got.deaths;
    }
    for (const auto& each : all) {
      const auto got = co_await each.ask<report>();
      talked.met += got.met;
      talked.greeted += got.greeted;
      talked.missed += got.missed;
      talked.knocked += got.knocked;
      talked.farewells += got.farewells;
    }
  } while (sum.deaths < hosts * stays || talked.met < hosts * stays * friends ||
           talked.knocked < talked.met || talked.farewells < talked.met);
  outside->result = std::to_string(sum.births) + " births, " + std::to_string(sum.deaths) +
                    " deaths, " + std::to_string(talked.met) + " met, " +
                    std::to_string(talked.farewells) + " farewells";
  co_return 0;
}

/// Of every friend that watches a guest: the watch is on its way or there, or the end is on its
/// way.
inline void check_watches(const snapshot& in) {
  std::map<cairn::actor_id, int> ends;
  in.each<guest>([&](const guest&, const snapshot::cell& where) {
    if (where.more) {
      for (const auto& who : where.more->watchers) ++ends[who.id];
    }
    for (const auto* at = where.box.queue.front(); at != nullptr; at = at->next) {
      if (at->kind == cairn::detail::envelope_kind::control &&
          at->index == static_cast<std::uint16_t>(cairn::detail::control::watch)) {
        ++ends[cairn::detail::note_of(*at).who.id];
      }
    }
  });
  in.each<friendly>([&](const friendly& one, snapshot::cell& where) {
    int found = one.sum.farewells + ends[where.self().id];
    in.each_waiting<cairn::stopped>(where, [&](const auto&) { ++found; });
    if (one.sum.watched == found) return;
    complain("snapshot " + std::to_string(raw(in.number())) + ": " + where.name + " watches " +
             std::to_string(one.sum.watched) + " guests, of whom " + std::to_string(found) +
             " are accounted for");
  });
}

/// Of every guest that was born: it is there, or its end is on its way to its host, or has come
/// there. Of every word to a guest that is there: it was received or waits.
inline void check(const snapshot& in) {
  check_watches(in);
  ledger books{in};
  std::map<cairn::actor_id, int> ends;
  std::set<int> there;
  in.each<guest>([&](const guest& one, const snapshot::cell& where) {
    ++ends[where.parent.id];
    there.insert(one.self);
    books.received(one.received, one.self);
    in.each_waiting<word>(where,
                          [&](const word& each) { books.waits(each.from, one.self, each.number); });
  });
  in.each<friendly>([&](const friendly& one, const snapshot::cell& where) {
    numbering to_those;
    for (const auto& [who, count] : one.sent.last) {
      if (there.contains(who)) to_those.last[who] = count;
    }
    books.sent(to_those, number_of(where));
  });
  books.check();
  in.each<host>([&](const host& one, snapshot::cell& where) {
    int found = one.sum.deaths + ends[where.self().id];
    in.each_waiting<cairn::stopped>(where, [&](const auto&) { ++found; });
    if (one.sum.births == found) return;
    complain("snapshot " + std::to_string(raw(in.number())) + ": " + where.name + " has had " +
             std::to_string(one.sum.births) + " guests, of whom " + std::to_string(found) +
             " are accounted for");
  });
}

inline const std::string expected = "15 births, 15 deaths, 60 met, 60 farewells";

}  // namespace simulated::guests
