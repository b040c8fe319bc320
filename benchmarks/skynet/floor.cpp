// The bare machine: an object on the heap and a queue's push and pop for each actor; sums go to the
// parent at once.
#include "../with/floor.hpp"

namespace bench {

struct actor : node {
  actor* parent = nullptr;
  std::uint64_t sum = 0;
  std::uint32_t first = 0;
  std::uint32_t leaves = 0;
  std::uint32_t waits_for = 0;
};

/// Told upwards for as long as a sum is complete. Returns the whole sum, or 0.
std::uint64_t tell(actor* from) {
  for (;;) {
    const std::unique_ptr<actor> gone{from};
    if (gone->parent == nullptr) return gone->sum;
    gone->parent->sum += gone->sum;
    if (--gone->parent->waits_for != 0) return 0;
    from = gone->parent;
  }
}

double skynet(const settings&) {
  const double began = now_ns();
  queue ready;
  auto top = std::make_unique<actor>();
  top->leaves = skynet_leaves;
  ready.push(*top.release());
  std::uint64_t total = 0, actors = 1;
  while (!ready.empty()) {
    auto& one = static_cast<actor&>(ready.pop());
    if (one.leaves == 1) {
      one.sum = one.first;
      total += tell(&one);
      continue;
    }
    one.waits_for = skynet_fan;
    for (std::uint32_t at = 0; at < skynet_fan; ++at) {
      auto made = std::make_unique<actor>();
      made->parent = &one;
      made->leaves = one.leaves / skynet_fan;
      made->first = one.first + at * made->leaves;
      ready.push(*made.release());
      ++actors;
    }
  }
  const double took = now_ns() - began;
  require(total == std::uint64_t{skynet_leaves} * (skynet_leaves - 1) / 2, "the sum is wrong");
  require(actors == skynet_actors, "actors are missing");
  return took / skynet_actors;
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "floor",
                        {{"skynet", "ns", bench::when::always, &bench::skynet}});
}
