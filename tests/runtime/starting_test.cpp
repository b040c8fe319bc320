// What a suspended handler needs once its actor could start after all: its resources, the runs that
// it waits for, the end of asks of those who are lost.
#include <stdexcept>
#include <utility>

#include <cairn/testing/simulation.hpp>

#include "../catch.hpp"

namespace starting {

using namespace std::chrono_literals;

struct consult {};
struct compute {};
struct nap {};
struct look {};
struct fail {};

int throws_left = 0;  // how often `on_start` still fails
int opened = 0;       // how often it went well since the process began

bool counted = true;

int count() {
  while (!counted) cairn::detail::pause_point();
  return 7;
}

/// Does not survive.
struct mute {
  using protocol = cairn::protocol<consult>;
  using persistence = cairn::ephemeral;
  cairn::task<int> on(consult, cairn::context<mute>& self) {
    co_await self.sleep(10h);
    co_return 1;
  }
};

struct clerk {
  using protocol = cairn::protocol<consult, compute, nap, fail, look>;
  int interrupted = 0;
  int done = 0;
  bool failed = false;
  void serialize(auto& ar) { ar(interrupted, done, failed); }

  void on_start(cairn::context<clerk>& self) {
    if (self.name() == "other") return;
    if (throws_left > 0) {
      --throws_left;
      throw std::runtime_error{"a resource that is not there"};
    }
    ++opened;
  }
  cairn::task<> on(consult, cairn::context<clerk>& self) {
    auto whom = self.spawn<mute>("mute");
    auto asked = whom.ask<consult>().as_result();
    const auto answer = co_await std::move(asked);
    CHECK(opened > 0);
    if (answer.code() == cairn::errc::interrupted) ++interrupted;
  }
  cairn::task<> on(compute, cairn::context<clerk>& self) {
    done += co_await self.run("count", &count);
    CHECK(opened > 0);
  }
  cairn::task<int> on(nap, cairn::context<clerk>& self) {
    co_await self.sleep(1h);
    CHECK(opened > 0);
    co_return 1;
  }
  void on(fail) { throw std::runtime_error{"planned"}; }
  std::pair<int, int> on(look) { return {interrupted, done}; }
};

/// Asks, and keeps what became of it.
struct client {
  using protocol = cairn::protocol<nap, look>;
  cairn::ref<clerk> whom{};
  cairn::errc code = cairn::errc::ok;
  bool answered = false;
  void serialize(auto& ar) { ar(whom, code, answered); }
  cairn::task<> on(nap) {
    auto asked = whom.ask<nap>().as_result();
    const auto answer = co_await std::move(asked);
    answered = true;
    code = answer.code();
  }
  cairn::errc on(look) { return answered ? code : cairn::errc::timeout; }
};

using actors = cairn::actors<clerk, mute, client>;

cairn::testing::simulation_options options() {
  cairn::testing::simulation_options made;
  made.workers = 1;
  made.configure = [](cairn::options& chosen) {
    chosen.epoch.every = {};
    chosen.ask_timeout = 100h;
  };
  throws_left = opened = 0;
  return made;
}

/// The clerk begins this and is suspended; then power fails.
template <class Message>
cairn::task<int> begin(cairn::root& root) {
  auto one = root.supervise("office").spawn<clerk>("clerk");
  one.tell<Message>();
  while (!one.where().where->busy()) co_await root.checkpoint();
  co_await root.checkpoint();
  co_return 0;
}

/// It could not start, and is resumed.
std::pair<int, int> seen;
cairn::task<int> take_up(cairn::root& root) {
  auto one = root.supervise("office").spawn<clerk>("clerk");
  co_await root.sleep(1s);
  CHECK(opened == 0);
  CHECK(one.where().where->suspended);
  throws_left = 0;
  root.resume(one);
  seen = co_await one.ask<look>().within(5h);
  co_return 0;
}

/// The first snapshot that has the handler suspended.
template <class Message>
void lose_and_take_up(cairn::testing::simulation<actors>& sim) {
  sim.start(&begin<Message>);
  REQUIRE(sim.run() == 0);
  counted = true;
  sim.crash();
  throws_left = 100;
  opened = 0;
  sim.start(&take_up);
  REQUIRE(sim.restored().suspended_handlers == 1);
  CHECK(sim.run() == 0);
}

}  // namespace starting

TEST_CASE("an ask of the lost ends also where the asker could not start at first") {
  using namespace starting;
  cairn::testing::simulation<actors> sim{options()};
  lose_and_take_up<consult>(sim);
  CHECK(seen.first == 1);
}

TEST_CASE("a run is begun again also where its actor could not start at first") {
  using namespace starting;
  cairn::testing::simulation<actors> sim{options()};
  counted = false;
  lose_and_take_up<compute>(sim);
  CHECK(seen.second == 7);
}

TEST_CASE("a sibling that could not start opens its resources before its handler goes on") {
  using namespace starting;
  cairn::testing::simulation<actors> sim{options()};
  sim.start([](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("office", {.strategy = cairn::one_for_all});
    auto one = top.spawn<clerk>("clerk");
    auto other = top.spawn<clerk>("other");
    auto asked = one.ask<nap>();
    co_await root.sleep(1s);
    throws_left = 100;
    other.tell<fail>();
    co_await root.sleep(1s);
    CHECK(one.where().where->suspended);
    CHECK(one.where().where->busy());
    throws_left = opened = 0;
    root.resume(one);
    const int answer = co_await std::move(asked);
    CHECK(answer == 1);
    co_return 0;
  });
  CHECK(sim.run() == 0);
}

TEST_CASE("who asked an actor that stops before its handler was run again is told") {
  using namespace starting;
  cairn::testing::simulation<actors> sim{options()};
  sim.start([](cairn::root& root) -> cairn::task<int> {
    auto one = root.supervise("office").spawn<clerk>("clerk");
    auto two = root.supervise("street").spawn<client>("client", one);
    two.tell<nap>();
    while (!one.where().where->busy()) co_await root.sleep(1us);
    co_await root.checkpoint();
    co_return 0;
  });
  REQUIRE(sim.run() == 0);
  sim.crash();
  throws_left = 100;
  cairn::errc code{};
  sim.start([&code](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("office");
    auto one = top.spawn<clerk>("clerk");
    auto two = root.supervise("street").spawn<client>("client");
    co_await root.sleep(1s);
    CHECK(one.where().where->suspended);
    root.stop_path("office/clerk");
    code = co_await two.ask<look>().within(5h);
    co_return 0;
  });
  CHECK(sim.run() == 0);
  CHECK(code == cairn::errc::stopped);
}
