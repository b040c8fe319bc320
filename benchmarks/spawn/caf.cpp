// An actor spawns children, each is sent one message and stops. ns per child.
#include "../with/caf.hpp"

namespace bench {

/// Of a batch. A worker takes its newest actor first, so the last one spawned is not the last one
/// to run.
struct batch {
  tally done;
  std::uint32_t left = 0;
};

class child : public caf::event_based_actor {
 public:
  child(caf::actor_config& config, batch& of) : caf::event_based_actor{config}, of_{of} {}
  caf::behavior make_behavior() override {
    return {[this](const caf::actor& top) {
      ++of_.done.count;
      if (--of_.left == 0) tell(*this, top, true);
      quit();
    }};
  }

 private:
  batch& of_;
};

class parent : public caf::event_based_actor {
 public:
  parent(caf::actor_config& config, batch& of) : caf::event_based_actor{config}, of_{of} {}
  caf::behavior make_behavior() override {
    return {
        [this](std::uint64_t batches) {
          left_ = batches;
          spawn_all();
        },
        [this](bool) {
          if (--left_ == 0) return timing.stop();
          spawn_all();
        },
    };
  }

 private:
  void spawn_all() {
    of_.left = spawn_batch;
    for (std::uint32_t at = 0; at < spawn_batch; ++at) {
      tell(*this, spawn<child>(std::ref(of_)), caf::actor{this});
    }
  }

  batch& of_;
  std::uint64_t left_ = 0;
};

double spawn(const settings& how) {
  caf_system all{1};
  batch of;
  auto top = all->spawn<parent>(std::ref(of));
  std::uint64_t wanted = 0;
  const double each = play_games(how, spawn_batch, [&](std::uint64_t rounds) {
    wanted += rounds;
    begin(top, rounds / spawn_batch);
  });
  require(of.done.count == wanted, "not every child has handled its message");
  end(top);
  return each;
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "caf", {{"spawn", "ns", bench::when::always, &bench::spawn}});
}
