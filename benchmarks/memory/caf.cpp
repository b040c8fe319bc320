// Memory: bytes of an idle actor that has handled one message, besides its state.
#include <array>

#include "../with/caf.hpp"

namespace bench {

/// 64 bytes of state.
class idler : public caf::event_based_actor {
 public:
  using state = std::array<std::uint64_t, 8>;
  idler(caf::actor_config& config, tally& left) : caf::event_based_actor{config}, left_{left} {}
  caf::behavior make_behavior() override {
    return {[this](std::uint64_t) {
      ++state_[0];
      if (--left_.count == 0) timing.stop();
    }};
  }

 private:
  tally& left_;
  state state_{};
};

double idle(const settings& how) {
  caf_system all{1};
  const std::size_t count = how.quick ? 100'000 : 1'000'000;
  tally left{count};
  std::vector<caf::actor> actors;
  actors.reserve(count);
  const double before = resident_bytes();
  timing.start();
  while (actors.size() < count) {
    actors.push_back(all->spawn<idler>(std::ref(left)));
    begin(actors.back(), std::uint64_t{1});
  }
  wait_until_over();
  const double bytes = (resident_bytes() - before) / static_cast<double>(count);
  for (const auto& one : actors) end(one);
  require(bytes > 0, "actors take no memory");
  return bytes - double{sizeof(idler::state)};
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "caf",
                        {{"idle-bytes", "bytes", bench::when::always, &bench::idle}});
}
