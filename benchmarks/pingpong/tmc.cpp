// Two coroutines send one message back and forth. ns per message; across two threads per round
// trip.
#include "../with/tmc.hpp"

namespace bench {

template <class Load>
struct ball {
  std::uint64_t left = 0;
  [[no_unique_address]] Load load{};
};

template <class Load>
tmc::task<void> player(inbox<ball<Load>>& mine, inbox<ball<Load>>& other, tally& hits) {
  for (;;) {
    auto b = co_await mine.pull();
    if (!b) co_return;
    ++hits.count;
    if (b->left > 1) {
      other.post(b->left - 1, std::move(b->load));
    } else {
      timing.stop();
    }
  }
}

template <class Load>
double play(const settings& how, tmc::ex_cpu_st& first, tmc::ex_cpu_st& second) {
  inbox<ball<Load>> queues[2];
  tally hits[2];
  actors all;
  all.push_back(tmc::post_waitable(first, player<Load>(queues[0], queues[1], hits[0])));
  all.push_back(tmc::post_waitable(second, player<Load>(queues[1], queues[0], hits[1])));
  std::uint64_t sent = 0;
  const double each = play_games(how, 2, [&](std::uint64_t rounds) {
    sent += rounds;
    queues[0].post(rounds, make_load<Load>());
  });
  for (auto& one : queues) one.close();
  join(all);
  require(hits[0].count + hits[1].count == sent, "not every ball was hit once");
  return each;
}

template <class Load>
double pingpong(const settings& how) {
  one_thread worker;
  return play<Load>(how, *worker, *worker);
}

double across(const settings& how) {
  one_thread first, second;
  return 2 * play<nothing>(how, *first, *second);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "tmc",
                 {{"pingpong", "ns", when::always, &pingpong<nothing>},
                  {"pingpong-64B", "ns", when::full, &pingpong<bytes<56>>},
                  {"pingpong-1024B", "ns", when::full, &pingpong<bytes<1016>>},
                  {"pingpong-string", "ns", when::full, &pingpong<std::string>},
                  {"pingpong-vector", "ns", when::full, &pingpong<numbers>},
                  {"pingpong-2", "ns", when::always, &across}});
}
