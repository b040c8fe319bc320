// What a process takes up where the one before left off, and must not take up twice.
#include <atomic>
#include <semaphore>

#include <cairn/asio.hpp>

#include <asio/use_future.hpp>

#include "fixture.hpp"

namespace resuming {

using fixture::bench;

std::atomic<int> runs{0};
std::counting_semaphore<> gate{0};
std::atomic<bool> disk_full{false};

struct work {};
struct look {};
struct nothing {};

int count() {
  ++runs;
  gate.acquire();
  return 7;
}

/// Does its work outside. Its cut fails while the disk is full, which suspends it.
struct clerk {
  using protocol = cairn::protocol<work, look>;
  int done = 0;
  void serialize(auto& ar) { ar(done); }

  cairn::task<> on(work, cairn::context<clerk>& self) {
    const int value = co_await self.run("count", &count);
    done += value;
  }
  int on(look) { return done; }

  [[nodiscard]] std::function<void()> prepare_outputs() const {
    if (disk_full) throw std::runtime_error{"no room"};
    return {};
  }
};

/// Something to wait for while others work: each ask is a turn of the one worker.
struct echo {
  using protocol = cairn::protocol<nothing>;
  using persistence = cairn::ephemeral;
  int on(nothing) { return 0; }
};

/// Within a turn of the only worker: what stands in an actor's mailbox.
bool has_reply(const cairn::ref<clerk>& of) { return !of.where().where->box.replies.empty(); }

/// Ends with a snapshot that holds the run's result in flight, to an actor that is suspended.
cairn::task<int> until_the_result_waits(cairn::root& top) {
  auto helper = top.supervise("other").spawn<echo>("echo");
  auto one = top.supervise("office").spawn<clerk>("clerk");
  one.tell<work>();
  while (runs == 0) co_await helper.ask<nothing>();
  disk_full = true;
  co_await top.checkpoint();
  disk_full = false;
  gate.release();
  while (!has_reply(one)) co_await helper.ask<nothing>();
  co_await top.checkpoint();
  co_return 0;
}

cairn::task<int> take_it_up(cairn::root& top) {
  auto one = top.supervise("office").spawn<clerk>("clerk");
  top.resume(one);
  const int done = co_await one.ask<look>();
  CHECK(done == 7);
  co_return 0;
}

}  // namespace resuming

TEST_CASE("a run whose result is in flight in the snapshot is not begun again") {
  using namespace resuming;
  runs = 0;
  bench on;
  using actors = cairn::actors<clerk, echo>;
  fixture::crash<actors>(on, until_the_result_waits);
  CHECK(runs == 1);
  gate.release();  // for a run that must not be
  const auto how = fixture::crash<actors>(on, take_it_up);
  CHECK(how.restored.suspended_handlers == 1);
  CHECK(how.restored.messages == 1);
  CHECK(runs == 1);
  REQUIRE(gate.try_acquire());
}

