// Memory: bytes of an idle actor that has handled one event, besides its state. A core holds 65,534
// actors at most.
#include <array>

#include "../with/qb.hpp"

namespace bench {

struct touch : qb::Event {};

/// 64 bytes of state.
class idler final : public qb::Actor {
 public:
  using state = std::array<std::uint64_t, 8>;
  explicit idler(tally& left) : left_{left} {}
  started onInit() final {
    registerEvent<touch>(*this);
    push<touch>(id());
    co_return true;
  }
  void on(touch&) {
    ++state_[0];
    --left_.count;
  }

 private:
  tally& left_;
  state state_{};
};

struct look : qb::Event {};

/// Waits until all of them have handled their event.
class looker final : public qb::Actor {
 public:
  looker(tally& left, double& bytes) : left_{left}, bytes_{bytes} {}
  started onInit() final {
    registerEvent<look>(*this);
    push<look>(id());
    co_return true;
  }
  void on(look& again) {
    if (left_.count > 0) return reply(again);
    bytes_ = resident_bytes();
    broadcast<qb::KillEvent>();
  }

 private:
  tally& left_;
  double& bytes_;
};

double idle(const settings&) {
  constexpr std::uint32_t count = 60'000;
  tally left{count};
  double after = 0;
  qb::Main engine;
  const double before = resident_bytes();
  for (std::uint32_t at = 0; at < count; ++at) engine.addActor<idler>(0, std::ref(left));
  engine.addActor<looker>(0, std::ref(left), std::ref(after));
  run(engine);
  require(after > before, "actors take no memory");
  return (after - before) / count - double{sizeof(idler::state)};
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "qb", {{"idle-bytes", "bytes", when::always, &idle}});
}
