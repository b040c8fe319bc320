// The bare machine: one node goes through as many plain queues as there are actors.
#include "../with/floor.hpp"

namespace bench {

template <std::size_t Queues>
double ring(const settings& how) {
  return repeat(how, Queues, [](std::uint64_t rounds) {
    std::vector<queue> queues(Queues);
    node token{nullptr, rounds};
    std::size_t at = 0;
    queues[0].push(token);
    for (;;) {
      node& taken = queues[at].pop();
      if (--taken.value == 0) break;
      at = at + 1 == Queues ? 0 : at + 1;
      keep(at);
      queues[at].push(taken);
    }
    require(at == Queues - 1, "the token did not go round");
  });
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "floor",
                 {{"ring-100", "ns", when::always, &ring<100>},
                  {"ring-10000", "ns", when::always, &ring<10'000>},
                  {"ring-of-10", "ns", when::growth, &ring<10>},
                  {"ring-of-100", "ns", when::growth, &ring<100>},
                  {"ring-of-1000", "ns", when::growth, &ring<1'000>},
                  {"ring-of-10000", "ns", when::growth, &ring<10'000>},
                  {"ring-of-100000", "ns", when::growth, &ring<100'000>},
                  {"ring-of-1000000", "ns", when::growth, &ring<1'000'000>}});
}