namespace diverging {

using cairn::event_kind;
using fixture::bench;

std::atomic<int> called{0};
fixture::faults planned;

struct step {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct look {};

/// What it sends depends on how often it was called: the mistake that replay must notice.
struct fickle {
  using protocol = cairn::protocol<step, look>;
  int sum = 0;
  std::string name{};  // with it the state is no plain bytes, and a base is not taken every turn
  cairn::ref<fickle> other{};
  void serialize(auto& ar) { ar(sum, name, other); }
  void on(step what) {
    planned.check(what.value);
    sum += what.value;
    if (other && ++called == 1) other.tell<look>();
  }
  int on(look) const { return sum; }
};
using actors = cairn::actors<fickle>;

cairn::task<int> fail_after_a_fickle_turn(cairn::root& top) {
  auto all = top.supervise("all");
  auto calm = all.spawn<fickle>("calm");
  auto it = all.spawn<fickle>("it", fickle{0, "it", calm});
  it.tell<step>(1);
  it.tell<step>(2);  // throws: the first one is replayed, and sends nothing now
  const auto answer = co_await it.ask<look>().as_result();
  CHECK(answer.code() == cairn::errc::failed);
  const auto answered = co_await calm.ask<look>();
  CHECK(answered == 0);
  co_return 0;
}

}  // namespace diverging

TEST_CASE("a handler that does something else in replay is named, and its actor suspended") {
  using namespace diverging;
  called = 0;
  planned.plan(2, 1);
  bench on;
  fixture::crash<actors>(on, fail_after_a_fickle_turn);
  const auto found = on.told.of(event_kind::diverged, "it");
  REQUIRE(found.size() == 1);
  INFO(found[0].what.text);
  CHECK(found[0].what.code == cairn::errc::diverged);
  CHECK(found[0].what.text.find("at position 1 it had 1 effects and now has 0") !=
        std::string::npos);
  CHECK(on.told.count(event_kind::suspended, "it") == 1);
}

namespace diverging {

/// What it sends is of the same kind each time and of another value.
struct drifting {
  using protocol = cairn::protocol<step, look>;
  std::string name{};
  int sum = 0;
  cairn::ref<drifting> other{};
  void serialize(auto& ar) { ar(name, sum, other); }
  void on(step what) {
    planned.check(what.value);
    sum += what.value;
    if (other) other.tell<step>(100 + ++called);
  }
  int on(look) const { return sum; }
};

}  // namespace diverging

namespace diverging {

/// It waits under another number in replay: none of its effects says so.
struct restless {
  using protocol = cairn::protocol<step, look>;
  std::string name{};
  void serialize(auto& ar) { ar(name); }
  cairn::task<> on(step, cairn::context<restless>& self) {
    if (++called > 1) (void)self.sleep(std::chrono::hours{1});
    co_await self.sleep(std::chrono::nanoseconds{0});
    throw std::runtime_error{"it does"};
  }
  int on(look) const { return 0; }
};

}  // namespace diverging

TEST_CASE("a handler that waits for another answer in replay is named, not given up") {
  using namespace diverging;
  called = 0;
  bench on;
  fixture::crash<cairn::actors<restless>>(on, [](cairn::root& top) -> cairn::task<int> {
    auto it = top.supervise("all").spawn<restless>("it");
    it.tell<step>(1);
    const auto answer = co_await it.ask<look>().as_result();
    CHECK(answer.code() == cairn::errc::failed);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::diverged, "it") == 1);
  CHECK(on.told.count(event_kind::given_up) == 0);
}

TEST_CASE("a handler that sends another value in replay is named") {
  using namespace diverging;
  called = 0;
  planned.clear();
  planned.plan(2, 1);
  bench on;
  fixture::crash<cairn::actors<drifting>>(on, [](cairn::root& top) -> cairn::task<int> {
    auto all = top.supervise("all");
    auto calm = all.spawn<drifting>("calm");
    auto it = all.spawn<drifting>("it", "it", 0, calm);
    it.tell<step>(1);
    it.tell<step>(2);  // throws: the first one is replayed
    const auto answer = co_await it.ask<look>().as_result();
    CHECK(answer.code() == cairn::errc::failed);
    co_return 0;
  });
  const auto found = on.told.of(event_kind::diverged, "it");
  REQUIRE(found.size() == 1);
  CHECK(found[0].what.text.find("the same effects, of other values") != std::string::npos);
}

namespace rebasing {

using fixture::bench;

std::atomic<int> runs{0};
fixture::faults planned;

struct step {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct counter {
  using protocol = cairn::protocol<step>;
  std::string name{};
  int sum = 0;
  void serialize(auto& ar) { ar(name, sum); }
  int on(step what) {
    ++runs;
    planned.check(what.value);
    return sum += what.value;
  }
};

}  // namespace rebasing

TEST_CASE("what was replayed once is not replayed again: after a restart there is a new base") {
  using namespace rebasing;
  planned.plan(10, 1);
  planned.plan(11, 1);
  bench on;
  fixture::crash<cairn::actors<counter>>(on, [](cairn::root& top) -> cairn::task<int> {
    auto it = top.supervise("all").spawn<counter>("it", "it", 0);
    for (int at = 0; at < 10; ++at) (void)co_await it.ask<step>(1);
    runs = 0;
    const int second = co_await it.ask<step>(10);
    CHECK(second == 20);
    CHECK(runs == 12);  // it failed, ten were replayed, it ran again
    runs = 0;
    const int third = co_await it.ask<step>(11);
    CHECK(third == 31);
    CHECK(runs == 2);
    co_return 0;
  });
}

namespace answering {

using fixture::bench;
using namespace std::chrono_literals;

struct look {};
struct rest {};

struct door {
  using protocol = cairn::protocol<look, rest>;
  int looks = 0;
  std::string name{};  // no plain bytes: a base is not taken every turn
  void serialize(auto& ar) { ar(looks, name); }
  int on(look) { return ++looks; }
  cairn::task<> on(rest, cairn::context<door>& self) {
    co_await self.sleep(1h);
    ++looks;
  }
};
using actors = cairn::actors<door>;

int ask_from_outside(cairn::ref<door> whom) {
  return cairn::async_ask<look>(whom, asio::use_future).get();
}

cairn::task<int> answer_and_rest(cairn::root& top) {
  auto all = top.supervise("all");
  auto one = all.spawn<door>("one");
  auto other = all.spawn<door>("other");
  const int looks = co_await top.run("outside", &ask_from_outside, one);
  CHECK(looks == 1);
  one.tell<rest>();
  (void)co_await other.ask<look>();  // the only worker has come to it after it has come to one
  co_await top.checkpoint();
  co_return 0;
}

}  // namespace answering

TEST_CASE("an actor that has answered somebody outside is suspended and restored") {
  // Found by the simulation's workload "storm", seed 1.
  using namespace answering;
  bench on;
  fixture::crash<actors>(on, answer_and_rest);
  const auto how = fixture::crash<actors>(on, [&](cairn::root& top) -> cairn::task<int> {
    auto one = top.supervise("all").spawn<door>("one");
    on.clock.advance(2h);
    const int looks = co_await one.ask<look>();
    CHECK(looks == 3);
    co_return 0;
  });
  CHECK(how.restored.suspended_handlers == 1);
}
