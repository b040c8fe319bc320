// One message goes round a ring of agents. ns per hop.
#include "../with/sobjectizer.hpp"

namespace bench {

struct token {
  std::uint64_t left;
};

class link final : public so_5::agent_t {
 public:
  link(context_t context, tally& hops) : so_5::agent_t{std::move(context)}, hops_{hops} {}

  void so_define_agent() override {
    so_subscribe_self().event(&link::on_next).event(&link::on_token);
  }

 private:
  void on_next(mhood_t<so_5::mbox_t> next) { next_ = *next; }
  void on_token(mhood_t<token> t) {
    ++hops_.count;
    if (t->left > 1) {
      so_5::send<token>(next_, t->left - 1);
    } else {
      timing.stop();
    }
  }

  tally& hops_;
  so_5::mbox_t next_;
};

template <std::size_t Actors>
double ring(const settings& how) {
  std::vector<tally> hops(Actors);
  so_system all{1};
  std::vector<so_5::mbox_t> actors;
  for (auto& each : hops) actors.push_back(all.make<link>(0, std::ref(each))->so_direct_mbox());
  for (std::size_t at = 0; at < Actors; ++at) {
    so_5::send<so_5::mbox_t>(actors[at], actors[(at + 1) % Actors]);
  }
  std::uint64_t sent = 0;
  const double each = play_games(how, Actors, [&](std::uint64_t rounds) {
    sent += rounds;
    so_5::send<token>(actors[0], rounds);
  });
  for (const tally& one : hops) require(one.count == sent / Actors, "an agent was passed by");
  return each;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sobjectizer",
                 {{"ring-100", "ns", when::always, &ring<100>},
                  {"ring-10000", "ns", when::always, &ring<10'000>}});
}
