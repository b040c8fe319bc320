// 200 actors; each pings another one at random, waits for its reply, and goes on. ns per message.
#include "../with/caf.hpp"

namespace bench {

class referee : public caf::event_based_actor {
 public:
  using caf::event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {
        [this](std::uint64_t actors) { left_ = actors; },
        [this](bool) {
          if (--left_ == 0) timing.stop();
        },
    };
  }

 private:
  std::uint64_t left_ = 0;
};

class pinger : public caf::event_based_actor {
 public:
  pinger(caf::actor_config& config, std::uint32_t number, caf::actor judge, tally& handled,
         const std::vector<caf::actor>& all)
      : caf::event_based_actor{config},
        number_{number},
        judge_{std::move(judge)},
        handled_{handled},
        all_{all},
        chance_{number + 1} {}

  caf::behavior make_behavior() override {
    return {
        [this](std::uint64_t pings) {
          left_ = pings;
          send_ping();
        },
        [this](std::uint32_t from) {  // a ping
          ++handled_.count;
          tell(*this, all_[from], true);
        },
        [this](bool) {  // its reply
          ++handled_.count;
          if (--left_ == 0) {
            tell(*this, judge_, true);
          } else {
            send_ping();
          }
        },
    };
  }

 private:
  void send_ping() {
    const std::uint64_t other = chance_.next() % (big_actors - 1);
    tell(*this, all_[other < number_ ? other : other + 1], number_);
  }

  std::uint32_t number_;
  caf::actor judge_;
  tally& handled_;
  const std::vector<caf::actor>& all_;
  xorshift chance_;
  std::uint64_t left_ = 0;
};

double big(const settings& how) {
  caf_system all{1};
  auto judge = all->spawn<referee>();
  std::vector<tally> handled(big_actors);
  std::vector<caf::actor> actors;
  for (std::uint32_t at = 0; at < big_actors; ++at) {
    actors.push_back(all->spawn<pinger>(at, judge, std::ref(handled[at]), std::cref(actors)));
  }
  std::uint64_t sent = 0;
  const double each = play_games(how, std::uint64_t{2} * big_actors, [&](std::uint64_t rounds) {
    sent += rounds;
    begin(judge, std::uint64_t{big_actors});
    for (const auto& one : actors) begin(one, rounds / 2 / big_actors);
  });
  std::uint64_t sum = 0;
  for (const tally& one : handled) sum += one.count;
  require(sum == sent, "not every ping had one reply");
  for (const auto& one : actors) end(one);
  end(judge);
  return each;
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "caf", {{"big", "ns", bench::when::always, &bench::big}});
}
