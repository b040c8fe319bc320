// What SObjectizer's benchmarks share. One worker is its dispatcher of one thread, with the lock
// that spins before it sleeps; its guide recommends both for agents that talk much.
#pragma once

#include <so_5/all.hpp>

#include "../common.hpp"
#include "../loads.hpp"
#include "../sizes.hpp"

namespace bench {

/// An environment with some threads, each of which agents may be bound to.
class so_system {
 public:
  explicit so_system(unsigned threads) {
    namespace one_thread = so_5::disp::one_thread;
    one_thread::disp_params_t params;
    params.tune_queue_params([](one_thread::queue_traits::queue_params_t& queue) {
      queue.lock_factory(
          one_thread::queue_traits::combined_lock_factory(std::chrono::microseconds{threads_spin}));
    });
    for (unsigned at = 0; at < threads; ++at) {
      binders_.push_back(
          one_thread::make_dispatcher(all_.environment(), "worker", params).binder());
    }
  }

  /// An agent in a cooperation of its own, bound to one of the threads.
  template <class Agent, class... Args>
  Agent* make(unsigned thread, Args&&... args) {
    Agent* made = nullptr;
    all_.environment().introduce_coop(binders_[thread], [&](so_5::coop_t& coop) {
      made = coop.make_agent<Agent>(std::forward<Args>(args)...);
    });
    return made;
  }

 private:
  static constexpr int threads_spin = 200;

  so_5::wrapped_env_t all_;
  std::vector<so_5::disp_binder_shptr_t> binders_;
};

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
