// Two actors send one message back and forth. ns per message; across two workers per round trip.
#include "../with/caf.hpp"

namespace bench {

template <class Load>
class player : public caf::event_based_actor {
 public:
  player(caf::actor_config& config, tally& hits) : caf::event_based_actor{config}, hits_{hits} {}

  caf::behavior make_behavior() override {
    const auto on_meet = [this](caf::actor other) { other_ = std::move(other); };
    if constexpr (std::is_same_v<Load, nothing>) {
      return {on_meet, [this](std::uint64_t left) {
                if (hit(left)) tell(*this, other_, left - 1);
              }};
    } else {
      return {on_meet, [this](std::uint64_t left, Load& load) {
                if (hit(left)) tell(*this, other_, left - 1, std::move(load));
              }};
    }
  }

 private:
  bool hit(std::uint64_t left) {
    ++hits_.count;
    if (left > 1) return true;
    timing.stop();
    return false;
  }

  tally& hits_;
  caf::actor other_;
};

template <class Load, unsigned Workers>
double pingpong(const settings& how) {
  caf_system all{Workers};
  tally hits[2];
  auto one = all->spawn<player<Load>>(std::ref(hits[0]));
  auto two = all->spawn<player<Load>>(std::ref(hits[1]));
  begin(one, two);
  begin(two, one);
  std::uint64_t sent = 0;
  const double each = play_games(how, 2, [&](std::uint64_t rounds) {
    sent += rounds;
    if constexpr (std::is_same_v<Load, nothing>) {
      begin(one, rounds);
    } else {
      begin(one, rounds, make_load<Load>());
    }
  });
  require(hits[0].count + hits[1].count == sent, "not every ball was hit once");
  end(one);
  end(two);
  return each;
}

double across(const settings& how) { return 2 * pingpong<nothing, 2>(how); }

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "caf",
                 {{"pingpong", "ns", when::always, &pingpong<nothing, 1>},
                  {"pingpong-64B", "ns", when::full, &pingpong<bytes<56>, 1>},
                  {"pingpong-1024B", "ns", when::full, &pingpong<bytes<1016>, 1>},
                  {"pingpong-string", "ns", when::full, &pingpong<std::string, 1>},
                  {"pingpong-vector", "ns", when::full, &pingpong<numbers, 1>},
                  {"pingpong-2", "ns", when::always, &across}});
}
