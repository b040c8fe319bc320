// What rotor's benchmarks share: one supervisor for each thread, of which the main thread is the
// first. They take nothing from outside meanwhile, so the actor that sees the end of a game begins
// the next one. As its examples show for speed, a message is sent on with `redirect` where it can
// be.
#pragma once

#include <rotor.hpp>
#include <rotor/thread.hpp>

#include "../common.hpp"
#include "../loads.hpp"
#include "../sizes.hpp"

namespace bench {

namespace r = rotor;
namespace rth = rotor::thread;

/// The games that are played one after the other. Touched by one thread at a time.
class games {
 public:
  games(const settings& how, std::uint64_t unit) : pace_{how, 10'000, unit} {}

  [[nodiscard]] std::uint64_t begin() {
    played_ += pace_.rounds();
    began_ = now_ns();
    return pace_.rounds();
  }
  /// Whether there is another one.
  [[nodiscard]] bool ended() {
    pace_.took(now_ns() - began_);
    return pace_.goes_on();
  }
  [[nodiscard]] std::uint64_t played() const noexcept { return played_; }
  [[nodiscard]] double per_round() const { return pace_.per_round(); }

  /// Each actor says that it has started, on any thread; the last one learns it.
  [[nodiscard]] bool all_started(std::size_t actors) noexcept {
    // pairs with itself: the last one sees what the others have done
    return started_.fetch_add(1, std::memory_order_acq_rel) + 1 == actors;
  }

 private:
  pace pace_;
  std::uint64_t played_ = 0;
  double began_ = 0;
  std::atomic<std::size_t> started_{0};
};

/// Supervisors, and what runs them until the first of them is shut down.
template <class Supervisor>
class rotor_system_of {
 public:
  explicit rotor_system_of(unsigned threads = 1) : all_(threads) {
    for (worker& each : all_) {
      each.supervisor = each.context.template create_supervisor<Supervisor>()
                            .timeout(patience())
                            .poll_duration(r::pt::microseconds{100})
                            .inbound_queue_size(threads > 1 ? under_way : 64)
                            .finish();
    }
  }

  [[nodiscard]] Supervisor& supervisor() noexcept { return *all_.front().supervisor; }
  template <class Actor>
  [[nodiscard]] r::intrusive_ptr_t<Actor> make(unsigned thread = 0) {
    return all_[thread].supervisor->template create_actor<Actor>().timeout(patience()).finish();
  }
  void run() {
    std::vector<std::thread> others;
    for (std::size_t at = 1; at < all_.size(); ++at) {
      others.emplace_back([&one = all_[at]] { one.context.run(); });
    }
    all_.front().context.run();
    for (std::size_t at = 1; at < all_.size(); ++at) all_[at].supervisor->shutdown();
    for (std::thread& each : others) each.join();
  }
  /// Called on the first thread.
  void end() { supervisor().do_shutdown(); }

  [[nodiscard]] static r::pt::time_duration patience() { return r::pt::seconds{60}; }

 private:
  /// Messages from another thread that a queue has room for from the start.
  static constexpr std::size_t under_way = 16'384;

  struct worker {
    rth::system_context_thread_t context;
    r::intrusive_ptr_t<Supervisor> supervisor;
  };
  std::vector<worker> all_;
};
using rotor_system = rotor_system_of<rth::supervisor_thread_t>;

}  // namespace bench
