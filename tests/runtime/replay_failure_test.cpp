// A handler that throws when it is run again, because something outside is lost: its actor waits,
// and nobody goes back. Once it is there again, whoever resumes the actor has it go on.
#include <stdexcept>
#include <string>
#include <utility>

#include "fixture.hpp"

namespace lost {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

/// The file that the handlers read: how often it is not there.
int missing = 0;
int fails = 0;

struct read {};
struct read_slowly {};
struct fail {};
struct line {
  int number = 0;
  void serialize(auto& ar) { ar(number); }
};
struct look {};
struct hold {};
struct read_and_ask {};

struct printer {
  using protocol = cairn::protocol<line, look, hold>;
  std::string all{};
  void serialize(auto& ar) { ar(all); }
  void on(line one) { all += std::to_string(one.number) + " "; }
  std::string on(look) const { return all; }
  cairn::task<int> on(hold, cairn::context<printer>& self) {
    co_await self.sleep(1h);
    co_return 1;
  }
};

struct reader {
  using protocol = cairn::protocol<read, read_slowly, read_and_ask, fail, look>;
  cairn::ref<printer> to{};
  std::string name{};  // with it the state is no plain bytes, and a base is not taken every turn
  cairn::ref<printer> holder{};
  int lines = 0;
  void serialize(auto& ar) { ar(to, name, holder, lines); }

  void next() {
    if (missing > 0 && missing-- > 0) throw cairn::error{cairn::errc::io, "in.csv: cannot open"};
    to.tell<line>(++lines);
  }
  void on(read) { next(); }
  cairn::task<> on(read_slowly, cairn::context<reader>& self) {
    next();
    co_await self.sleep(1h);
    next();
  }
  cairn::task<> on(read_and_ask) {
    next();
    (void)co_await holder.ask<hold>();
    next();
  }
  void on(fail) {
    if (fails > 0 && fails-- > 0) throw std::runtime_error{"planned"};
  }
  int on(look) const { return lines; }
};
using all = cairn::actors<reader, printer>;

const std::string why =
    "replay failed at position 1 (lost::reader): a turn that had ended well throws: in.csv: cannot "
    "open";

struct crew {
  cairn::ref<printer> to{};
  cairn::ref<reader> it{};
};
crew wake(cairn::root& root) {
  auto top = root.supervise("top");
  crew made;
  made.to = top.spawn<printer>("to");
  made.it = top.spawn<reader>("it", made.to, "it");
  return made;
}

/// Two lines are read, then its next handler fails and the file is gone `times` times.
cairn::task<> lose(crew by, int times) {
  by.it.tell<read>();
  by.it.tell<read>();
  (void)co_await by.it.ask<look>();
  missing = times;
  fails = 1;
  by.it.tell<fail>();
  by.it.tell<read>();
}

/// Nobody has gone back, or was taken for one who does something else.
void check_told(const bench& on, std::size_t tries) {
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::diverged) == 0);
  CHECK(on.told.count(event_kind::rolled_back) == 0);
  CHECK(on.told.count(event_kind::given_up) == 0);
  std::size_t found = 0;
  for (const auto& each : on.told.of(event_kind::failed, "it")) found += each.what.text == why;
  CHECK(found == tries);
}

cairn::task<int> in_life(cairn::root& root) {
  const crew by = wake(root);
  co_await lose(by, 2);
  const auto answer = co_await by.it.ask<look>().as_result();
  CHECK(answer.code() == cairn::errc::failed);
  const auto before = co_await by.to.ask<look>();
  CHECK(before == "1 2 ");  // what has left stands
  root.resume(by.it);
  const auto lines = co_await by.it.ask<look>();
  CHECK(lines == 3);
  const auto after = co_await by.to.ask<look>();
  CHECK(after == "1 2 3 ");
  co_return 0;
}

cairn::task<int> again_and_again(cairn::root& root) {
  const crew by = wake(root);
  co_await lose(by, 6);
  for (int at = 0; at < 3; ++at) {
    const auto answer = co_await by.it.ask<look>().as_result();
    CHECK(answer.code() == cairn::errc::failed);
    root.resume(by.it);
  }
  const auto lines = co_await by.it.ask<look>();
  CHECK(lines == 3);
  co_return 0;
}

