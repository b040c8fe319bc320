// Memory: bytes of an idle coroutine and its queue that have handled one message, besides 64 bytes
// of state.
#include "../with/tmc.hpp"

namespace bench {

using small = inbox<std::uint64_t, 2>;
using state = std::array<std::uint64_t, 8>;

tmc::task<void> idler(small& mine, tally& left) {
  state kept{};
  for (;;) {
    auto got = co_await mine.pull();
    if (!got) co_return;
    kept[0] += *got;
    if (--left.count == 0) timing.stop();
  }
}

double idle(const settings& how) {
  one_thread worker;
  const std::size_t count = how.quick ? 100'000 : 1'000'000;
  tally left{count};
  actors all;
  all.reserve(count);
  const double before = resident_bytes();
  std::vector<small> queues(count);
  timing.start();
  for (auto& one : queues) {
    all.push_back(tmc::post_waitable(*worker, idler(one, left)));
    one.post(std::uint64_t{1});
  }
  wait_until_over();
  const double bytes = (resident_bytes() - before) / static_cast<double>(count);
  for (auto& one : queues) one.close();
  join(all);
  require(bytes > 0, "coroutines take no memory");
  return bytes - double{sizeof(state)};
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "tmc", {{"idle-bytes", "bytes", when::always, &idle}});
}
