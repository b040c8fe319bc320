// What qb's benchmarks share. Its engine takes no events from threads outside, so the actor that
// sees the end of a game begins the next one. As its guide recommends: an event is sent on with
// `reply` and `forward` where it can be, many to one actor through a pipe, one core for each
// worker, and only warnings are logged: else each actor writes some lines of its birth and end.
#pragma once

#include <qb/actor.h>
#include <qb/io.h>
#include <qb/main.h>
#include <qb/string.h>

#include "../common.hpp"
#include "../loads.hpp"
#include "../sizes.hpp"

namespace bench {

using started = qb::io::async::task<bool>;

/// What an event carries. Events are moved as bytes, which no std::string survives: for texts its
/// guide has a type of its own, with room for all of it within the event.
template <class Load>
using carried = std::conditional_t<std::is_same_v<Load, std::string>, qb::string<64>, Load>;
template <class Load>
[[nodiscard]] carried<Load> make_carried() {
  if constexpr (std::is_same_v<Load, std::string>) {
    return long_text;
  } else {
    return make_load<Load>();
  }
}

/// The games that are played one after the other. Touched by the actors of one core.
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

 private:
  pace pace_;
  std::uint64_t played_ = 0;
  double began_ = 0;
};

/// Runs what was added until every actor has been killed.
inline void run(qb::Main& all) {
#ifdef QB_WITH_LOGGING
  qb::io::log::setLevel(qb::io::log::Level::WARN);
#endif
  all.start();
  all.join();
  require(!all.hasError(), "the engine has failed");
}

}  // namespace bench
