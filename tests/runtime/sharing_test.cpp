// Which actors a worker gives to another one: played by hand, and by a clock that is moved by hand.
#include <algorithm>

#include "by_hand.hpp"

namespace sharing {

using namespace std::chrono_literals;

struct ball {};
struct friends;

/// Keeps a ball in the air with everybody else.
struct player {
  using protocol = cairn::protocol<ball, friends>;
  std::vector<cairn::ref<player>> all{};
  std::size_t next = 0;
  void serialize(auto& ar) { ar(all, next); }
  void on(ball) { all[++next % all.size()].tell<ball>(); }
  void on(friends known);
};
struct friends {
  std::vector<cairn::ref<player>> all{};
  void serialize(auto& ar) { ar(all); }
};
inline void player::on(friends known) {
  all = std::move(known.all);
  on(ball{});
}

/// Two workers, if not said otherwise, and twenty players.
struct play {
  static constexpr std::uint64_t players = 20;

  explicit play(unsigned workers = 2) {
    on.workers = workers;
    auto chosen = on.options();
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<played::by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<cairn::actors<player>>>(std::move(chosen));
    running->inner().slice = 4;  // so that neither does all before the other has a step
    running->start([](cairn::root& root) -> cairn::task<int> {
      auto top = root.supervise("top");
      friends known;
      for (std::uint64_t at = 0; at < players; ++at) {
        known.all.push_back(top.spawn<player>("p" + std::to_string(at)));
      }
      for (const auto& each : known.all) each.tell<friends>(known);
      co_await root.sleep(10h);
      co_return 0;
    });
  }

  /// Both take steps, each of which lasts as long as `each` says.
  void pass(int steps, std::chrono::nanoseconds each) {
    for (; steps > 0; --steps) {
      hand.step(0);
      hand.step(1);
      on.clock.advance(each);
    }
  }
  [[nodiscard]] std::uint64_t with(std::size_t worker) const {
    return running->inner().workers[worker]->counters.actors.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t turns_of(std::size_t worker) const {
    return running->inner().workers[worker]->counters.turns();
  }

  fixture::bench on{};
  played::by_hand hand{};
  std::unique_ptr<cairn::system<cairn::actors<player>>> running{};
};

TEST_CASE("actors with short turns stay on one worker") {
  play game;
  game.pass(5000, 500ns);
  CHECK(game.turns_of(1) == 0);
}

TEST_CASE("actors with long turns are shared") {
  play game;
  game.pass(200, 100us);
  CHECK(game.turns_of(1) > game.turns_of(0) / 4);
}

TEST_CASE("actors whose short turns reach another worker come together") {
  play game;
  game.running->inner().always_shares = true;
  game.pass(200, 500ns);
  REQUIRE(game.with(1) >= play::players / 4);
  game.running->inner().always_shares = false;

  SECTION("on the first worker") {
    game.pass(20000, 500ns);
    CHECK(game.with(1) == 0);
  }
  SECTION("unless their turns are long") {
    const auto before = game.turns_of(1);
    game.pass(500, 100us);
    CHECK(game.turns_of(1) - before > game.turns_of(0) / 4);
  }
}

TEST_CASE("a busy worker wakes one that sleeps, not one that is in a long turn") {
  play game{3};
  const auto& all = game.running->inner().workers;
  REQUIRE(all.size() == 3);
  auto& steps = all[0]->steps;  // which has nothing ready
  const auto roused = [&] {
    game.hand.woken.clear();
    cairn::detail::rouse(game.running->inner(), *all[1]);
    return game.hand.woken;
  };
  CHECK(roused() == std::vector<unsigned>{0});
  steps.fetch_add(1, std::memory_order_relaxed);  // as while it is in a turn
  CHECK(roused() == std::vector<unsigned>{2});
  steps.fetch_add(1, std::memory_order_relaxed);
  CHECK(roused() == std::vector<unsigned>{0});
}

struct starter {
  using protocol = cairn::protocol<ball>;
  static inline std::vector<int> order{};
  int number = 0;
  void serialize(auto& ar) { ar(number); }
  void on_start(cairn::context<starter>&) { order.push_back(number); }
  void on(ball) {}
};

TEST_CASE("children start from the eldest on where others are given away meanwhile") {
  constexpr int children = 200;
  starter::order.clear();
  fixture::bench on;
  on.workers = 2;
  played::by_hand hand;
  auto chosen = on.options();
  chosen.schedulers = [&](cairn::seats of) {
    return std::make_unique<played::by_hand::seat>(hand, of);
  };
  cairn::system<cairn::actors<starter>> running{std::move(chosen)};
  running.inner().slice = 4;
  running.inner().always_shares = true;
  running.start([](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    for (int at = 0; at < children; ++at) {
      top.spawn<starter>("s" + std::to_string(at), starter{.number = at});
    }
    co_await root.sleep(10h);
    co_return 0;
  });
  for (int steps = 0; steps < 1000 && starter::order.size() < children; ++steps) {
    hand.step(1);
    hand.step(0);
  }
  CHECK(starter::order.size() == children);
  CHECK(std::is_sorted(starter::order.begin(), starter::order.end()));
}

}  // namespace sharing
