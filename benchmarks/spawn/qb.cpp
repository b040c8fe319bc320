// An actor spawns children, each is sent one event and stops. ns per child.
#include "../with/qb.hpp"

namespace bench {

struct job : qb::Event {};
struct batch_done : qb::Event {};

struct game {
  games all;
  qb::ActorId parent{};
  std::uint64_t batches = 0;
  std::uint32_t left = 0;  ///< of the batch
  tally done{};
};

class child final : public qb::Actor {
 public:
  explicit child(game& of) : of_{of} {}
  started onInit() final {
    registerEvent<job>(*this);
    co_return true;
  }
  void on(job&) {
    ++of_.done.count;
    if (--of_.left == 0) push<batch_done>(of_.parent);
    kill();
  }

 private:
  game& of_;
};

class parent final : public qb::Actor {
 public:
  explicit parent(game& of) : of_{of} {}
  started onInit() final {
    registerEvent<batch_done>(*this);
    of_.parent = id();
    of_.batches = of_.all.begin() / spawn_batch;
    spawn_all();
    co_return true;
  }
  void on(batch_done&) {
    if (--of_.batches == 0) {
      if (!of_.all.ended()) return kill();
      of_.batches = of_.all.begin() / spawn_batch;
    }
    spawn_all();
  }

 private:
  void spawn_all() {
    of_.left = spawn_batch;
    for (std::uint32_t at = 0; at < spawn_batch; ++at) {
      push<job>(addRefActor<child>(std::ref(of_)).id());
    }
  }

  game& of_;
};

double spawn(const settings& how) {
  game of{{how, spawn_batch}};
  qb::Main engine;
  engine.addActor<parent>(0, std::ref(of));
  run(engine);
  require(of.done.count == of.all.played(), "not every child has handled its message");
  return of.all.per_round();
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "qb", {{"spawn", "ns", when::always, &spawn}});
}
