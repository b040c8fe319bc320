// Two agents send one message back and forth. ns per message; across two threads per round trip.
#include "../with/sobjectizer.hpp"

namespace bench {

template <class Load>
struct ball {
  std::uint64_t left;
  [[no_unique_address]] Load load;
};

template <class Load>
class player final : public so_5::agent_t {
 public:
  player(context_t context, tally& hits) : so_5::agent_t{std::move(context)}, hits_{hits} {}

  void so_define_agent() override {
    so_subscribe_self().event(&player::on_meet).event(&player::on_ball);
  }

 private:
  void on_meet(mhood_t<so_5::mbox_t> other) { other_ = *other; }
  void on_ball(mutable_mhood_t<ball<Load>> b) {
    ++hits_.count;
    if (b->left > 1) {
      --b->left;
      so_5::send(other_, std::move(b));
    } else {
      timing.stop();
    }
  }

  tally& hits_;
  so_5::mbox_t other_;
};

template <class Load, unsigned Threads>
double pingpong(const settings& how) {
  tally hits[2];
  so_system all{Threads};
  const auto one = all.make<player<Load>>(0, std::ref(hits[0]))->so_direct_mbox();
  const auto two = all.make<player<Load>>(Threads - 1, std::ref(hits[1]))->so_direct_mbox();
  so_5::send<so_5::mbox_t>(one, two);
  so_5::send<so_5::mbox_t>(two, one);
  std::uint64_t sent = 0;
  const double each = play_games(how, 2, [&](std::uint64_t rounds) {
    sent += rounds;
    so_5::send<so_5::mutable_msg<ball<Load>>>(one, rounds, make_load<Load>());
  });
  require(hits[0].count + hits[1].count == sent, "not every ball was hit once");
  return each;
}

double across(const settings& how) { return 2 * pingpong<nothing, 2>(how); }

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sobjectizer",
                 {{"pingpong", "ns", when::always, &pingpong<nothing, 1>},
                  {"pingpong-64B", "ns", when::full, &pingpong<bytes<56>, 1>},
                  {"pingpong-1024B", "ns", when::full, &pingpong<bytes<1016>, 1>},
                  {"pingpong-string", "ns", when::full, &pingpong<std::string, 1>},
                  {"pingpong-vector", "ns", when::full, &pingpong<numbers, 1>},
                  {"pingpong-2", "ns", when::always, &across}});
}
