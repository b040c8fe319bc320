// An agent spawns ten, each of them ten, down to a million leaves; see cairn.cpp. ns per agent.
#include "../with/sobjectizer.hpp"

namespace bench {

struct begin {
  std::uint32_t first;
  std::uint32_t leaves;
};
struct sum {
  std::uint64_t of;
};

class node final : public so_5::agent_t {
 public:
  node(context_t context, so_5::mbox_t parent, std::uint64_t& total)
      : so_5::agent_t{std::move(context)}, parent_{std::move(parent)}, total_{total} {}
  void so_define_agent() override {
    so_subscribe_self().event(&node::on_begin).event(&node::on_sum);
  }

 private:
  void on_begin(mhood_t<begin> b) {
    if (b->leaves == 1) return tell(b->first);
    left_ = skynet_fan;
    const std::uint32_t each = b->leaves / skynet_fan;
    for (std::uint32_t at = 0; at < skynet_fan; ++at) {
      so_5::mbox_t made;
      so_5::introduce_child_coop(*this, so_this_coop_disp_binder(), [&](so_5::coop_t& coop) {
        made = coop.make_agent<node>(so_direct_mbox(), std::ref(total_))->so_direct_mbox();
      });
      so_5::send<begin>(made, b->first + at * each, each);
    }
  }
  void on_sum(mhood_t<sum> s) {
    so_far_ += s->of;
    if (--left_ == 0) tell(so_far_);
  }
  void tell(std::uint64_t what) {
    if (parent_) {
      so_5::send<sum>(parent_, what);
    } else {
      total_ = what;
      timing.stop();
    }
    so_deregister_agent_coop_normally();
  }

  so_5::mbox_t parent_;
  std::uint64_t& total_;
  std::uint64_t so_far_ = 0;
  std::uint32_t left_ = 0;
};

double skynet(const settings&) {
  std::uint64_t total = 0;
  so_system all{1};
  const auto top = all.make<node>(0, so_5::mbox_t{}, std::ref(total))->so_direct_mbox();
  timing.start();
  so_5::send<begin>(top, 0U, skynet_leaves);
  wait_until_over();
  require(total == std::uint64_t{skynet_leaves} * (skynet_leaves - 1) / 2, "the sum is wrong");
  return timing.ns() / skynet_actors;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sobjectizer", {{"skynet", "ns", when::always, &skynet}});
}
