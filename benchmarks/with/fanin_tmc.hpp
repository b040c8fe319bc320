// Senders and the one who counts, with TooManyCooks; see fanin_cairn.hpp.
#pragma once

#include "tmc.hpp"

namespace bench {

template <class Load>
struct unit {
  std::uint32_t from = 0;
  std::uint32_t left = 0;
  [[no_unique_address]] Load load{};
};

/// What a sender is told: how many chunks to send from now on, or 0: one of them is counted.
using orders = inbox<std::uint64_t>;

/// Blocks of 4,096 are quickest where they stay in a cache.
template <class Load>
inline constexpr std::size_t units_block = sizeof(unit<Load>) > 256 ? 256 : 4096;

template <class Load>
struct game {
  inbox<unit<Load>, units_block<Load>> units;
  std::vector<orders> told;
  std::uint32_t each = 0;
  std::uint32_t ahead = 1;
  std::uint64_t expected = 0;  ///< written before the first message of a game
  tally all;
};

template <class Load>
tmc::task<void> count_all(game<Load>& of) {
  std::uint64_t left = 0;
  for (;;) {
    auto one = co_await of.units.pull();
    if (!one) co_return;
    if (left == 0) left = of.expected;
    ++of.all.count;
    if (one->left == 0) of.told[one->from].post(std::uint64_t{0});
    if (--left == 0) timing.stop();
  }
}

template <class Load>
tmc::task<void> send_all(game<Load>& of, std::uint32_t number) {
  std::uint64_t chunks = 0;
  for (;;) {
    auto order = co_await of.told[number].pull();
    if (!order) co_return;
    std::uint64_t now = 1;
    if (*order > 0) {
      chunks = *order;
      now = of.ahead;
    }
    for (; now > 0 && chunks > 0; --now, --chunks) {
      for (std::uint32_t left = of.each; left-- > 0;) {
        of.units.post(number, left, make_load<Load>());
      }
    }
  }
}

template <class Load, std::uint32_t Senders, bool Across = false>
double fan_in(const settings& how) {
  one_thread first, second;
  game<Load> of;
  of.told = std::vector<orders>(Senders);
  of.each = chunk_of(Senders);
  of.ahead = Across ? chunks_ahead : 1;
  actors all;
  all.push_back(tmc::post_waitable(*first, count_all(of)));
  for (std::uint32_t at = 0; at < Senders; ++at) {
    all.push_back(tmc::post_waitable(Across ? *second : *first, send_all(of, at)));
  }
  std::uint64_t sent = 0;
  const double ns = play_games(how, std::uint64_t{Senders} * of.each, [&](std::uint64_t rounds) {
    sent += rounds;
    of.expected = rounds;
    for (auto& one : of.told) one.post(rounds / Senders / of.each);
  });
  of.units.close();
  for (auto& one : of.told) one.close();
  join(all);
  require(of.all.count == sent, "not every message was counted once");
  return ns;
}

}  // namespace bench
