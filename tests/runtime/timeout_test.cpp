// An ask that times out says who waited for whom.
#include <atomic>

#include "fixture.hpp"

namespace waiting {

using namespace std::chrono_literals;
using cairn::event_kind;
using fixture::bench;

std::atomic<int> asked{0};

struct member;
struct join {
  cairn::ref<member> next{};
  void serialize(auto& ar) { ar(next); }
};
struct pass {};
struct nothing {};

/// Hands everything to the next, and waits for its answer.
struct member {
  using protocol = cairn::protocol<join, pass>;
  cairn::ref<member> next{};
  bool late = false;
  void serialize(auto& ar) { ar(next, late); }
  void on(join what) { next = what.next; }
  cairn::task<int> on(pass) {
    if (!next) co_return 0;
    ++asked;
    const auto answer = co_await next.ask<pass>().within(1h).as_result();
    if (!answer && answer.code() == cairn::errc::timeout) late = true;
    co_return 1;
  }
};

struct sleeper {
  using protocol = cairn::protocol<nothing>;
  using persistence = cairn::ephemeral;
  int turns = 0;
  cairn::task<int> on(nothing, cairn::context<sleeper>& self) {
    if (++turns == 1) co_await self.sleep(100h);
    co_return turns;
  }
};

/// Each ask of an idle actor lets the others have their turns.
cairn::task<> let_others_run(cairn::ref<member> idle) {
  for (int at = 0; at < 50; ++at) (void)co_await idle.ask<pass>();
}

bench* here = nullptr;

cairn::task<int> in_a_ring(cairn::root& top) {
  auto club = top.supervise("club");
  auto idle = club.spawn<member>("idle");
  auto a = club.spawn<member>("a");
  auto b = club.spawn<member>("b");
  auto c = club.spawn<member>("c");
  a.tell<join>(b);
  b.tell<join>(c);
  c.tell<join>(a);
  a.tell<pass>();
  while (asked < 3) co_await let_others_run(idle);
  here->clock.advance(2h);
  while (here->told.count(event_kind::timed_out) < 3) co_await let_others_run(idle);
  co_return 0;
}

cairn::task<int> in_a_line(cairn::root& top) {
  auto club = top.supervise("club");
  auto idle = club.spawn<member>("idle");
  auto slow = club.spawn<sleeper>("slow");
  slow.tell<nothing>();
  auto late = slow.ask<nothing>().within(1h);
  co_await let_others_run(idle);
  here->clock.advance(2h);
  const auto answer = co_await std::move(late).as_result();
  CHECK(answer.code() == cairn::errc::timeout);
  while (here->told.count(event_kind::timed_out) == 0) co_await let_others_run(idle);
  co_return 0;
}

}  // namespace waiting

TEST_CASE("actors that await each other are named when the first of them times out") {
  using namespace waiting;
  asked = 0;
  bench on;
  on.workers = GENERATE(1U, 2U);
  here = &on;
  fixture::crash<cairn::actors<member, sleeper>>(on, in_a_ring);
  const auto found = on.told.of(event_kind::timed_out);
  REQUIRE(found.size() == 3);
  std::size_t rings = 0;
  for (const auto& each : found) {
    INFO(each.what.text);
    CHECK(each.what.code == cairn::errc::timeout);
    CHECK(each.what.text.find("ask of waiting::pass: ") == 0);
    for (const auto* ring : {"a awaits b awaits c awaits a", "b awaits c awaits a awaits b",
                             "c awaits a awaits b awaits c"}) {
      const std::string text = std::string{"actors await each other: "} + ring;
      if (each.what.text.find(text) != std::string::npos) ++rings;
    }
  }
  CHECK(rings >= 1);  // with several workers one may time out before another has looked
}

TEST_CASE("a timeout without a cycle names the actor that did not answer") {
  using namespace waiting;
  bench on;
  here = &on;
  fixture::crash<cairn::actors<member, sleeper>>(on, in_a_line);
  const auto found = on.told.of(event_kind::timed_out);
  REQUIRE(found.size() == 1);
  CHECK(found[0].what.name == "root");
  CHECK(found[0].what.text == "ask of waiting::nothing: no answer in time: root awaits slow");
}
