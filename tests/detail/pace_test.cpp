#include <cairn/detail/pace.hpp>

#include "../catch.hpp"

namespace pace_seen {

using namespace std::chrono_literals;

/// Steps of 100 us of work, and what happens in each.
struct steps {
  std::uint64_t turns = 0;
  std::uint64_t sent_away = 0;
  std::chrono::nanoseconds idle{};
  std::uint64_t lingered = 0;
};

cairn::detail::pace after(int count, steps each) {
  cairn::detail::pace seen;
  std::chrono::nanoseconds now = 1h;
  cairn::detail::pace::figures all;
  seen.look(now, false, 0, all);
  for (int at = 0; at < count; ++at) {
    now += 100us;
    all.turns += each.turns;
    all.sent_away += each.sent_away;
    seen.look(now, true, each.lingered, all);
    now += each.idle;
    if (each.idle.count() > 0) seen.look(now, false, 0, all);
  }
  return seen;
}

TEST_CASE("short turns are not shared, and scatter where they leave the worker") {
  const auto alone = after(20, {.turns = 1000});
  CHECK_FALSE(alone.shares());
  CHECK_FALSE(alone.scatters());
  const auto away = after(20, {.turns = 1000, .sent_away = 500});
  CHECK_FALSE(away.shares());
  CHECK(away.scatters());
  CHECK_FALSE(after(20, {.turns = 1000, .sent_away = 100}).scatters());
}

TEST_CASE("long turns are shared, and do not scatter") {
  const auto seen = after(20, {.turns = 50, .sent_away = 50});
  CHECK(seen.shares());
  CHECK_FALSE(seen.scatters());
}

TEST_CASE("turns that mostly wait for another worker scatter, as long as they may look") {
  CHECK(after(20, {.turns = 50, .sent_away = 50, .idle = 100us}).scatters());
}

TEST_CASE("what a worker lingers for is no work, so turns in between are not long") {
  const auto seen = after(40, {.turns = 50, .sent_away = 50, .lingered = 3'000});
  CHECK_FALSE(seen.shares());
  CHECK(seen.scatters());
}

TEST_CASE("long turns are shared, though their worker lingers now and then") {
  const auto seen = after(40, {.turns = 5, .sent_away = 5, .lingered = 100});
  CHECK(seen.shares());
  CHECK_FALSE(seen.scatters());
}

TEST_CASE("one interruption does not make turns long") {
  CHECK_FALSE(after(4, {.turns = 1}).shares());
  CHECK(after(6, {.turns = 1}).shares());
}

}  // namespace pace_seen
