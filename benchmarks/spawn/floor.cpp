// The bare machine: an object of 64 bytes on the heap for each child, a node pushed and popped, the
// object freed; 100 at a time.
#include "../with/floor.hpp"

namespace bench {

struct child : node {
  std::array<std::uint64_t, 6> state{};
};

double spawn(const settings& how) {
  return repeat(how, spawn_batch, [](std::uint64_t rounds) {
    std::uint64_t done = 0;
    for (std::uint64_t left = rounds; left > 0; left -= spawn_batch) {
      queue messages;
      for (std::uint32_t at = 0; at < spawn_batch; ++at) {
        messages.push(*std::make_unique<child>().release());
      }
      while (!messages.empty()) {
        std::unique_ptr<child> one{static_cast<child*>(&messages.pop())};
        keep(one->state[0]);
        ++done;
      }
    }
    require(done == rounds, "not every child has had its message");
  });
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "floor",
                        {{"spawn", "ns", bench::when::always, &bench::spawn}});
}
