// The bare machine: chunks of nodes pushed to a plain queue, then popped. Across two threads:
// batches of 256 linked nodes, handed over and back through one cache line each.
#include "../with/fanin_floor.hpp"

namespace bench {

inline constexpr std::size_t batch = 256;
inline constexpr std::size_t batches = 4;  ///< under way

struct alignas(64) hand_over {
  std::atomic<node*> full{nullptr};
};

double across(const settings& how) {
  std::vector<node> nodes(batch * batches);
  return repeat(how, batch * batches, [&](std::uint64_t rounds) {
    std::array<hand_over, batches> places;
    std::uint64_t counted = 0;
    std::thread counter{[&] {
      for (std::size_t at = 0; counted < rounds; at = (at + 1) % batches) {
        node* first = nullptr;
        // pairs with the sender's store: its nodes are visible
        spin_until(
            [&] { return (first = places[at].full.load(std::memory_order_acquire)) != nullptr; });
        for (; first != nullptr; first = first->next) counted += first->value;
        places[at].full.store(nullptr, std::memory_order_release);  // pairs with the sender's load
      }
    }};
    std::size_t at = 0;
    for (std::uint64_t sent = 0; sent < rounds; sent += batch, at = (at + 1) % batches) {
      // pairs with the counter's store
      spin_until([&] { return places[at].full.load(std::memory_order_acquire) == nullptr; });
      node* first = nullptr;
      for (std::size_t each = 0; each < batch; ++each) {
        node& one = nodes[at * batch + each];
        one = {first, 1};
        first = &one;
      }
      places[at].full.store(first, std::memory_order_release);  // pairs with the counter's load
    }
    counter.join();
    require(counted == rounds, "not every node was counted once");
  });
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "floor",
                 {{"fanin-8", "ns", when::always, &fan_in<8>},
                  {"fanin-100", "ns", when::always, &fan_in<100>},
                  {"fanin-2", "ns", when::always, &across}});
}
