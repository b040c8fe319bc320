// What rotor's benchmarks share: one supervisor with a thread of its own, which is the main thread.
// It takes nothing from outside meanwhile, so the actor that sees the end of a game begins the next
// one. As its examples show for speed, a message is sent on with `redirect` where it can be.
#pragma once

#include <rotor.hpp>
#include <rotor/thread.hpp>

#include "../common.hpp"
#include "../sizes.hpp"

namespace bench {

namespace r = rotor;
namespace rth = rotor::thread;

/// The games that are played one after the other. Touched by one thread.
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

  /// Each actor says that it has started; the last one learns it.
  [[nodiscard]] bool all_started(std::size_t actors) noexcept { return ++started_ == actors; }

 private:
  pace pace_;
  std::uint64_t played_ = 0;
  double began_ = 0;
  std::size_t started_ = 0;
};

/// A supervisor, and what runs it until it is shut down.
class rotor_system {
 public:
  rotor_system()
      : supervisor_{all_.create_supervisor<rth::supervisor_thread_t>()
                        .timeout(patience())
                        .poll_duration(r::pt::microseconds{100})
                        .finish()} {}

  template <class Actor>
  [[nodiscard]] r::intrusive_ptr_t<Actor> make() {
    return supervisor_->create_actor<Actor>().timeout(patience()).finish();
  }
  void run() { all_.run(); }
  void end() { supervisor_->do_shutdown(); }

 private:
  [[nodiscard]] static r::pt::time_duration patience() { return r::pt::seconds{60}; }

  rth::system_context_thread_t all_;
  r::intrusive_ptr_t<rth::supervisor_thread_t> supervisor_;
};

}  // namespace bench
