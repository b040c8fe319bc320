// Failures of one group that overlap: a note that is handled late is of a failure that a sibling's
// restart has cured, and what its child waits with now is another one's matter. And a group that is
// suspended again while it is being resumed.
#include <stdexcept>

#include <cairn/supervisor.hpp>

#include "supervising.hpp"

namespace overlapping {

using namespace tending;

/// A failure that is the matter of the supervisor above.
struct beyond : std::runtime_error {
  beyond() : std::runtime_error{"beyond"} {}
};
constexpr int beyond_from = -100;

struct link;
struct passed {
  int value = 0;
  cairn::ref<link> to{};
  void serialize(auto& ar) { ar(value, to); }
};

/// Fails as planned; what is to be passed on it passes on.
struct link {
  using protocol = cairn::protocol<work, passed, look>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on(work what) {
    sum += what.value;
    try {
      planned.check(what.value);
    } catch (const std::runtime_error&) {
      if (what.value <= beyond_from) throw beyond{};
      throw;
    }
  }
  void on(passed what) {
    what.to.tell<work>(what.value);
    planned.check(what.value - 1);
  }
  int on(look) const { return sum; }
};
using links = cairn::actors<link>;

using fixture::come_to_rest;

/// One restart, and no more.
cairn::supervisor_options rules_of(std::chrono::nanoseconds backoff) {
  return {.strategy = cairn::one_for_all,
          .intensity = {.restarts = 1, .within = 1h},
          .attempts = 5,
          .backoff = {.first = backoff, .most = 1h, .jitter = 0}};
}

TEST_CASE("a failure that a sibling's restart has cured does not hide the one after it") {
  planned.clear();
  planned.plan(-1, 1);
  planned.plan(-2, 1);
  planned.plan(beyond_from, 1);
  bench on;
  fixture::crash<links>(on, [&](cairn::root& root) -> cairn::task<int> {
    const auto house = root.supervise("house", rules_of({}));
    const auto room = house.supervise("room", rules_of({}).on<beyond>(cairn::escalate));
    const auto x = room.spawn<link>("x");
    const auto y = room.spawn<link>("y");
    x.tell<work>(-1);
    y.tell<work>(-2);           // at the same time
    y.tell<work>(beyond_from);  // before its room has heard of that
    co_await come_to_rest(root);
    const auto of_x = co_await x.ask<look>().as_result();
    const auto of_y = co_await y.ask<look>().as_result();
    CHECK(of_x.has_value());
    CHECK(of_y.has_value());
    if (of_x && of_y) CHECK(*of_x + *of_y == beyond_from - 3);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::failed, "y") == 2);
  CHECK(on.told.count(event_kind::suspended) == 0);
  CHECK(on.told.count(event_kind::restarted, "x") == 2);  // with its room, too
}

TEST_CASE("a child that waits for its own retry has no failure for its supervisor to count") {
  planned.clear();
  planned.plan(-1, 2);
  planned.plan(-2, 1);
  bench on;
  fixture::crash<links>(on, [&](cairn::root& root) -> cairn::task<int> {
    const auto room = root.supervise("room", rules_of(10s));
    const auto a = room.spawn<link>("a");
    for (const char* between : {"k", "l", "m"}) room.spawn<link>(between);
    const auto c = room.spawn<link>("c");
    a.tell<passed>(-1, c);
    co_await come_to_rest(root);
    // Tried again, a has c fail while it is the next to be restarted; then c fails once more.
    on.clock.advance(10s);
    co_await come_to_rest(root);
    CHECK(on.told.count(event_kind::failed, "c") == 2);
    on.clock.advance(1h);
    co_await come_to_rest(root);
    const auto done_by_c = co_await c.ask<look>().as_result();
    CHECK(done_by_c.has_value());
    if (done_by_c) CHECK(*done_by_c == -1);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 0);
}

/// Suspended together with the first failure.
const cairn::supervisor_options strict{.strategy = cairn::one_for_all,
                                       .intensity = {.restarts = 0, .within = 1h}};

TEST_CASE("what is suspended again is not resumed by a word of before") {
  planned.clear();
  planned.plan(-1, 2);
  bench on;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    const auto door = root.supervise("door", strict);
    const auto a = door.spawn<member>("a", "a");
    const auto c = door.spawn<member>("c", "c");
    a.tell<work>(-1);
    co_await come_to_rest(root);
    CHECK(on.told.count(event_kind::suspended) == 2);
    root.resume(c);
    c.tell<nap>(1);  // whatever comes now stands behind it
    co_await come_to_rest(root);
    door.resume();
    co_await come_to_rest(root);
    CHECK(on.told.count(event_kind::suspended, "a") == 2);
    CHECK(on.told.count(event_kind::suspended, "c") == 2);
    on.clock.advance(2h);
    co_await come_to_rest(root);
    const auto held = co_await c.ask<look>().as_result();
    CHECK(held.code() == errc::failed);
    door.resume();
    co_await come_to_rest(root);
    const int now = co_await c.ask<look>();
    CHECK(now == 1001);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::resumed, "c") == 2);
}

}  // namespace overlapping
