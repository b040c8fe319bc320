#include <cairn/reminder.hpp>
#include <cairn/testing/simulation.hpp>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

namespace reminding {

using namespace std::chrono_literals;
using cairn::overdue;

/// When something came, in minutes since the actor began.
using minutes = std::vector<std::int64_t>;

struct beat {
  std::string what{};
  void serialize(auto& ar) { ar(what); }
};
struct begin {
  overdue missed = overdue::once;
  void serialize(auto& ar) { ar(missed); }
};
struct end {};
struct show {
  std::string what{};
  void serialize(auto& ar) { ar(what); }
};
struct wrong {};

struct heart {
  using protocol = cairn::protocol<beat, begin, end, show, wrong>;
  std::int64_t began = 0;
  std::vector<std::pair<std::string, std::int64_t>> came{};
  cairn::reminder each{};
  cairn::reminder once{};
  void serialize(auto& ar) { ar(began, came, each, once); }

  void on(begin what, cairn::context<heart>& self) {
    const auto now = self.now();
    began = now.time_since_epoch().count();
    each = self.send_every<beat>({.period = 1h, .missed = what.missed}, "every");
    once = self.send_after<beat>(4h, "after");
    self.send_at<beat>(now + 5h, "at");
    self.send_at<beat>(now - 5h, "past");
    self.send_at<beat>({.when = now + 5h, .missed = what.missed}, "declared at");
    self.send_after<beat>({.delay = 4h, .missed = what.missed}, "declared after");
    self.cancel(self.send_every<beat>(1min, "never"));
  }
  void on(beat what, cairn::context<heart>& self) {
    const std::chrono::system_clock::duration since{self.now().time_since_epoch().count() - began};
    came.emplace_back(what.what, std::chrono::round<std::chrono::minutes>(since).count());
  }
  void on(end, cairn::context<heart>& self) {
    self.cancel(each);
    self.cancel(once);
    self.cancel(cairn::reminder{});
  }
  minutes on(show what) const {
    minutes found;
    for (const auto& [which, when] : came) {
      if (which == what.what) found.push_back(when);
    }
    return found;
  }
  void on(wrong, cairn::context<heart>& self) { each = self.send_every<beat>(0h, "wrong"); }
};

using world = cairn::testing::simulation<cairn::actors<heart>>;

struct heard {
  minutes every{}, after{}, at{}, past{}, never{}, declared_at{}, declared_after{};
};

cairn::ref<heart> enter(cairn::root& root) { return root.supervise("body").spawn<heart>("heart"); }

cairn::task<void> listen(cairn::ref<heart> of, heard* to) {
  to->every = co_await of.ask<show>("every");
  to->after = co_await of.ask<show>("after");
  to->at = co_await of.ask<show>("at");
  to->past = co_await of.ask<show>("past");
  to->never = co_await of.ask<show>("never");
  to->declared_at = co_await of.ask<show>("declared at");
  to->declared_after = co_await of.ask<show>("declared after");
}

/// Three and a half hours.
cairn::task<int> first_life(cairn::root& root, overdue missed) {
  enter(root).tell<begin>(missed);
  co_await root.sleep(210min);
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> next_life(cairn::root& root, std::chrono::minutes span, heard* to) {
  const auto one = enter(root);
  co_await root.sleep(span);
  co_await listen(one, to);
  co_await root.checkpoint();
  co_return 0;
}

cairn::testing::simulation_options of(std::uint64_t seed) {
  cairn::testing::simulation_options chosen;
  chosen.seed = seed;
  chosen.configure = [](cairn::options& made) { made.epoch.every = 10min; };
  return chosen;
}

/// What is heard where the process is down for `down` after three and a half hours, and then lives
/// for `span`; with another crash at once, before anything is committed.
heard life_after(overdue missed, std::chrono::minutes down, std::chrono::minutes span,
                 std::uint64_t seed) {
  world all{of(seed)};
  all.start([&](cairn::root& root) { return first_life(root, missed); });
  REQUIRE(all.run() == 0);
  all.crash();
  all.advance(down - 15min);
  heard ignored;
  all.start([&](cairn::root& root) { return next_life(root, span, &ignored); });
  const auto began = all.now();
  for (auto left = 20 * seed; left > 0 && all.now() == began && all.step(); --left) {
  }
  all.crash();
  all.advance(15min - (all.now() - began));
  heard found;
  all.start([&](cairn::root& root) { return next_life(root, span, &found); });
  REQUIRE(all.run() == 0);
  return found;
}

TEST_CASE("reminders come in time, until they are cancelled") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    world all{of(seed)};
    all.start([&](cairn::root& root) { return first_life(root, overdue::once); });
    REQUIRE(all.run() == 0);
    REQUIRE(all.finish());
    heard found;
    all.start([&](cairn::root& root) { return next_life(root, 120min, &found); });
    REQUIRE(all.run() == 0);
    CHECK(found.every == minutes{60, 120, 180, 240, 300});
    CHECK(found.after == minutes{240});
    CHECK(found.at == minutes{300});
    CHECK(found.past == minutes{0});
    CHECK(found.never.empty());
    REQUIRE(all.finish());
    all.start([](cairn::root& root) -> cairn::task<int> {
      enter(root).tell<end>();
      co_await root.checkpoint();
      co_return 0;
    });
    REQUIRE(all.run() == 0);
    all.crash();
    all.start([&](cairn::root& root) { return next_life(root, 300min, &found); });
    REQUIRE(all.run() == 0);
    CHECK(found.every == minutes{60, 120, 180, 240, 300});
  }
}

