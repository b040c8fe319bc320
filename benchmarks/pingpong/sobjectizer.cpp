// Two agents send one message back and forth. ns per message; across two threads per round trip.
#include "../with/sobjectizer.hpp"

namespace bench {

struct ball {
  std::uint64_t left;
};

class player final : public so_5::agent_t {
 public:
  player(context_t context, tally& hits) : so_5::agent_t{std::move(context)}, hits_{hits} {}

  void so_define_agent() override {
    so_subscribe_self().event(&player::on_meet).event(&player::on_ball);
  }

 private:
  void on_meet(mhood_t<so_5::mbox_t> other) { other_ = *other; }
  void on_ball(mhood_t<ball> b) {
    ++hits_.count;
    if (b->left > 1) {
      so_5::send<ball>(other_, b->left - 1);
    } else {
      timing.stop();
    }
  }

  tally& hits_;
  so_5::mbox_t other_;
};

template <unsigned Threads>
double pingpong(const settings& how) {
  tally hits[2];
  so_system all{Threads};
  const auto one = all.make<player>(0, std::ref(hits[0]))->so_direct_mbox();
  const auto two = all.make<player>(Threads - 1, std::ref(hits[1]))->so_direct_mbox();
  so_5::send<so_5::mbox_t>(one, two);
  so_5::send<so_5::mbox_t>(two, one);
  std::uint64_t sent = 0;
  const double each = play_games(how, 2, [&](std::uint64_t rounds) {
    sent += rounds;
    so_5::send<ball>(one, rounds);
  });
  require(hits[0].count + hits[1].count == sent, "not every ball was hit once");
  return each;
}

double across(const settings& how) { return 2 * pingpong<2>(how); }

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sobjectizer",
                 {{"pingpong", "ns", when::always, &pingpong<1>},
                  {"pingpong-2", "ns", when::always, &across}});
}
