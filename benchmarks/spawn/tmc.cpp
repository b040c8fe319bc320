// A coroutine spawns others, each is sent one message through a queue of its own and ends. ns per
// child.
#include "../with/tmc.hpp"

namespace bench {

struct batch {
  tally done;
  std::uint32_t left = 0;
  inbox<std::uint64_t> orders;  ///< how many batches to spawn, or 0: one has ended
};

tmc::task<void> child(std::unique_ptr<inbox<std::uint64_t, 2>> mine, batch& of) {
  auto job = co_await mine->pull();
  of.done.count += *job;
  if (--of.left == 0) of.orders.post(std::uint64_t{0});
}

tmc::task<void> parent(batch& of) {
  std::uint64_t batches = 0;
  for (;;) {
    auto order = co_await of.orders.pull();
    if (!order) co_return;
    if (*order > 0) {
      batches = *order;
    } else if (--batches == 0) {
      timing.stop();
      continue;
    }
    of.left = spawn_batch;
    for (std::uint32_t at = 0; at < spawn_batch; ++at) {
      auto queue = std::make_unique<inbox<std::uint64_t, 2>>();
      auto& to = *queue;
      tmc::spawn(child(std::move(queue), of)).detach();
      to.post(std::uint64_t{1});
    }
  }
}

double spawn(const settings& how) {
  one_thread worker;
  batch of;
  auto top = tmc::post_waitable(*worker, parent(of));
  std::uint64_t wanted = 0;
  const double each = play_games(how, spawn_batch, [&](std::uint64_t rounds) {
    wanted += rounds;
    of.orders.post(rounds / spawn_batch);
  });
  of.orders.close();
  top.get();
  require(of.done.count == wanted, "not every child has handled its message");
  return each;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "tmc", {{"spawn", "ns", when::always, &spawn}});
}