TEST_CASE("what a process is down counts for periodic reminders and the wall clock's alone") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    INFO("seed " << seed);
    const auto found = life_after(overdue::once, 20min, 125min, seed);  // up again at 230
    CHECK(found.every == minutes{60, 120, 180, 240, 300});
    CHECK(found.at == minutes{300});
    CHECK(found.past == minutes{0});
    REQUIRE(found.after.size() == 1);
    CHECK(found.after[0] == 260);  // half an hour was left
  }
}

TEST_CASE("what a process is down counts for no delay, whatever processes commit in between") {
  world all{of(1)};
  all.start([&](cairn::root& root) { return first_life(root, overdue::once); });
  REQUIRE(all.run() == 0);
  for (int life = 0; life < 3; ++life) {
    all.crash();
    all.advance(5min);
    all.start([](cairn::root& root) -> cairn::task<int> {
      enter(root);
      co_await root.checkpoint();
      co_return 0;
    });
    REQUIRE(all.run() == 0);
  }
  all.crash();
  all.advance(5min);
  heard found;
  all.start([&](cairn::root& root) { return next_life(root, 125min, &found); });
  REQUIRE(all.run() == 0);
  CHECK(found.after == minutes{260});  // down from 210 to 230, when half an hour was left
  CHECK(found.declared_after == minutes{260});
}

TEST_CASE("a periodic reminder that is overdue comes once, or for each time, or not at all") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    INFO("seed " << seed);
    // Down from 210 to 510: 240, 300, 360, 420 and 480 have passed.
    const auto once = life_after(overdue::once, 300min, 60min, seed);
    CHECK(once.every == minutes{60, 120, 180, 510, 540});
    CHECK(once.at == minutes{510});
    const auto all = life_after(overdue::all, 300min, 60min, seed);
    CHECK(all.every == minutes{60, 120, 180, 510, 510, 510, 510, 510, 540});
    const auto skip = life_after(overdue::skip, 300min, 60min, seed);
    CHECK(skip.every == minutes{60, 120, 180, 540});
  }
}

