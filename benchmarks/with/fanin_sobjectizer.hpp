// Senders and the one who counts, with SObjectizer; see fanin_cairn.hpp.
#pragma once

#include "sobjectizer.hpp"

namespace bench {

template <class Load>
struct unit {
  std::uint32_t from;
  std::uint32_t left;
  [[no_unique_address]] Load load;
};
struct expect {
  std::uint64_t more;
};
struct go {
  std::uint64_t chunks;
  std::uint32_t each;
  std::uint32_t ahead;
};
struct counted_chunk final : so_5::signal_t {};

template <class Load>
class counter final : public so_5::agent_t {
 public:
  counter(context_t context, tally& counted, const std::vector<so_5::mbox_t>& senders)
      : so_5::agent_t{std::move(context)}, counted_{counted}, senders_{senders} {}

  void so_define_agent() override {
    so_subscribe_self().event(&counter::on_expect).event(&counter::on_unit);
  }

 private:
  void on_expect(mhood_t<expect> e) { left_ = e->more; }
  void on_unit(mhood_t<unit<Load>> one) {
    ++counted_.count;
    if (one->left == 0) so_5::send<counted_chunk>(senders_[one->from]);
    if (--left_ == 0) timing.stop();
  }

  tally& counted_;
  const std::vector<so_5::mbox_t>& senders_;
  std::uint64_t left_ = 0;
};

template <class Load>
class sender final : public so_5::agent_t {
 public:
  sender(context_t context, so_5::mbox_t to, std::uint32_t number)
      : so_5::agent_t{std::move(context)}, to_{std::move(to)}, number_{number} {}

  void so_define_agent() override {
    so_subscribe_self().event(&sender::on_go).event(&sender::on_counted);
  }

 private:
  void on_go(mhood_t<go> g) {
    chunks_ = g->chunks;
    each_ = g->each;
    for (std::uint32_t at = 0; at < g->ahead; ++at) send_chunk();
  }
  void on_counted(mhood_t<counted_chunk>) { send_chunk(); }
  void send_chunk() {
    if (chunks_ == 0) return;
    --chunks_;
    for (std::uint32_t left = each_; left-- > 0;) {
      so_5::send<unit<Load>>(to_, number_, left, make_load<Load>());
    }
  }

  so_5::mbox_t to_;
  std::uint32_t number_;
  std::uint32_t each_ = 0;
  std::uint64_t chunks_ = 0;
};

template <class Load, std::uint32_t Senders, unsigned Threads = 1>
double fan_in(const settings& how) {
  tally counted;
  std::vector<so_5::mbox_t> senders;
  so_system all{Threads};
  const auto sum =
      all.make<counter<Load>>(0, std::ref(counted), std::cref(senders))->so_direct_mbox();
  for (std::uint32_t at = 0; at < Senders; ++at) {
    senders.push_back(all.make<sender<Load>>(Threads - 1, sum, at)->so_direct_mbox());
  }
  const std::uint32_t each = chunk_of(Senders);
  const std::uint32_t ahead = Threads > 1 ? chunks_ahead : 1;
  std::uint64_t sent = 0;
  const double ns = play_games(how, std::uint64_t{Senders} * each, [&](std::uint64_t rounds) {
    sent += rounds;
    so_5::send<expect>(sum, rounds);
    for (const auto& one : senders) so_5::send<go>(one, rounds / Senders / each, each, ahead);
  });
  require(counted.count == sent, "not every message was counted once");
  return ns;
}

}  // namespace bench
