// Slices of a stage and turns take a worker in turns.
#include <cairn/detail/slice_share.hpp>

#include "../catch.hpp"

namespace shared_slices {

using namespace std::chrono_literals;

/// Time that passes when a test says so, and how often it was looked at.
struct watch final : cairn::clock {
  [[nodiscard]] std::chrono::nanoseconds steady() const override {
    ++looks;
    return now;
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override { return {}; }
  std::chrono::nanoseconds now{1s};
  mutable int looks = 0;
};

TEST_CASE("turns have three times as much time as a slice") {
  watch time;
  cairn::detail::slice_share share;
  const bool done = share.take(time, [&] {
    time.now += 60us;
    return true;
  });
  CHECK(done);
  int turns = 0;
  do {
    time.now += 8us;
    ++turns;
  } while (!share.is_over(time));
  CHECK(turns == 23);  // 184 us

  CHECK_FALSE(share.take(time, [] { return false; }));  // one that took no time
  CHECK_FALSE(share.is_over(time));
  time.now += 8us;
  for (turns = 0; turns < 7; ++turns) CHECK_FALSE(share.is_over(time));
  CHECK(share.is_over(time));
}

TEST_CASE("a stage that has lasted for a second has half of its worker") {
  watch time;
  cairn::detail::slice_share share;
  const auto turns_behind_a_slice = [&] {
    CHECK_FALSE(share.take(time, [&] { return time.now += 60us, false; }));
    int turns = 0;
    do {
      time.now += 8us;
      ++turns;
    } while (!share.is_over(time));
    return turns;
  };
  CHECK(turns_behind_a_slice() == 23);
  time.now += 1s;
  CHECK(turns_behind_a_slice() == 8);
  share.end();
  CHECK(turns_behind_a_slice() == 23);
}

TEST_CASE("after short turns there is one look at several, after a long one at each") {
  watch time;
  cairn::detail::slice_share share;
  CHECK_FALSE(share.take(time, [&] { return time.now += 20us, false; }));
  time.looks = 0;
  for (int turns = 0; turns < 17; ++turns) {
    time.now += 100ns;
    CHECK_FALSE(share.is_over(time));
  }
  CHECK(time.looks == 3);
  time.now += 1ms;
  for (int turns = 0; turns < 7; ++turns) CHECK_FALSE(share.is_over(time));
  CHECK(share.is_over(time));
  CHECK(share.is_over(time));  // it is looked at each
}

TEST_CASE("what comes after the stage is seen behind the next turn") {
  watch time;
  cairn::detail::slice_share share;
  CHECK(share.take(time, [&] { return time.now += 20us, true; }));
  time.now += 100ns;
  CHECK_FALSE(share.is_over(time));
  share.end();
  CHECK(share.is_over(time));
}

}  // namespace shared_slices
