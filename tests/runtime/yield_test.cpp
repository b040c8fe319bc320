// A handler that lets the others go on in between: in turns, once each, over failures and crashes.
#include "fixture.hpp"

namespace yielding {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

std::vector<std::string> seen;
int dug = 0;
fixture::faults planned;

struct dig {
  int times = 0;
  void serialize(auto& ar) { ar(times); }
};
struct dig_on {};
struct show {};

struct digger {
  using protocol = cairn::protocol<dig, dig_on, show>;
  int done = 0;
  void serialize(auto& ar) { ar(done); }

  cairn::task<void> on(dig what, cairn::context<digger>& self) {
    for (int left = what.times; left > 0; --left) {
      co_await self.yield();
      planned.check(++done);
      if (!self.replaying()) seen.push_back(std::string{self.name()} + std::to_string(done));
    }
  }
  /// Until an hour is over.
  cairn::task<void> on(dig_on, cairn::context<digger>& self) {
    const auto began = self.now();
    while (self.now() < began + 1h) co_await self.yield();
    done = -1;
  }
  int on(show) const { return done; }
};

using all = cairn::actors<digger>;

cairn::task<int> dig_side_by_side(cairn::root& root) {
  auto top = root.supervise("top");
  auto one = top.spawn<digger>("a");
  auto other = top.spawn<digger>("b");
  one.tell<dig>(3);
  other.tell<dig>(3);
  const int first = co_await one.ask<show>();
  const int second = co_await other.ask<show>();
  dug = first + second;
  co_return 0;
}

TEST_CASE("who yields goes on when the others have had their turns") {
  bench on;
  seen.clear();
  (void)fixture::finish<all>(on, dig_side_by_side);
  CHECK(dug == 6);
  INFO(on.told.text());
  CHECK(seen == std::vector<std::string>{"a1", "b1", "a2", "b2", "a3", "b3"});
}

TEST_CASE("a turn that fails after a yield is tried again, and those before it stand") {
  bench on;
  seen.clear();
  planned.plan(2, 1);
  (void)fixture::finish<all>(on, dig_side_by_side);
  CHECK(dug == 6);
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::failed) == 1);
  CHECK(seen.size() == 6);
}

TEST_CASE("a handler that yields goes on over a crash") {
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) {
    return [](cairn::root& here) -> cairn::task<int> {
      here.supervise("top").spawn<digger>("a").tell<dig_on>();
      co_await here.checkpoint();
      co_return 0;
    }(root);
  });
  on.clock.advance(2h);
  dug = 0;
  const auto again = fixture::crash<all>(on, [](cairn::root& root) {
    return [](cairn::root& here) -> cairn::task<int> {
      auto it = here.supervise("top").spawn<digger>("a");
      dug = co_await it.ask<show>();
      co_return 0;
    }(root);
  });
  INFO(on.told.text());
  CHECK(again.restored.suspended_handlers == 1);
  CHECK(dug == -1);
}

}  // namespace yielding
