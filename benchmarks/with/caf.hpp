// What CAF's benchmarks share. Messages are made of numbers, texts, actors and loads, so that the
// programs are the same for 0.17, which Debian has, and for 1.x.
//
// As its manual recommends: actors as classes derived from `event_based_actor`, the stealing
// scheduler, as many threads as the question has workers, no metrics. CAF pins no actor to a thread
// of its scheduler: the questions across two workers are its scheduler's to answer.
#pragma once

#include <optional>

#include <caf/all.hpp>

#include "../common.hpp"
#include "../loads.hpp"
#include "../sizes.hpp"

// No message leaves the process: none is serialized.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(bench::bytes<56>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(bench::bytes<1016>)
#if __has_include(<caf/anon_mail.hpp>)  // 1.x
CAF_BEGIN_TYPE_ID_BLOCK(bench, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(bench, (bench::bytes<56>))
CAF_ADD_TYPE_ID(bench, (bench::bytes<1016>))
CAF_ADD_TYPE_ID(bench, (bench::numbers))
CAF_END_TYPE_ID_BLOCK(bench)
#endif

namespace bench {

class caf_system {
 public:
  explicit caf_system(unsigned workers) {
#if __has_include(<caf/anon_mail.hpp>)  // 1.x
    caf::init_global_meta_objects<caf::id_block::bench>();
    caf::core::init_global_meta_objects();
    config_.set("caf.scheduler.max-threads", workers);
    config_.set("caf.scheduler.policy", "stealing");
#else
    config_.set("scheduler.max-threads", workers);
    config_.set("scheduler.policy", caf::atom("stealing"));
#endif
    all_.emplace(config_);
  }
  [[nodiscard]] caf::actor_system& operator*() noexcept { return *all_; }
  [[nodiscard]] caf::actor_system* operator->() noexcept { return &*all_; }

 private:
  caf::actor_system_config config_;
  std::optional<caf::actor_system> all_;
};

/// An actor tells another one.
template <class Self, class... Values>
void tell(Self& self, const caf::actor& to, Values&&... values) {
  if constexpr (requires { self.mail(std::forward<Values>(values)...); }) {
    self.mail(std::forward<Values>(values)...).send(to);
  } else {
    self.send(to, std::forward<Values>(values)...);
  }
}

/// The main thread tells an actor.
template <class... Values>
void begin(const caf::actor& to, Values&&... values) {
#if __has_include(<caf/anon_mail.hpp>)  // 1.x
  caf::anon_mail(std::forward<Values>(values)...).send(to);
#else
  caf::anon_send(to, std::forward<Values>(values)...);
#endif
}

inline void end(const caf::actor& gone) {
  caf::anon_send_exit(gone, caf::exit_reason::user_shutdown);
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
