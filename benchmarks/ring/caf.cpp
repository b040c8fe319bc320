// One message goes round a ring of actors. ns per hop.
#include "../with/caf.hpp"

namespace bench {

class link : public caf::event_based_actor {
 public:
  link(caf::actor_config& config, tally& hops) : caf::event_based_actor{config}, hops_{hops} {}

  caf::behavior make_behavior() override {
    return {
        [this](caf::actor next) { next_ = std::move(next); },
        [this](std::uint64_t left) {
          ++hops_.count;
          if (left <= 1) return timing.stop();
          tell(*this, next_, left - 1);
        },
    };
  }

 private:
  tally& hops_;
  caf::actor next_;
};

template <std::size_t Actors>
double ring(const settings& how) {
  caf_system all{1};
  std::vector<tally> hops(Actors);
  std::vector<caf::actor> actors;
  for (auto& each : hops) actors.push_back(all->spawn<link>(std::ref(each)));
  for (std::size_t at = 0; at < Actors; ++at) begin(actors[at], actors[(at + 1) % Actors]);
  std::uint64_t sent = 0;
  const double each = play_games(how, Actors, [&](std::uint64_t rounds) {
    sent += rounds;
    begin(actors[0], rounds);
  });
  for (const tally& one : hops) require(one.count == sent / Actors, "an actor was passed by");
  for (const auto& one : actors) end(one);
  return each;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "caf",
                 {{"ring-100", "ns", when::always, &ring<100>},
                  {"ring-10000", "ns", when::always, &ring<10'000>}});
}
