// 200 actors; each pings another one at random, waits for its reply, and goes on. ns per message.
#include "../with/rotor.hpp"

namespace bench {

struct begin {
  std::uint64_t pings = 0;
};
/// A ping, and, sent back, its reply.
struct ping {
  std::uint32_t from = 0;
  bool answered = false;
};
using begin_message = r::message_t<begin>;
using ping_message = r::message_t<ping>;

class pinger;
struct game {
  games all;
  rotor_system* engine = nullptr;
  std::vector<r::intrusive_ptr_t<pinger>> actors{};
  std::uint64_t playing = 0;
};

class pinger : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void set(game& of, std::uint32_t number) {
    of_ = &of;
    number_ = number;
    chance_.state = number + 1;
  }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>([](auto& starter) {
      starter.subscribe_actor(&pinger::on_begin);
      starter.subscribe_actor(&pinger::on_ping);
    });
  }
  void on_start() noexcept override {
    r::actor_base_t::on_start();
    if (of_->all.all_started(big_actors)) begin_game();
  }
  [[nodiscard]] std::uint64_t handled() const noexcept { return handled_; }

 private:
  void begin_game() {
    of_->playing = big_actors;
    const std::uint64_t rounds = of_->all.begin();
    for (const auto& each : of_->actors) {
      send<begin>(each->get_address(), begin{rounds / 2 / big_actors});
    }
  }
  void on_begin(begin_message& b) noexcept {
    left_ = b.payload.pings;
    send<ping>(somebody(), ping{number_, false});
  }
  void on_ping(ping_message& p) noexcept {
    ++handled_;
    if (!std::exchange(p.payload.answered, true)) {
      return redirect(&p, of_->actors[p.payload.from]->get_address());
    }
    if (--left_ > 0) {
      p.payload.answered = false;
      return redirect(&p, somebody());
    }
    if (--of_->playing > 0) return;
    if (!of_->all.ended()) return of_->engine->end();
    begin_game();
  }
  [[nodiscard]] const r::address_ptr_t& somebody() {
    const std::uint64_t other = chance_.next() % (big_actors - 1);
    return of_->actors[other < number_ ? other : other + 1]->get_address();
  }

  game* of_ = nullptr;
  std::uint32_t number_ = 0;
  xorshift chance_{};
  std::uint64_t left_ = 0;
  std::uint64_t handled_ = 0;
};

double big(const settings& how) {
  rotor_system engine;
  game of{{how, std::uint64_t{2} * big_actors}, &engine};
  for (std::uint32_t at = 0; at < big_actors; ++at) {
    of.actors.push_back(engine.make<pinger>());
    of.actors.back()->set(of, at);
  }
  engine.run();
  std::uint64_t sum = 0;
  for (const auto& one : of.actors) sum += one->handled();
  require(sum == of.all.played(), "not every ping had one reply");
  return of.all.per_round();
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rotor", {{"big", "ns", when::always, &big}});
}
