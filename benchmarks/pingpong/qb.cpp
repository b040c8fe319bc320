// Two actors send one event back and forth. ns per message; across two cores per round trip.
#include "../with/qb.hpp"

namespace bench {

template <class Load>
struct ball : qb::Event {
  ball(std::uint64_t rounds, carried<Load> with) : left{rounds}, load{std::move(with)} {}
  std::uint64_t left;
  [[no_unique_address]] carried<Load> load;
};

template <class Load>
class player final : public qb::Actor {
 public:
  player(games& all, tally& hits, qb::ActorId other) : all_{all}, hits_{hits}, other_{other} {}

  started onInit() final {
    registerEvent<ball<Load>>(*this);
    if (other_.is_valid()) push<ball<Load>>(other_, all_.begin(), make_carried<Load>());
    co_return true;
  }
  void on(ball<Load>& b) {
    ++hits_.count;
    if (--b.left > 0) {
      reply(b);
    } else if (all_.ended()) {
      b.left = all_.begin();
      reply(b);
    } else {
      push<qb::KillEvent>(b.getSource());
      kill();
    }
  }

 private:
  games& all_;
  tally& hits_;
  qb::ActorId other_;
};

template <class Load, unsigned Cores>
double pingpong(const settings& how) {
  games all{how, 2};  // an even number: the same player sees every end
  tally hits[2];
  qb::Main engine;
  const auto one =
      engine.addActor<player<Load>>(0, std::ref(all), std::ref(hits[0]), qb::ActorId::NotFound);
  engine.addActor<player<Load>>(Cores - 1, std::ref(all), std::ref(hits[1]), one);
  run(engine);
  require(hits[0].count + hits[1].count == all.played(), "not every ball was hit once");
  return all.per_round();
}

double across(const settings& how) { return 2 * pingpong<nothing, 2>(how); }

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "qb",
                 {{"pingpong", "ns", when::always, &pingpong<nothing, 1>},
                  {"pingpong-64B", "ns", when::full, &pingpong<bytes<56>, 1>},
                  {"pingpong-1024B", "ns", when::full, &pingpong<bytes<1016>, 1>},
                  {"pingpong-string", "ns", when::full, &pingpong<std::string, 1>},
                  {"pingpong-vector", "ns", when::full, &pingpong<numbers, 1>},
                  {"pingpong-2", "ns", when::always, &across}});
}
