// 200 coroutines; each pings another one at random, waits for its reply, and goes on. ns per
// message.
#include "../with/tmc.hpp"

namespace bench {

struct letter {
  enum kind : std::uint32_t { begin, ping, pong };
  kind what = begin;
  std::uint32_t from = 0;
  std::uint64_t pings = 0;  ///< of a begin
};
using letters = inbox<letter>;

struct game {
  std::vector<letters> boxes = std::vector<letters>(big_actors);
  std::vector<tally> handled = std::vector<tally>(big_actors);
  std::uint64_t playing = 0;  ///< one thread
};

tmc::task<void> pinger(game& of, std::uint32_t number) {
  xorshift chance{number + 1};
  std::uint64_t left = 0;
  const auto send_ping = [&] {
    const std::uint64_t other = chance.next() % (big_actors - 1);
    of.boxes[other < number ? other : other + 1].post(letter{letter::ping, number});
  };
  for (;;) {
    auto got = co_await of.boxes[number].pull();
    if (!got) co_return;
    if (got->what != letter::begin) ++of.handled[number].count;
    switch (got->what) {
      case letter::begin:
        left = got->pings;
        send_ping();
        break;
      case letter::ping:
        of.boxes[got->from].post(letter{letter::pong, number});
        break;
      case letter::pong:
        if (--left > 0) {
          send_ping();
        } else if (--of.playing == 0) {
          timing.stop();
        }
        break;
    }
  }
}

double big(const settings& how) {
  one_thread worker;
  game of;
  actors all;
  for (std::uint32_t at = 0; at < big_actors; ++at) {
    all.push_back(tmc::post_waitable(*worker, pinger(of, at)));
  }
  std::uint64_t sent = 0;
  const double each = play_games(how, std::uint64_t{2} * big_actors, [&](std::uint64_t rounds) {
    sent += rounds;
    of.playing = big_actors;
    for (auto& one : of.boxes) one.post(letter{letter::begin, 0, rounds / 2 / big_actors});
  });
  for (auto& one : of.boxes) one.close();
  join(all);
  std::uint64_t sum = 0;
  for (const tally& one : of.handled) sum += one.count;
  require(sum == sent, "not every ping had one reply");
  return each;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "tmc", {{"big", "ns", when::always, &big}});
}
