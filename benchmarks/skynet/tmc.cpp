// A task spawns ten and awaits them, each of them ten, down to a million leaves. ns per task.
#include "../with/tmc.hpp"

namespace bench {

tmc::task<std::uint64_t> node(std::uint32_t first, std::uint32_t leaves) {
  if (leaves == 1) co_return first;
  const std::uint32_t each = leaves / skynet_fan;
  std::array<tmc::task<std::uint64_t>, skynet_fan> children;
  for (std::uint32_t at = 0; at < skynet_fan; ++at) children[at] = node(first + at * each, each);
  const auto sums = co_await tmc::spawn_many<skynet_fan>(children.data());
  std::uint64_t sum = 0;
  for (const std::uint64_t one : sums) sum += one;
  co_return sum;
}

double skynet(const settings&) {
  one_thread worker;
  const double began = now_ns();
  const std::uint64_t total = tmc::post_waitable(*worker, node(0, skynet_leaves)).get();
  const double took = now_ns() - began;
  require(total == std::uint64_t{skynet_leaves} * (skynet_leaves - 1) / 2, "the sum is wrong");
  return took / skynet_actors;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "tmc", {{"skynet", "ns", when::always, &skynet}});
}
