// What TooManyCooks' benchmarks share. It has no actors: one is a coroutine that pulls from a queue
// of many producers, as its documentation shows. One worker is its executor of one thread.
#pragma once

#define TMC_IMPL
#include <future>

#include <tmc/all_headers.hpp>

#include "../common.hpp"
#include "../loads.hpp"
#include "../sizes.hpp"

namespace bench {

/// The first block lies in the queue itself.
template <std::size_t Block>
struct queue_config : tmc::qu_mpsc_unbounded_default_config {
  static constexpr std::size_t BlockSize = Block;
  static constexpr std::size_t PackingLevel = 1;
  static constexpr bool EmbedFirstBlock = true;
};
template <class Message, std::size_t Block = 16>
using inbox = tmc::qu_mpsc_unbounded<Message, queue_config<Block>>;

/// An executor of one thread that spins a good while before it sleeps.
class one_thread {
 public:
  one_thread() { executor_.set_spins(20'000).init(); }
  [[nodiscard]] tmc::ex_cpu_st& operator*() noexcept { return executor_; }

 private:
  tmc::ex_cpu_st executor_;
};

/// The actors that have to end before their queues do.
using actors = std::vector<std::future<void>>;
inline void join(actors& all) {
  for (auto& each : all) each.get();
  all.clear();
}

/// `pace` and `timing` with a game that `start(rounds)` begins.
template <class Start>
double play_games(const settings& how, std::uint64_t unit, Start start) {
  pace games{how, 2'000, unit};
  while (games.goes_on()) {
    timing.start();
    start(games.rounds());
    wait_until_over();
    games.took(timing.ns());
  }
  return games.per_round();
}

}  // namespace bench
