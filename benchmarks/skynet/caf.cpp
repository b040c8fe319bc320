// An actor spawns ten, each of them ten, down to a million leaves; see cairn.cpp. ns per actor.
#include "../with/caf.hpp"

namespace bench {

class node : public caf::event_based_actor {
 public:
  node(caf::actor_config& config, caf::actor parent, std::uint64_t& total)
      : caf::event_based_actor{config}, parent_{std::move(parent)}, total_{total} {}

  caf::behavior make_behavior() override {
    return {
        [this](std::uint32_t first, std::uint32_t leaves) {
          if (leaves == 1) return tell_all(first);
          left_ = skynet_fan;
          const std::uint32_t each = leaves / skynet_fan;
          for (std::uint32_t at = 0; at < skynet_fan; ++at) {
            auto made = spawn<node>(caf::actor{this}, std::ref(total_));
            tell(*this, made, first + at * each, each);
          }
        },
        [this](std::uint64_t sum) {
          sum_ += sum;
          if (--left_ == 0) tell_all(sum_);
        },
    };
  }

 private:
  void tell_all(std::uint64_t sum) {
    if (parent_) {
      tell(*this, parent_, sum);
    } else {
      total_ = sum;
      timing.stop();
    }
    parent_ = nullptr;
    quit();
  }

  caf::actor parent_;
  std::uint64_t& total_;
  std::uint64_t sum_ = 0;
  std::uint32_t left_ = 0;
};

double skynet(const settings&) {
  caf_system all{1};
  std::uint64_t total = 0;
  auto top = all->spawn<node>(caf::actor{}, std::ref(total));
  timing.start();
  begin(top, std::uint32_t{0}, skynet_leaves);
  wait_until_over();
  require(total == std::uint64_t{skynet_leaves} * (skynet_leaves - 1) / 2, "the sum is wrong");
  return timing.ns() / skynet_actors;
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "caf",
                        {{"skynet", "ns", bench::when::always, &bench::skynet}});
}
