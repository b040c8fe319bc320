// Memory: bytes of an idle coroutine and its queue that have handled one message, besides 64 bytes
// of state.
#include "../with/tmc.hpp"

namespace bench {

using small = inbox<std::uint64_t, 2>;
using state = std::array<std::uint64_t, 8>;

struct crowd {
  std::uint64_t left = 0;  ///< who has not handled its message yet
  std::atomic<std::uint64_t> ended{0};
};

tmc::task<void> idler(small& mine, crowd& of) {
  state kept{};
  for (;;) {
    auto got = co_await mine.pull();
    if (!got) break;
    kept[0] += *got;
    if (--of.left == 0) timing.stop();
  }
  of.ended.fetch_add(1, std::memory_order_release);  // pairs with the acquire in idle()
}

/// Nobody waits for one of them, which would take a future for each: they are counted.
double idle(const settings& how) {
  one_thread worker;
  constexpr std::size_t at_a_time = 1000;
  const std::size_t count = how.quick ? 100'000 : 1'000'000;
  crowd all;
  const double before = resident_bytes();
  std::vector<small> queues(count);
  for (std::size_t from = 0; from < count; from += at_a_time) {
    all.left = at_a_time;
    timing.start();
    for (std::size_t at = from; at < from + at_a_time; ++at) {
      tmc::post(*worker, idler(queues[at], all));
      queues[at].post(std::uint64_t{1});
    }
    wait_until_over();
  }
  const double bytes = (resident_bytes() - before) / static_cast<double>(count);
  for (auto& one : queues) one.close();
  while (all.ended.load(std::memory_order_acquire) < count) {  // pairs with the release above
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  require(bytes > 0, "coroutines take no memory");
  return bytes - double{sizeof(state)};
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "tmc", {{"idle-bytes", "bytes", when::always, &idle}});
}
