// One message goes round a ring of coroutines. ns per hop.
#include "../with/tmc.hpp"

namespace bench {

using link = inbox<std::uint64_t, 2>;

tmc::task<void> pass_on(link& mine, link& next, tally& hops) {
  for (;;) {
    auto token = co_await mine.pull();
    if (!token) co_return;
    ++hops.count;
    if (*token > 1) {
      next.post(*token - 1);
    } else {
      timing.stop();
    }
  }
}

template <std::size_t Actors>
double ring(const settings& how) {
  one_thread worker;
  std::vector<link> queues(Actors);
  std::vector<tally> hops(Actors);
  actors all;
  for (std::size_t at = 0; at < Actors; ++at) {
    all.push_back(
        tmc::post_waitable(*worker, pass_on(queues[at], queues[(at + 1) % Actors], hops[at])));
  }
  std::uint64_t sent = 0;
  const double each = play_games(how, Actors, [&](std::uint64_t rounds) {
    sent += rounds;
    queues[0].post(rounds);
  });
  for (auto& one : queues) one.close();
  join(all);
  for (const tally& one : hops) require(one.count == sent / Actors, "an actor was passed by");
  return each;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "tmc",
                 {{"ring-100", "ns", when::always, &ring<100>},
                  {"ring-10000", "ns", when::always, &ring<10'000>}});
}
