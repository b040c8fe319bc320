// Memory: bytes of an idle actor that has handled one event, besides its state. A core holds 65,534
// actors at most.
#include <array>

#include "../with/qb.hpp"

namespace bench {

struct touch : qb::Event {};
struct batch_done : qb::Event {};

inline constexpr std::uint32_t idlers = 60'000;
/// Spawned and touched at a time: a pipe keeps the room of all events that it has held at once.
inline constexpr std::uint32_t at_a_time = 1000;

struct crowd {
  qb::ActorId village{};
  std::uint32_t spawned = 0;
  std::uint32_t left = 0;  ///< of those at a time
  double before = 0;
  double after = 0;
};

/// 64 bytes of state.
class idler final : public qb::Actor {
 public:
  using state = std::array<std::uint64_t, 8>;
  explicit idler(crowd& of) : of_{of} {}
  started onInit() final {
    registerEvent<touch>(*this);
    co_return true;
  }
  void on(touch&) {
    ++state_[0];
    if (--of_.left == 0) push<batch_done>(of_.village);
  }

 private:
  crowd& of_;
  state state_{};
};

/// Spawns the others, and looks when the last of them has handled its event.
class village final : public qb::Actor {
 public:
  explicit village(crowd& of) : of_{of} {}
  started onInit() final {
    registerEvent<batch_done>(*this);
    of_.village = id();
    of_.before = resident_bytes();
    spawn_some();
    co_return true;
  }
  void on(batch_done&) {
    if (of_.spawned < idlers) return spawn_some();
    of_.after = resident_bytes();
    broadcast<qb::KillEvent>();
  }

 private:
  void spawn_some() {
    of_.left = at_a_time;
    of_.spawned += at_a_time;
    for (std::uint32_t at = 0; at < at_a_time; ++at) {
      push<touch>(addRefActor<idler>(std::ref(of_)).id());
    }
  }

  crowd& of_;
};

double idle(const settings&) {
  crowd all;
  qb::Main engine;
  engine.addActor<village>(0, std::ref(all));
  run(engine);
  require(all.spawned == idlers && all.left == 0, "not every actor has handled its event");
  require(all.after > all.before, "actors take no memory");
  return (all.after - all.before) / idlers - double{sizeof(idler::state)};
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "qb", {{"idle-bytes", "bytes", when::always, &idle}});
}
