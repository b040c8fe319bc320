// Senders and the one who counts, with CAF; see fanin_cairn.hpp.
#pragma once

#include "caf.hpp"

namespace bench {

template <class Load>
class counter : public caf::event_based_actor {
 public:
  counter(caf::actor_config& config, tally& counted)
      : caf::event_based_actor{config}, counted_{counted} {}

  caf::behavior make_behavior() override {
    const auto on_expected = [this](std::uint64_t expected) { left_ = expected; };
    const auto on_sender = [this](caf::actor one) { senders_.push_back(std::move(one)); };
    if constexpr (std::is_same_v<Load, nothing>) {
      return {on_expected, on_sender,
              [this](std::uint32_t from, std::uint32_t left) { count(from, left); }};
    } else {
      return {on_expected, on_sender,
              [this](std::uint32_t from, std::uint32_t left, const Load&) { count(from, left); }};
    }
  }

 private:
  void count(std::uint32_t from, std::uint32_t left) {
    ++counted_.count;
    if (left == 0) tell(*this, senders_[from], true);
    if (--left_ == 0) timing.stop();
  }

  tally& counted_;
  std::uint64_t left_ = 0;
  std::vector<caf::actor> senders_;
};

template <class Load>
class sender : public caf::event_based_actor {
 public:
  sender(caf::actor_config& config, caf::actor to, std::uint32_t number)
      : caf::event_based_actor{config}, to_{std::move(to)}, number_{number} {}

  caf::behavior make_behavior() override {
    return {
        [this](std::uint64_t chunks, std::uint32_t each, std::uint32_t ahead) {
          chunks_ = chunks;
          each_ = each;
          for (std::uint32_t at = 0; at < ahead; ++at) send_chunk();
        },
        [this](bool) { send_chunk(); },
    };
  }

 private:
  void send_chunk() {
    if (chunks_ == 0) return;
    --chunks_;
    for (std::uint32_t left = each_; left-- > 0;) {
      if constexpr (std::is_same_v<Load, nothing>) {
        tell(*this, to_, number_, left);
      } else {
        tell(*this, to_, number_, left, make_load<Load>());
      }
    }
  }

  caf::actor to_;
  std::uint32_t number_;
  std::uint32_t each_ = 0;
  std::uint64_t chunks_ = 0;
};

template <class Load, std::uint32_t Senders, unsigned Workers = 1>
double fan_in(const settings& how) {
  caf_system all{Workers};
  tally counted;
  auto sum = all->spawn<counter<Load>>(std::ref(counted));
  std::vector<caf::actor> senders;
  for (std::uint32_t at = 0; at < Senders; ++at) {
    senders.push_back(all->spawn<sender<Load>>(sum, at));
    begin(sum, senders.back());
  }
  const std::uint32_t each = chunk_of(Senders);
  const std::uint32_t ahead = Workers > 1 ? chunks_ahead : 1;
  std::uint64_t sent = 0;
  const double ns = play_games(how, std::uint64_t{Senders} * each, [&](std::uint64_t rounds) {
    sent += rounds;
    begin(sum, rounds);
    for (const auto& one : senders) begin(one, rounds / Senders / each, each, ahead);
  });
  require(counted.count == sent, "not every message was counted once");
  for (const auto& one : senders) end(one);
  end(sum);
  return ns;
}

}  // namespace bench
