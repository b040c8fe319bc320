// One message goes round a ring of actors. ns per hop.
#include "../with/rotor.hpp"

namespace bench {

struct token {
  std::uint64_t left = 0;
};
using token_message = r::message_t<token>;

class link;
struct game {
  games all;
  rotor_system* engine = nullptr;
  std::vector<r::intrusive_ptr_t<link>> ring{};
};

class link : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void set(game& of, link* next) {
    of_ = &of;
    next_ = next;
  }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>(
        [](auto& starter) { starter.subscribe_actor(&link::on_token); });
  }
  void on_start() noexcept override {
    r::actor_base_t::on_start();
    if (!of_->all.all_started(of_->ring.size())) return;
    send<token>(get_address(), token{of_->all.begin()});
  }
  [[nodiscard]] std::uint64_t hops() const noexcept { return hops_; }

 private:
  void on_token(token_message& t) noexcept {
    ++hops_;
    if (--t.payload.left == 0) {
      if (!of_->all.ended()) return of_->engine->end();
      t.payload.left = of_->all.begin();
    }
    redirect(&t, next_->get_address());
  }

  game* of_ = nullptr;
  link* next_ = nullptr;
  std::uint64_t hops_ = 0;
};

template <std::size_t Actors>
double ring(const settings& how) {
  rotor_system engine;
  game of{{how, Actors}, &engine};
  while (of.ring.size() < Actors) of.ring.push_back(engine.make<link>());
  for (std::size_t at = 0; at < Actors; ++at) {
    of.ring[at]->set(of, of.ring[(at + 1) % Actors].get());
  }
  engine.run();
  for (const auto& one : of.ring) {
    require(one->hops() == of.all.played() / Actors, "an actor was passed by");
  }
  return of.all.per_round();
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rotor",
                 {{"ring-100", "ns", when::always, &ring<100>},
                  // It takes eleven seconds to make so many actors.
                  {"ring-10000", "ns", when::full, &ring<10'000>}});
}