TEST_CASE("what comes once comes late where it is overdue, or not at all where that is declared") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    INFO("seed " << seed);
    for (const auto missed : {overdue::once, overdue::all}) {
      const auto late = life_after(missed, 300min, 60min, seed);
      CHECK(late.declared_at == minutes{510});
      CHECK(late.declared_after == minutes{540});  // half an hour was left
    }
    const auto skipped = life_after(overdue::skip, 300min, 60min, seed);
    CHECK(skipped.declared_at.empty());
    CHECK(skipped.declared_after.empty());
    CHECK(skipped.at == minutes{510});
    const auto in_time = life_after(overdue::skip, 20min, 125min, seed);  // up again at 230
    CHECK(in_time.declared_at == minutes{300});
    CHECK(in_time.declared_after == minutes{260});
  }
}

TEST_CASE("a period of nothing is refused") {
  auto chosen = of(1);
  std::vector<std::string> failures;
  chosen.on_event = [&](const cairn::event& what) {
    if (what.kind == cairn::event_kind::failed) failures.push_back(what.text);
  };
  world all{std::move(chosen)};
  all.start([](cairn::root& root) -> cairn::task<int> {
    enter(root).tell<wrong>();
    co_await root.checkpoint();
    co_return 0;
  });
  REQUIRE(all.run() == 0);
  REQUIRE_FALSE(failures.empty());
  CHECK(failures[0] == "a period must be above 0");
}

cairn::detail::timer hourly(overdue missed) {
  cairn::detail::timer made;
  made.kind = cairn::detail::timer_kind::every;
  made.missed = missed;
  made.period = 1h;
  made.due = 10h;
  made.wall = 100h;
  return made;
}

TEST_CASE("over a restart both clocks count: one that was set back delays nothing") {
  using cairn::detail::resume_timer;
  auto back = hourly(overdue::once);
  resume_timer(back, 20min, {5h, 50h, 0h});
  CHECK(back.due == 5h + 20min);
  CHECK(back.next() == back.due);
  auto on = hourly(overdue::once);
  resume_timer(on, 20min, {5h, 100h - 5min, 0h});
  CHECK(on.due == 5h + 5min);
  auto late = hourly(overdue::once);
  resume_timer(late, 20min, {5h, 100h + 150min, 0h});
  CHECK(late.owed == 1);
  CHECK(late.next() == 1ns);
  CHECK(late.due == 5h + 30min);
  CHECK(late.wall == 103h);
  auto forever = hourly(overdue::all);
  resume_timer(forever, 20min, {5h, 100h + 24h * 365 * 300, 0h});
  CHECK(forever.owed == cairn::most_overdue);
  auto at = hourly(overdue::once);
  at.kind = cairn::detail::timer_kind::at;
  resume_timer(at, 20min, {5h, 50h, 0h});
  CHECK(at.due == 55h);
  // What passed between its actor's cut and the snapshot counts, no more than there was.
  auto after = hourly(overdue::once);
  after.kind = cairn::detail::timer_kind::after;
  for (const auto& [snapshot, left] : {std::pair{100h - 10min, 10min}, std::pair{50h + 0min, 20min},
                                       std::pair{101h + 0min, 0min}, std::pair{0h + 0min, 20min}}) {
    resume_timer(after, 20min, {5h, 200h, snapshot});
    CHECK(after.due == 5h + left);
  }
}

TEST_CASE("in life times that come too late are one, or all where that is declared") {
  using cairn::detail::next_time;
  for (const auto missed : {overdue::once, overdue::skip}) {
    auto one = hourly(missed);
    next_time(one, 10h);
    CHECK(one.due == 11h);
    CHECK(one.wall == 101h);
    next_time(one, 13h + 30min);
    CHECK(one.due == 14h);
    CHECK(one.owed == 0);
  }
  auto all = hourly(overdue::all);
  next_time(all, 12h + 30min);
  CHECK(all.due == 13h);
  CHECK(all.owed == 2);
  next_time(all, 12h + 30min);
  CHECK(all.owed == 1);
  CHECK(all.due == 13h);
}

TEST_CASE("a reminder in a state has a class version") {
  CHECK(cairn::detail::schema_of<cairn::reminder>() == 1);
}

}  // namespace reminding
