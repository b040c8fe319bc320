// What would go on for ever: tries without end, and reminders of who does not look at them.
#include <cairn/reminder.hpp>
#include <cairn/supervisor.hpp>

#include <limits>

#include "fixture.hpp"

namespace rows {

using namespace std::chrono_literals;
using fixture::bench;

struct work {};
struct tick {};
struct begin {
  cairn::overdue missed = cairn::overdue::once;
  void serialize(auto& archive) { archive(missed); }
};
struct look {};
struct spoil {};

std::uint32_t tries = 0;
std::uint32_t enough = 0;
bool spoilt = false;

/// Its work is done at the last of many tries.
struct stubborn {
  using protocol = cairn::protocol<work, look>;
  std::string name{};
  int done = 0;
  void serialize(auto& archive) { archive(name, done); }
  void on(work) {
    if (++tries < enough) throw std::runtime_error{"as planned"};
    ++done;
  }
  int on(look) const { return done; }
};

struct clocked {
  using protocol = cairn::protocol<begin, tick, work, look, spoil>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 150};
  int ticks = 0;
  int worked = 0;
  void serialize(auto& archive) { archive(ticks, worked); }
  void on(begin how, cairn::context<clocked>& self) {
    self.send_every<tick>({.period = 1s, .missed = how.missed});
  }
  void on(tick) { ++ticks; }
  void on(work) { ++worked; }
  std::pair<int, int> on(look) const { return {ticks, worked}; }
  void on(spoil) {  // until it is resumed
    if (std::exchange(spoilt, false)) throw std::runtime_error{"as planned"};
  }
};
using all = cairn::actors<stubborn, clocked>;

TEST_CASE("tries without end need no more room than one, and others have their turns between") {
  bench on;
  tries = 0;
  enough = 100'000;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.intensity = {.restarts = 1'000'000},
                                      .attempts = std::numeric_limits<std::uint32_t>::max()});
    auto one = top.spawn<stubborn>("one");
    auto two = top.spawn<stubborn>("two");
    one.tell<work>();
    const auto other = co_await two.ask<look>();
    CHECK(other == 0);
    CHECK(tries < enough);
    const auto done = co_await one.ask<look>();
    CHECK(done == 1);
    CHECK(tries == enough);
    co_return 0;
  });
}

cairn::task<int> sleep_through(cairn::root& root, cairn::overdue missed, bench* with) {
  auto top = root.supervise(
      "top", cairn::supervisor_options{.attempts = 0}.on<std::runtime_error>(cairn::suspend));
  auto one = top.spawn<clocked>("one");
  one.tell<begin>(missed);
  (void)co_await one.ask<look>();
  spoilt = true;
  one.tell<spoil>();
  auto asked = one.ask<look>();
  const auto suspended = co_await std::move(asked).as_result();
  CHECK(!suspended);
  for (int at = 0; at < 100; ++at) {
    with->clock.advance(1s);
    co_await root.sleep(0s);
  }
  one.tell<work>();
  co_await root.checkpoint();
  root.resume(one);
  co_await root.sleep(0s);  // what is due, fires
  const auto [ticks, worked] = co_await one.ask<look>();
  CHECK(worked == 1);
  CHECK(ticks == (missed == cairn::overdue::all ? 100 : 1));
  co_return 0;
}

TEST_CASE("reminders of a suspended actor wait for it as times, and fill no mailbox") {
  const auto missed = GENERATE(cairn::overdue::once, cairn::overdue::skip, cairn::overdue::all);
  bench on;
  fixture::crash<all>(on, [&](cairn::root& root) { return sleep_through(root, missed, &on); });
  CHECK(on.told.count(cairn::event_kind::dead_letter) == 0);
}

}  // namespace rows
