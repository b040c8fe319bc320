// 200 actors; each pings another one at random, waits for its reply, and goes on. ns per message.
#include "../with/qb.hpp"

namespace bench {

struct begin : qb::Event {
  explicit begin(std::uint64_t count) : pings{count} {}
  std::uint64_t pings;
};
/// A ping, and, sent back, its reply.
struct ping : qb::Event {
  bool answered = false;
};

struct game {
  games all;
  std::vector<qb::ActorId> actors{};
  std::vector<tally> handled{};
  std::uint64_t playing = 0;
};

class pinger final : public qb::Actor {
 public:
  pinger(game& of, std::uint32_t number) : of_{of}, number_{number}, chance_{number + 1} {}

  started onInit() final {
    registerEvent<begin>(*this);
    registerEvent<ping>(*this);
    if (number_ + 1 == big_actors) begin_game();
    co_return true;
  }
  void on(begin& b) {
    left_ = b.pings;
    push<ping>(somebody());
  }
  void on(ping& p) {
    ++of_.handled[number_].count;
    if (!std::exchange(p.answered, true)) return reply(p);
    if (--left_ > 0) {
      push<ping>(somebody());  // `forward` would keep who has replied as the one to reply to
      return;
    }
    if (--of_.playing > 0) return;
    if (of_.all.ended()) return begin_game();
    for (const auto& each : of_.actors) push<qb::KillEvent>(each);
  }

 private:
  void begin_game() {
    of_.playing = big_actors;
    const std::uint64_t rounds = of_.all.begin();
    for (const auto& each : of_.actors) push<begin>(each, rounds / 2 / big_actors);
  }
  [[nodiscard]] qb::ActorId somebody() {
    const std::uint64_t other = chance_.next() % (big_actors - 1);
    return of_.actors[other < number_ ? other : other + 1];
  }

  game& of_;
  std::uint32_t number_;
  xorshift chance_;
  std::uint64_t left_ = 0;
};

double big(const settings& how) {
  game of{{how, std::uint64_t{2} * big_actors}};
  of.handled.resize(big_actors);
  qb::Main engine;
  for (std::uint32_t at = 0; at < big_actors; ++at) {
    of.actors.push_back(engine.addActor<pinger>(0, std::ref(of), at));
  }
  run(engine);
  std::uint64_t sum = 0;
  for (const tally& one : of.handled) sum += one.count;
  require(sum == of.all.played(), "not every ping had one reply");
  return of.all.per_round();
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "qb", {{"big", "ns", when::always, &big}});
}
