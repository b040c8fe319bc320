// Memory: bytes of an idle agent that has handled one message, besides its state.
#include <array>

#include "../with/sobjectizer.hpp"

namespace bench {

struct touch final : so_5::signal_t {};

/// 64 bytes of state.
class idler final : public so_5::agent_t {
 public:
  using state = std::array<std::uint64_t, 8>;
  idler(context_t context, tally& left) : so_5::agent_t{std::move(context)}, left_{left} {}
  void so_define_agent() override { so_subscribe_self().event(&idler::on_touch); }

 private:
  void on_touch(mhood_t<touch>) {
    ++state_[0];
    if (--left_.count == 0) timing.stop();
  }

  tally& left_;
  state state_{};
};

double idle(const settings& how) {
  const std::size_t count = how.quick ? 100'000 : 1'000'000;
  tally left{count};
  so_system all{1};
  std::vector<so_5::mbox_t> agents;
  agents.reserve(count);
  const double before = resident_bytes();
  timing.start();
  while (agents.size() < count) {
    agents.push_back(all.make<idler>(0, std::ref(left))->so_direct_mbox());
    so_5::send<touch>(agents.back());
  }
  wait_until_over();
  const double bytes = (resident_bytes() - before) / static_cast<double>(count);
  require(bytes > 0, "agents take no memory");
  return bytes - double{sizeof(idler::state)};
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sobjectizer", {{"idle-bytes", "bytes", when::always, &idle}});
}