cairn::task<int> for_a_moment(cairn::root& root) {
  const crew by = wake(root);
  co_await lose(by, 1);
  const auto lines = co_await by.it.ask<look>();
  CHECK(lines == 3);
  const auto after = co_await by.to.ask<look>();
  CHECK(after == "1 2 3 ");
  co_return 0;
}

cairn::task<int> until_the_crash(cairn::root& root) {
  const crew by = wake(root);
  co_await lose(by, 2);
  const auto answer = co_await by.it.ask<look>().as_result();
  CHECK(answer.code() == cairn::errc::failed);
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> after_the_crash(cairn::root& root) {
  const crew by = wake(root);
  const auto answer = co_await by.it.ask<look>().as_result();
  CHECK(answer.code() == cairn::errc::failed);
  root.resume(by.it);
  const auto lines = co_await by.it.ask<look>();
  CHECK(lines == 3);
  const auto after = co_await by.to.ask<look>();
  CHECK(after == "1 2 3 ");
  co_return 0;
}

cairn::task<int> suspended_in_it(cairn::root& root) {
  const crew by = wake(root);
  by.it.tell<read_slowly>();
  for (std::string text; text.empty(); text = co_await by.to.ask<look>()) {
  }
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> restored_without(cairn::root& root, bench* on) {
  const crew by = wake(root);
  const auto before = co_await by.to.ask<look>();
  CHECK(before == "1 ");  // the others go on
  const auto answer = co_await by.it.ask<look>().as_result();
  CHECK(answer.code() == cairn::errc::failed);
  root.resume(by.it);
  on->clock.advance(2h);
  const auto lines = co_await by.it.ask<look>();
  CHECK(lines == 2);
  const auto after = co_await by.to.ask<look>();
  CHECK(after == "1 2 ");
  co_return 0;
}

cairn::task<int> while_it_asks(cairn::root& root, bench* on) {
  auto aside = root.supervise("aside");
  auto to = aside.spawn<printer>("to");
  auto holder = aside.spawn<printer>("holder");
  auto top = root.supervise("top", {.strategy = cairn::one_for_all});
  auto it = top.spawn<reader>("it", to, "it", holder);
  auto bad = top.spawn<reader>("bad", to, "bad");
  missing = 0;
  fails = 1;
  it.tell<read_and_ask>();
  for (std::string text; text.empty(); text = co_await to.ask<look>()) {
  }
  missing = 2;
  bad.tell<fail>();  // its siblings are restarted
  const auto answer = co_await it.ask<look>().as_result();
  CHECK(answer.code() == cairn::errc::failed);
  root.resume(it);
  on->clock.advance(2h);
  const auto lines = co_await it.ask<look>();
  CHECK(lines == 2);
  co_return 0;
}

/// The same below a supervisor with an answer of its own. What the reader has come to, and the
/// other.
std::string by_rules(bench& on, cairn::decision exceeded, cairn::supervisor_options above,
                     int times) {
  std::string seen;
  fixture::crash<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top, cairn::supervisor_options upper, cairn::decision then, int lost,
              std::string* found) -> cairn::task<int> {
      auto to = top.supervise("top").spawn<printer>("to");
      auto room = top.supervise("house", upper).supervise("room", {.exceeded = then});
      auto it = room.spawn<reader>("it", to, "it");
      auto other = room.spawn<reader>("other", to, "other");
      crew by{to, it};
      co_await lose(by, lost);
      for (const auto& each : {it, other}) {
        auto asked = each.ask<look>().as_result();
        const auto answer = co_await std::move(asked);
        *found += answer ? std::to_string(*answer) : std::string{to_string(answer.code())};
        *found += " ";
      }
      missing = 0;
      co_return 0;
    }(root, above, exceeded, times, &seen);
  });
  return seen;
}

}  // namespace lost

TEST_CASE("a replay that throws suspends its actor, and it goes on once what was lost is back") {
  using namespace lost;
  bench on;
  fixture::finish<all>(on, in_life);
  check_told(on, 2);
  const auto found = on.told.of(event_kind::suspended, "it");
  REQUIRE(found.size() == 1);
  CHECK(found[0].what.text == why);
  CHECK(on.told.count(event_kind::resumed, "it") == 1);
}

