// What a replay that goes another way is said to have done: who, what was expected, what was seen.
#include <cairn/supervisor.hpp>

#include <functional>
#include <string>

#include "fixture.hpp"

namespace differing {

using cairn::event_kind;
using fixture::bench;

struct step {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct poke {};
struct fail {};
struct look {};

struct doer;
/// What its handler of `step` does this time.
std::function<void(doer&, cairn::context<doer>&)> act;
bool thrown = false;

struct doer {
  using protocol = cairn::protocol<step, poke, fail, look, cairn::stopped>;
  cairn::ref<doer> one{};
  cairn::ref<doer> other{};
  std::string text{};  // a state that is bytes alone would be copied before each turn
  void serialize(auto& ar) { ar(one, other, text); }
  void on(step, cairn::context<doer>& self) {
    if (act) act(*this, self);
  }
  void on(poke) {}
  void on(fail) {
    if (!std::exchange(thrown, true)) throw std::runtime_error{"it does"};
  }
  int on(look) const { return 0; }
  void on(cairn::stopped) {}
};
using all = cairn::actors<doer>;
using doing = std::function<void(doer&, cairn::context<doer>&)>;

struct told {
  std::string text{};
  std::string one{};
  std::string other{};
};

cairn::task<int> app(cairn::root& root, doing then, told* ids) {
  auto top = root.supervise("top");
  auto one = top.spawn<doer>("one");
  auto other = top.spawn<doer>("other");
  ids->one = "#" + std::to_string(raw(one.id()));
  ids->other = "#" + std::to_string(raw(other.id()));
  auto it = top.spawn<doer>("it", doer{one, other, "it"});
  it.tell<step>(1);
  (void)co_await it.ask<look>();
  act = then;
  it.tell<fail>();  // what it has handled is replayed
  (void)co_await it.ask<look>().as_result();
  co_return 0;
}

/// What is told where it has done `first`, and in replay does `then`.
told differ(const doing& first, const doing& then) {
  told found;
  bench on;
  act = first;
  thrown = false;
  fixture::crash<all>(on, [&](cairn::root& root) { return app(root, then, &found); });
  act = {};
  const auto events = on.told.of(event_kind::diverged, "it");
  INFO(on.told.text());
  REQUIRE(events.size() == 1);
  found.text = events.front().what.text;
  return found;
}

void one_step(doer& me, cairn::context<doer>&) { me.one.tell<step>(7); }

}  // namespace differing

TEST_CASE("an effect that is missing in replay is named") {
  using namespace differing;
  const auto seen = differ(one_step, [](doer&, auto&) {});
  CHECK(seen.text ==
        "at position 1 it had 1 effects and now has 0 (differing::doer): expected was the message "
        "differing::step to " +
            seen.one + ", which is not there");
}

TEST_CASE("an effect that is new in replay is named") {
  using namespace differing;
  const auto seen = differ(one_step, [](doer& me, auto&) {
    me.other.template tell<poke>();
    me.one.template tell<step>(7);
  });
  CHECK(seen.text ==
        "at position 1 it had 1 effects and now has 2 (differing::doer): not expected "
        "was the message differing::poke to " +
            seen.other + "; now there are: the message differing::poke to " + seen.other +
            ", the message differing::step to " + seen.one);
}

TEST_CASE("an effect of another kind, or on another, is named with the one that was expected") {
  using namespace differing;
  const doing three = [](doer& me, auto&) {
    me.other.template tell<poke>();
    me.one.template tell<step>(7);
    me.other.template tell<step>(9);
  };
  const doing watches = [](doer& me, auto& self) {
    me.other.template tell<poke>();
    self.watch(me.one);
    me.other.template tell<step>(9);
  };
  const std::string begin = "at position 1 it had 1 effects and now has 1 (differing::doer): ";
  const std::string expected = begin + "expected was the message differing::step to ";
  {
    const auto seen = differ(one_step, [](doer& me, auto&) { me.one.template tell<poke>(); });
    const std::string now = "the message differing::poke to " + seen.one;
    CHECK(seen.text == expected + seen.one + ", seen was " + now + "; now there are: " + now);
  }
  {
    const auto seen = differ(one_step, [](doer& me, auto&) { me.other.template tell<step>(7); });
    const std::string now = "the message differing::step to " + seen.other;
    CHECK(seen.text == expected + seen.one + ", seen was " + now + "; now there are: " + now);
  }
  {
    const auto seen = differ(one_step, [](doer& me, auto& self) { self.watch(me.other); });
    CHECK(
        seen.text.starts_with(expected + seen.one + ", seen was the word watch to " + seen.other));
  }
  {
    const auto seen = differ([](doer& me, auto& self) { self.watch(me.other); }, one_step);
    CHECK(seen.text.starts_with(begin + "expected was the word watch to " + seen.other +
                                ", seen was the message differing::step to " + seen.one));
  }
  {
    const auto seen = differ(
        one_step, [](doer&, auto& self) { self.template send_after<poke>(std::chrono::hours{1}); });
    CHECK(seen.text.starts_with(expected + seen.one +
                                ", seen was the message differing::poke to itself"));
  }
  {
    const auto seen = differ(one_step, [](doer&, auto& self) { self.stop(); });
    CHECK(seen.text.starts_with(expected + seen.one + ", seen was its own stop"));
  }
  {
    const auto seen = differ(watches, three);
    CHECK(seen.text.find("3 effects and now has 3 (differing::doer): expected was the word watch "
                         "to " +
                         seen.one + ", seen was the message differing::step to " + seen.one +
                         "; now there are: the message differing::poke to " + seen.other) !=
          std::string::npos);
  }
}

TEST_CASE("another value of a message is named, within one process") {
  using namespace differing;
  const auto seen = differ(one_step, [](doer& me, auto&) { me.one.template tell<step>(8); });
  CHECK(
      seen.text.starts_with("at position 1 it had 1 effects and now has 1 (differing::doer): the "
                            "same effects, of other values: expected was another value in the "
                            "message differing::step to " +
                            seen.one));
}

TEST_CASE("where more than one effect differs, the first of each is named, and what is seen") {
  using namespace differing;
  const doing two = [](doer& me, auto&) {
    me.one.template tell<step>(1);
    me.other.template tell<poke>();
  };
  const auto seen = differ(two, [](doer& me, auto&) {
    me.other.template tell<step>(1);
    me.one.template tell<poke>();
  });
  CHECK(
      seen.text.find(": more than one effect differs: the first that was expected was the message "
                     "differing::step to " +
                     seen.one +
                     ", number 1, the first that was seen instead was the message "
                     "differing::step to " +
                     seen.other + ", number 1; ") != std::string::npos);
  CHECK(seen.text.find("now there are: the message differing::step to " + seen.other +
                       ", the message differing::poke to " + seen.one) != std::string::npos);
  const auto none = differ(two, [](doer&, auto&) {});
  CHECK(
      none.text.ends_with("now has 0 (differing::doer): more than one effect differs: the first "
                          "that was expected was the message differing::step to " +
                          none.one + ", number 1"));
}

TEST_CASE("of many effects the first are known one by one") {
  using namespace differing;
  const auto sends = [](int steps, int pokes) -> doing {
    return [=](doer& me, auto&) {
      for (int at = 0; at < steps; ++at) me.one.template tell<step>(at);
      for (int at = 0; at < pokes; ++at) me.other.template tell<poke>();
    };
  };
  const auto within = differ(sends(6, 2), sends(8, 0));
  CHECK(
      within.text.find("differs: the first that was expected was the message differing::poke to " +
                       within.other +
                       ", number 7, the first that was seen instead was the message "
                       "differing::step to " +
                       within.one + ", number 7; ") != std::string::npos);
  const auto beyond = differ(sends(8, 2), sends(10, 0));
  CHECK(beyond.text.find("(differing::doer): more than one effect differs; now") !=
        std::string::npos);
  const auto fewer = differ(sends(10, 0), sends(4, 8));
  CHECK(fewer.text.find("differs: the first that was expected was the message differing::step to " +
                        fewer.one + ", number 5; now") != std::string::npos);
}

TEST_CASE("a spawn that was there only before, or is there only now, is found") {
  using namespace differing;
  const doing spawns = [](doer&, auto& self) { (void)self.template spawn<doer>("child"); };
  const auto more = differ(one_step, spawns);
  CHECK(more.text == "at position 1 (differing::doer): not expected was the spawn of \"child\"");
  const auto fewer = differ(spawns, one_step);
  INFO(fewer.text);
  CHECK(fewer.text.starts_with("at position 1 (differing::doer): expected was the spawn of #"));
  CHECK(fewer.text.ends_with(", which is not there"));
}

TEST_CASE("what a replay takes at once is named: the time, a random number, the epoch, a spawn") {
  using namespace differing;
  const doing time = [](doer&, auto& self) { (void)self.now(); };
  const doing chance = [](doer&, auto& self) { (void)self.random(); };
  const doing epoch = [](doer&, auto& self) { (void)self.epoch(); };
  const doing spawn = [](doer&, auto& self) { (void)self.template spawn<doer>("kid"); };
  const std::string where = "at position 1 (differing::doer): ";
  CHECK(differ(time, chance).text == where + "expected was the time, seen was a random number");
  CHECK(differ(chance, epoch).text == where + "expected was a random number, seen was the epoch");
  CHECK(differ(epoch, time).text == where + "expected was the epoch, seen was the time");
  CHECK(differ(time, spawn).text == where + "expected was the time, seen was the spawn of \"kid\"");
  CHECK(differ(time, one_step).text == where + "expected was the time, which is not there");
  CHECK(differ(one_step, chance).text == where + "not expected was a random number");
  const auto spawned = differ(spawn, epoch).text;
  INFO(spawned);
  CHECK(spawned.starts_with(where + "expected was the spawn of #"));
  CHECK(spawned.ends_with(", seen was the epoch"));
}

TEST_CASE(
    "who diverges and cannot be brought back is what its supervisor says of too many restarts") {
  using namespace differing;
  const auto then = GENERATE(cairn::stop, cairn::suspend);
  bench on;
  act = one_step;
  thrown = false;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::decision exceeded) -> cairn::task<int> {
      auto one = root.supervise("others").spawn<doer>("one");
      auto room = root.supervise("top", {.exceeded = exceeded});
      auto it = room.spawn<doer>("it", doer{one, one, "it"});
      it.tell<step>(1);
      (void)co_await it.ask<look>();
      act = {};
      it.tell<fail>();  // nothing is committed that the system could go back to
      auto answer = co_await it.ask<look>().as_result();
      CHECK(answer.code() ==
            (exceeded == cairn::stop ? cairn::errc::stopped : cairn::errc::failed));
      co_return 0;
    }(top, then);
  });
  INFO(on.told.text());
  const auto kind = then == cairn::stop ? event_kind::stopped : event_kind::suspended;
  REQUIRE(on.told.count(kind, "it") == 1);
  CHECK(on.told.of(kind, "it")[0].what.text.starts_with("replay diverged: "));
}
