// What others are told of an actor that is suspended, and what takes the whole system back.
#include <cairn/supervisor.hpp>

#include <limits>
#include <new>
#include <string>

#include "fixture.hpp"

namespace parents {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct work {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct look {};
struct sum_below {};
struct begin {
  bool resumes = false;
  void serialize(auto& ar) { ar(resumes); }
};
struct decide {
  bool resume = false;
  void serialize(auto& ar) { ar(resume); }
};
struct heard {
  int times = 0;
  std::string why{};
  void serialize(auto& ar) { ar(times, why); }
};

int throws_left = 0;

struct child {
  using protocol = cairn::protocol<work, look>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on(work what) {
    sum += what.value;
    if (throws_left == 0) return;
    --throws_left;
    throw std::bad_alloc{};
  }
  int on(look) const { return sum; }
};

struct parent {
  using protocol = cairn::protocol<begin, decide, look, sum_below, cairn::suspended>;
  cairn::ref<child> mine{};
  heard told{};
  bool resumes = false;
  void serialize(auto& ar) { ar(mine, told, resumes); }

  void on(begin what, cairn::context<parent>& self) {
    resumes = what.resumes;
    mine = self.spawn<child>("child");
    for (int value = 1; value <= 4; ++value) mine.tell<work>(value);
  }
  void on(cairn::suspended who, cairn::context<parent>& self) {
    ++told.times;
    told.why = who.reason;
    if (who.id == mine.id() && resumes) self.resume(mine);
  }
  void on(decide what, cairn::context<parent>& self) {
    what.resume ? self.resume(mine) : self.stop_child("child");
  }
  heard on(look) const { return told; }
  cairn::task<int> on(sum_below) {
    const auto sum = co_await mine.ask<look>().as_result();
    co_return sum ? *sum : -static_cast<int>(sum.code());
  }
};

struct keep_an_eye_on {
  cairn::ref<child> whom{};
  void serialize(auto& ar) { ar(whom); }
};
/// Wants to know.
struct friend_of {
  using protocol = cairn::protocol<keep_an_eye_on, look, cairn::stopped, cairn::suspended>;
  heard told{};
  void serialize(auto& ar) { ar(told); }
  void on(keep_an_eye_on what, cairn::context<friend_of>& self) { self.watch(what.whom); }
  void on(cairn::stopped who) { told = {told.times + 1, "stopped: " + who.reason}; }
  void on(cairn::suspended who) { told = {told.times + 1, who.reason}; }
  heard on(look) const { return told; }
};
/// Wants to know of the end alone.
struct heir {
  using protocol = cairn::protocol<keep_an_eye_on, look, cairn::stopped>;
  heard told{};
  void serialize(auto& ar) { ar(told); }
  void on(keep_an_eye_on what, cairn::context<heir>& self) { self.watch(what.whom); }
  void on(cairn::stopped who) { told = {told.times + 1, "stopped: " + who.reason}; }
  heard on(look) const { return told; }
};

using all = cairn::actors<parent, child, friend_of, heir>;
using door = cairn::ref<parent>;

/// Three messages are given up, each after two tries; with the fourth there are too many restarts.
constexpr int until_too_many = 7;

cairn::task<heard> until_told(door top) {
  heard told;
  while (told.times == 0) told = co_await top.ask<look>();
  co_return told;
}

}  // namespace parents

TEST_CASE("a parent is told of a suspended child, and resumes it") {
  using namespace parents;
  bench on;
  throws_left = until_too_many;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top").spawn<parent>("parent");
    top.tell<begin>(true);
    const auto told = co_await until_told(top);
    CHECK(told.why == "more restarts than 3; the last failure: std::bad_alloc");
    int sum = 0;
    while (sum <= 0) sum = co_await top.ask<sum_below>();
    CHECK(sum == 4);  // what it was handling is tried again
    const auto still = co_await top.ask<look>();
    CHECK(still.times == 1);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::dead_letter, "child") == 3);
  CHECK(on.told.count(event_kind::resumed, "child") == 1);
}

TEST_CASE(
    "what a parent was told of a suspended child holds over a crash, and it stops the child") {
  using namespace parents;
  bench on;
  throws_left = until_too_many;
  const auto app = [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top").spawn<parent>("parent");
    if (!root.restored()) {
      top.tell<begin>(false);
      (void)co_await until_told(top);
      co_await root.checkpoint();
      co_return 0;
    }
    const auto told = co_await top.ask<look>();
    CHECK(told.times == 1);
    const int kept = co_await top.ask<sum_below>();
    CHECK(kept == -static_cast<int>(cairn::errc::failed));
    top.tell<decide>(false);
    int gone = kept;
    while (gone == kept) gone = co_await top.ask<sum_below>();
    CHECK(gone == -static_cast<int>(cairn::errc::stopped));
    co_return 0;
  };
  fixture::crash<all>(on, app);
  CHECK(on.told.count(event_kind::suspended, "child") == 1);
  fixture::crash<all>(on, app);
  CHECK(on.told.count(event_kind::stopped, "child") == 1);
}