TEST_CASE("who is resumed while it is still lost is suspended again") {
  using namespace lost;
  bench on;
  fixture::finish<all>(on, again_and_again);
  check_told(on, 6);
  CHECK(on.told.count(event_kind::suspended, "it") == 3);
}

TEST_CASE("a replay that throws once is tried again") {
  using namespace lost;
  bench on;
  fixture::finish<all>(on, for_a_moment);
  check_told(on, 1);
  CHECK(on.told.count(event_kind::suspended, "it") == 0);
  CHECK(on.told.count(event_kind::restarted, "it") == 1);
}

TEST_CASE("who waits for what a replay needs waits on over a crash") {
  using namespace lost;
  bench on;
  fixture::crash<all>(on, until_the_crash);
  missing = 0;
  fixture::finish<all>(on, after_the_crash);
  check_told(on, 2);
  CHECK(on.told.count(event_kind::suspended, "it") == 1);
}

TEST_CASE("a handler that cannot be run again at the start suspends its actor alone") {
  using namespace lost;
  bench on;
  missing = fails = 0;
  fixture::crash<all>(on, suspended_in_it);
  missing = 2;
  fixture::finish<all>(on, [&](cairn::root& root) { return restored_without(root, &on); });
  check_told(on, 2);
  const auto found = on.told.of(event_kind::suspended, "it");
  REQUIRE(found.size() == 1);
  CHECK(found[0].what.text == why);
}

TEST_CASE("who cannot be run again while it waits for an answer gets the answer once it can") {
  using namespace lost;
  bench on;
  fixture::finish<all>(on, [&](cairn::root& root) { return while_it_asks(root, &on); });
  check_told(on, 2);
  CHECK(on.told.count(event_kind::suspended, "it") == 1);
}

TEST_CASE("what cannot be run again comes to what its supervisor says of too many restarts") {
  using namespace lost;
  bench on;
  SECTION("stop: it alone") {
    CHECK(by_rules(on, cairn::stop, {}, 2) == "stopped 0 ");
    CHECK(on.told.of(event_kind::stopped, "it").at(0).what.text == why);
    CHECK(on.told.count(event_kind::suspended) == 0);
  }
  SECTION("escalate: the one above restarts all, and it is run again") {
    CHECK(by_rules(on, cairn::escalate, {}, 2) == "3 0 ");
    check_told(on, 2);
    CHECK(on.told.count(event_kind::restarted, "other") == 1);
    CHECK(on.told.count(event_kind::suspended) == 0);
  }
  SECTION("escalate, to one that has all begin afresh") {
    CHECK(by_rules(on, cairn::escalate, {.siblings = cairn::sibling_restart::fresh}, 1000) ==
          "0 0 ");  // the file is still gone, and nobody waits for it
    CHECK(on.told.count(event_kind::suspended) == 0);
  }
  SECTION("escalate, again and again: too many restarts of the one above") {
    const cairn::supervisor_options above{.intensity = {.restarts = 1, .within = 1h}};
    CHECK(by_rules(on, cairn::escalate, above, 1000) == "failed failed ");
    CHECK(on.told.count(event_kind::suspended) == 2);
  }
}

TEST_CASE("a crash between a replay that fails and what is said of it harms nobody") {
  using namespace lost;
  bench on;
  const auto app = [](cairn::root& root, bool again) -> cairn::task<int> {
    auto to = root.supervise("top").spawn<printer>("to");
    const cairn::supervisor_options later{.backoff = {.first = 1h, .most = 1h, .jitter = 0}};
    auto room = root.supervise("house", later).supervise("room", {.exceeded = cairn::escalate});
    crew by{to, room.spawn<reader>("it", to, "it")};
    if (!again) {
      co_await lose(by, 2);
      for (int at = 0; at < 20; ++at) co_await root.sleep(0ns);
      CHECK(by.it.where().where->paused);
      co_await root.checkpoint();
      co_return 0;
    }
    const int lines = co_await by.it.ask<look>();
    CHECK(lines == 3);
    co_return 0;
  };
  fixture::crash<all>(on, [&](cairn::root& root) { return app(root, false); });
  missing = 0;
  fixture::crash<all>(on, [&](cairn::root& root) {
    on.clock.advance(2h);
    return app(root, true);
  });
  check_told(on, 2);
}
