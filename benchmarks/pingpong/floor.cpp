// The bare machine: one node pushed to and popped from two plain queues in turn. Across two
// threads: a number written in turn to one cache line by spinning threads, ns per round trip.
#include "../with/floor.hpp"

namespace bench {

double pingpong(const settings& how) {
  return repeat(how, 2, [](std::uint64_t rounds) {
    std::array<queue, 2> queues;
    node ball{nullptr, rounds};
    unsigned turn = 0;
    queues[0].push(ball);
    for (;;) {
      node& taken = queues[turn].pop();
      if (--taken.value == 0) break;
      turn = 1 - turn;
      keep(turn);
      queues[turn].push(taken);
    }
    require(ball.value == 0, "the ball was not hit to the end");
  });
}

double across(const settings& how) {
  return repeat(how, 1, [](std::uint64_t rounds) {
    alignas(64) std::atomic<std::uint64_t> line{0};
    const auto await = [&line](std::uint64_t value) {
      // pairs with the other thread's store
      spin_until([&] { return line.load(std::memory_order_acquire) == value; });
    };
    std::thread other{[&] {
      for (std::uint64_t at = 0; at < rounds; ++at) {
        await(2 * at + 1);
        line.store(2 * at + 2, std::memory_order_release);  // pairs with await()
      }
    }};
    for (std::uint64_t at = 0; at < rounds; ++at) {
      line.store(2 * at + 1, std::memory_order_release);  // pairs with await()
      await(2 * at + 2);
    }
    other.join();
    require(line.load(std::memory_order_relaxed) == 2 * rounds, "a trip is missing");  // joined
  });
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "floor",
                        {{"pingpong", "ns", bench::when::always, &bench::pingpong},
                         {"pingpong-2", "ns", bench::when::always, &bench::across}});
}