TEST_CASE("a failure may take the whole system back, once for each snapshot") {
  using namespace parents;
  bench on;
  throws_left = 0;
  int runs = 0;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, int* count) -> cairn::task<int> {
      auto door_to =
          root.supervise("top", cairn::supervisor_options{}.on<std::bad_alloc>(cairn::rollback));
      auto one = door_to.spawn<child>("one");
      auto other = door_to.spawn<child>("other");
      if (++*count == 1) {
        one.tell<work>(1);
        const int before = co_await one.ask<look>();
        CHECK(before == 1);
        co_await root.checkpoint();
        other.tell<work>(10);
        const int also = co_await other.ask<look>();
        CHECK(also == 10);
        throws_left = 1;
        one.tell<work>(2);
        co_await root.until_stopped();  // a rollback begins the root task anew
      }
      const int sum = co_await one.ask<look>();
      CHECK(sum == 1);
      const int undone = co_await other.ask<look>();
      CHECK(undone == 0);
      throws_left = 1;
      one.tell<work>(3);  // nothing was committed since: it is suspended
      const auto answer = co_await one.ask<look>().as_result();
      CHECK(answer.code() == cairn::errc::failed);
      co_return 0;
    }(top, &runs);
  });
  INFO(on.told.text());
  CHECK(runs == 2);
  const auto back = on.told.of(event_kind::rolled_back);
  REQUIRE(back.size() == 1);
  CHECK(back.front().what.text.find("one failed: std::bad_alloc") != std::string::npos);
  CHECK(on.told.count(event_kind::suspended, "one") == 2);
}

TEST_CASE("too many restarts cannot come to what is no end") {
  using namespace parents;
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    CHECK_THROWS_WITH(root.supervise("top", {.exceeded = cairn::rollback}),
                      "supervisor \"top\": .exceeded is suspend, stop or escalate");
    co_return 0;
  });
}

TEST_CASE("a jitter that is no share of the delay is refused, by the supervisor's name") {
  using namespace parents;
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    for (const double wrong : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
      const cairn::supervisor_options rules{.backoff = {.jitter = wrong}};
      CHECK_THROWS_WITH(root.supervise("top", rules),
                        "supervisor \"top\": .backoff.jitter is a share of the delay, from 0 to 1");
    }
    (void)root.supervise("top", {.backoff = {.jitter = 1}});
    co_return 0;
  });
}

TEST_CASE("a span below 0 is refused, by the supervisor's name") {
  using namespace parents;
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    CHECK_THROWS_WITH(root.supervise("top", {.intensity = {.within = -1ns}}),
                      "supervisor \"top\": .intensity.within is no time below 0");
    CHECK_THROWS_WITH(root.supervise("top", {.backoff = {.first = -1ns}}),
                      "supervisor \"top\": .backoff.first is no time below 0");
    CHECK_THROWS_WITH(root.supervise("top", {.backoff = {.most = -1ns}}),
                      "supervisor \"top\": .backoff.most is no time below 0");
    (void)root.supervise("top", {.intensity = {.within = 0ns}, .backoff = {.most = 0ns}});
    co_return 0;
  });
}

TEST_CASE("a supervisor is declared once in a run") {
  using namespace parents;
  bench on;
  for (int run = 0; run < 2; ++run) {
    fixture::finish<all>(on, [](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      (void)top.supervise("under");
      CHECK_THROWS_WITH(root.supervise("top"), "a supervisor \"top\" has been declared already");
      CHECK_THROWS_WITH(top.supervise("under"), "a supervisor \"under\" has been declared already");
      co_return 0;
    });
  }
}

TEST_CASE("who watches an actor is told why it is suspended, where its protocol lists that") {
  using namespace parents;
  bench on;
  throws_left = until_too_many;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top").spawn<child>("child");
    auto others = root.supervise("others");
    auto close = others.spawn<friend_of>("friend");
    auto far = others.spawn<heir>("heir");
    close.tell<keep_an_eye_on>(it);
    far.tell<keep_an_eye_on>(it);
    (void)co_await far.ask<look>();
    (void)co_await close.ask<look>();
    for (int value = 1; value <= 4; ++value) it.tell<work>(value);
    heard told;
    while (told.times == 0) told = co_await close.ask<look>();
    CHECK(told.why == "more restarts than 3; the last failure: std::bad_alloc");
    const heard none = co_await far.ask<look>();
    CHECK(none.times == 0);
    it.stop();
    while (told.times == 1) told = co_await close.ask<look>();
    CHECK(told.why.starts_with("stopped: "));
    const heard end = co_await far.ask<look>();
    CHECK(end.times == 1);
    co_return 0;
  });
}
