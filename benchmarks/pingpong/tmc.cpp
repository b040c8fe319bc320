// Two coroutines send one message back and forth. ns per message; across two threads per round
// trip.
#include "../with/tmc.hpp"

namespace bench {

tmc::task<void> player(inbox<std::uint64_t>& mine, inbox<std::uint64_t>& other, tally& hits) {
  for (;;) {
    auto ball = co_await mine.pull();
    if (!ball) co_return;
    ++hits.count;
    if (*ball > 1) {
      other.post(*ball - 1);
    } else {
      timing.stop();
    }
  }
}

double play(const settings& how, tmc::ex_cpu_st& first, tmc::ex_cpu_st& second) {
  inbox<std::uint64_t> queues[2];
  tally hits[2];
  actors all;
  all.push_back(tmc::post_waitable(first, player(queues[0], queues[1], hits[0])));
  all.push_back(tmc::post_waitable(second, player(queues[1], queues[0], hits[1])));
  std::uint64_t sent = 0;
  const double each = play_games(how, 2, [&](std::uint64_t rounds) {
    sent += rounds;
    queues[0].post(rounds);
  });
  for (auto& one : queues) one.close();
  join(all);
  require(hits[0].count + hits[1].count == sent, "not every ball was hit once");
  return each;
}

double pingpong(const settings& how) {
  one_thread worker;
  return play(how, *worker, *worker);
}

double across(const settings& how) {
  one_thread first, second;
  return 2 * play(how, *first, *second);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(
      count, words, "tmc",
      {{"pingpong", "ns", when::always, &pingpong}, {"pingpong-2", "ns", when::always, &across}});
}
