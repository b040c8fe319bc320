// Two actors send one message back and forth. ns per message; across two threads per round trip.
#include "../with/rotor.hpp"

namespace bench {

template <class Load>
struct ball {
  std::uint64_t left = 0;
  [[no_unique_address]] Load load{};
};

struct game {
  games all;
  rotor_system* engine = nullptr;
};

template <class Load>
class player : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void set(game& of, player* other, bool begins) {
    of_ = &of;
    other_ = other;
    begins_ = begins;
  }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>(
        [](auto& starter) { starter.subscribe_actor(&player::on_ball); });
  }
  void on_start() noexcept override {
    r::actor_base_t::on_start();
    if (!of_->all.all_started(2)) return;
    send<ball<Load>>(begins_ ? other_->get_address() : get_address(), of_->all.begin(),
                     make_load<Load>());
  }
  [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }

 private:
  void on_ball(r::message_t<ball<Load>>& b) noexcept {
    ++hits_;
    if (--b.payload.left == 0) {
      if (!of_->all.ended()) return of_->engine->end();
      b.payload.left = of_->all.begin();
    }
    redirect(&b, other_->get_address());
  }

  game* of_ = nullptr;
  player* other_ = nullptr;
  bool begins_ = false;
  std::uint64_t hits_ = 0;
};

template <class Load, unsigned Threads>
double pingpong(const settings& how) {
  rotor_system engine{Threads};
  game of{{how, 2}, &engine};
  const auto one = engine.make<player<Load>>();  // who sees the end of each game
  const auto two = engine.make<player<Load>>(Threads - 1);
  one->set(of, two.get(), true);
  two->set(of, one.get(), false);
  engine.run();
  require(one->hits() + two->hits() == of.all.played(), "not every ball was hit once");
  return of.all.per_round();
}

double across(const settings& how) { return 2 * pingpong<nothing, 2>(how); }

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rotor",
                 {{"pingpong", "ns", when::always, &pingpong<nothing, 1>},
                  {"pingpong-64B", "ns", when::full, &pingpong<bytes<56>, 1>},
                  {"pingpong-1024B", "ns", when::full, &pingpong<bytes<1016>, 1>},
                  {"pingpong-string", "ns", when::full, &pingpong<std::string, 1>},
                  {"pingpong-vector", "ns", when::full, &pingpong<numbers, 1>},
                  {"pingpong-2", "ns", when::always, &across}});
}
