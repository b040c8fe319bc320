// `run_committed`: what a handler does outside begins when no crash can take its cause back.
#include <atomic>
#include <string>

#include "fixture.hpp"

namespace committing {

using cairn::errc;
using fixture::bench;
using namespace std::chrono_literals;

struct pay {};
struct look {};

std::atomic<int> runs{0};

int transfer(std::uint64_t key) {
  runs.fetch_add(1, std::memory_order_relaxed);  // a count, read at rest
  return key != 0 ? 7 : 0;
}

struct clerk {
  using protocol = cairn::protocol<pay, look>;
  int paid = 0;
  void serialize(auto& ar) { ar(paid); }
  cairn::task<int> on(pay, cairn::context<clerk>& self) {
    const auto key = self.random();
    const int value = co_await self.run_committed("transfer", &transfer, key);
    paid += value;
    co_return paid;
  }
  int on(look) const { return paid; }
};

using all = cairn::actors<clerk>;

/// As many steps of the only worker as any run that had begun would need to be seen.
cairn::task<void> steps(cairn::root& root) {
  for (int at = 0; at < 200; ++at) co_await root.sleep(0ns);
}

cairn::task<int> want_it(cairn::root& root, bool commits) {
  auto it = root.supervise("top").spawn<clerk>("it");
  co_await root.checkpoint();
  auto paying = it.ask<pay>();
  co_await steps(root);
  CHECK(runs.load(std::memory_order_relaxed) == 0);
  if (!commits) co_return 0;
  co_await root.checkpoint();
  const int paid = co_await std::move(paying);
  CHECK(paid == 7);
  co_return 0;
}

cairn::task<int> take_it_up(cairn::root& root, int expected) {
  auto it = root.supervise("top").spawn<clerk>("it");
  const int paid = co_await it.ask<look>();
  CHECK(paid == expected);
  co_return 0;
}

TEST_CASE("a run that waits for its commit begins after it, and again where its end was lost") {
  bench on;
  runs = 0;
  SECTION("its cause is lost: it never begins") {
    fixture::crash<all>(on, [](cairn::root& root) { return want_it(root, false); });
    fixture::crash<all>(on, [](cairn::root& root) { return take_it_up(root, 0); });
    CHECK(runs == 0);
  }
  SECTION("its cause is kept: it runs once, and again in the next process") {
    fixture::crash<all>(on, [](cairn::root& root) { return want_it(root, true); });
    CHECK(runs == 1);
    fixture::crash<all>(on, [](cairn::root& root) { return take_it_up(root, 7); });
    CHECK(runs == 2);
  }
}

}  // namespace committing
