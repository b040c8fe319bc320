// A worker that has sent to another one and has nothing left to do looks for what comes back, for a
// moment, within its step.
#include <utility>

#include "by_hand.hpp"

namespace lingering {

using namespace std::chrono_literals;

struct ball {};
struct rival;
struct serve {
  cairn::ref<rival> other{};
  void serialize(auto& ar) { ar(other); }
};

struct rival {
  using protocol = cairn::protocol<serve, ball>;
  cairn::ref<rival> other{};
  int hit = 0;
  void serialize(auto& ar) { ar(other, hit); }
  void on(serve what) { other = what.other; }
  void on(ball) {
    ++hit;
    other.tell<ball>();
  }
};

/// Lets the other worker take a step wherever it may be that it does.
struct other_runs final : cairn::detail::pauser {
  other_runs(played::by_hand& all, unsigned worker) : hand{all}, other{worker} {}
  void pause() noexcept override {
    if (std::exchange(within, true)) return;
    hand.step(other);
    within = false;
  }
  void reached(const char* /*what*/) noexcept override {}

  played::by_hand& hand;
  const unsigned other;
  bool within = false;
};

/// Two rivals on two workers, which are stepped by hand.
struct match {
  match() {
    on.workers = 2;
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<played::by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<cairn::actors<rival>>>(std::move(chosen));
    running->start([this](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      one = top.spawn<rival>("one");
      two = top.spawn<rival>("two");
      one.tell<serve>(two);
      two.tell<serve>(one);
      co_await root.sleep(10h);
      co_return 0;
    });
    hand.until_quiet();
    auto& inner = running->inner();
    REQUIRE(give_away(inner, *inner.workers[0], *two.where().where, *inner.workers[1]));
    hand.until_quiet();
    one.where().where->pinned = two.where().where->pinned = true;
  }

  [[nodiscard]] int hit_by(unsigned worker) {
    const auto& who = worker == 0 ? one : two;
    return cairn::detail::held<rival>(*who.where().where).state.hit;
  }
  /// How often the rival there hits the ball in one step of its worker.
  [[nodiscard]] int hits_in_a_step(unsigned worker) {
    const int before = hit_by(worker);
    other_runs both{hand, 1 - worker};
    const cairn::detail::scoped_current<cairn::detail::pauser> scope{cairn::detail::current_pauser,
                                                                     &both};
    hand.step(worker);
    return hit_by(worker) - before;
  }

  fixture::bench on{};
  played::by_hand hand{};
  cairn::ref<rival> one{};
  cairn::ref<rival> two{};
  std::unique_ptr<cairn::system<cairn::actors<rival>>> running{};
};

TEST_CASE("a worker looks for what comes back from another one within its step") {
  match game;
  auto& inner = game.running->inner();
  inner.slice = 10;
  game.one.tell<ball>();

  SECTION("as long as a step may last") {
    CHECK(game.hits_in_a_step(0) == 10);
    CHECK(game.hits_in_a_step(1) == 10);
  }
  SECTION("not where it does not wait for it") {
    inner.lingers = 0;
    CHECK(game.hits_in_a_step(0) == 1);
    CHECK(game.hits_in_a_step(0) == 1);
  }
  SECTION("not once an epoch wants something of it") {
    CHECK(game.hits_in_a_step(0) == 10);
    inner.want_epoch();  // begun by the first worker, which runs whenever the second one may pause
    CHECK(game.hits_in_a_step(1) <= 1);
  }
}

}  // namespace lingering
