// One event goes round a ring of actors. ns per hop.
#include "../with/qb.hpp"

namespace bench {

struct token : qb::Event {
  explicit token(std::uint64_t rounds) : left{rounds} {}
  std::uint64_t left;
};

struct game {
  games all;
  std::vector<qb::ActorId> ring{};
  std::vector<tally> hops{};
};

class link final : public qb::Actor {
 public:
  link(game& of, std::size_t number) : of_{of}, number_{number} {}

  started onInit() final {
    registerEvent<token>(*this);
    if (number_ + 1 == of_.hops.size()) push<token>(of_.ring[0], of_.all.begin());
    co_return true;
  }
  void on(token& t) {
    ++of_.hops[number_].count;
    if (--t.left == 0) {
      if (!of_.all.ended()) {
        for (const auto& each : of_.ring) push<qb::KillEvent>(each);
        return;
      }
      t.left = of_.all.begin();
    }
    forward(of_.ring[number_ + 1 == of_.ring.size() ? 0 : number_ + 1], t);
  }

 private:
  game& of_;
  std::size_t number_;
};

template <std::size_t Actors>
double ring(const settings& how) {
  game of{{how, Actors}};
  of.hops.resize(Actors);
  qb::Main engine;
  for (std::size_t at = 0; at < Actors; ++at) {
    of.ring.push_back(engine.addActor<link>(0, std::ref(of), at));
  }
  run(engine);
  for (const tally& one : of.hops) {
    require(one.count == of.all.played() / Actors, "an actor was passed by");
  }
  return of.all.per_round();
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "qb",
                 {{"ring-100", "ns", when::always, &ring<100>},
                  {"ring-10000", "ns", when::always, &ring<10'000>}});
}
