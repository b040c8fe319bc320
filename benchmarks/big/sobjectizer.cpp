// 200 agents; each pings another one at random, waits for its reply, and goes on. ns per message.
#include "../with/sobjectizer.hpp"

namespace bench {

struct begin {
  std::uint64_t pings;
};
struct ping {
  std::uint32_t from;
};
struct pong final : so_5::signal_t {};

struct game {
  std::vector<so_5::mbox_t> all;
  std::vector<tally> handled = std::vector<tally>(big_actors);
  std::uint64_t playing = 0;  ///< one thread
};

class pinger final : public so_5::agent_t {
 public:
  pinger(context_t context, game& of, std::uint32_t number)
      : so_5::agent_t{std::move(context)}, of_{of}, number_{number}, chance_{number + 1} {}

  void so_define_agent() override {
    so_subscribe_self().event(&pinger::on_begin).event(&pinger::on_ping).event(&pinger::on_pong);
  }

 private:
  void on_begin(mhood_t<begin> b) {
    left_ = b->pings;
    send_ping();
  }
  void on_ping(mhood_t<ping> p) {
    ++of_.handled[number_].count;
    so_5::send<pong>(of_.all[p->from]);
  }
  void on_pong(mhood_t<pong>) {
    ++of_.handled[number_].count;
    if (--left_ > 0) {
      send_ping();
    } else if (--of_.playing == 0) {
      timing.stop();
    }
  }
  void send_ping() {
    const std::uint64_t other = chance_.next() % (big_actors - 1);
    so_5::send<ping>(of_.all[other < number_ ? other : other + 1], number_);
  }

  game& of_;
  std::uint32_t number_;
  xorshift chance_;
  std::uint64_t left_ = 0;
};

double big(const settings& how) {
  game of;
  so_system all{1};
  for (std::uint32_t at = 0; at < big_actors; ++at) {
    of.all.push_back(all.make<pinger>(0, std::ref(of), at)->so_direct_mbox());
  }
  std::uint64_t sent = 0;
  const double each = play_games(how, std::uint64_t{2} * big_actors, [&](std::uint64_t rounds) {
    sent += rounds;
    of.playing = big_actors;
    for (const auto& one : of.all) so_5::send<begin>(one, rounds / 2 / big_actors);
  });
  std::uint64_t sum = 0;
  for (const tally& one : of.handled) sum += one.count;
  require(sum == sent, "not every ping had one reply");
  return each;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sobjectizer", {{"big", "ns", when::always, &big}});
}
