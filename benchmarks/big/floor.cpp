// The bare machine: each of many queues gets and answers nodes at random, and a queue of those that
// have something says whose turn it is.
#include "../with/floor.hpp"

namespace bench {

struct mailbox {
  node ready{};
  queue waiting{};
  bool queued = false;
};

struct letter : node {
  std::uint64_t owner = 0;  ///< who has sent the ping
  std::uint64_t left = 0;
};

template <std::uint64_t Actors>
double big(const settings& how) {
  return repeat(how, 2 * Actors, [](std::uint64_t rounds) {
    std::vector<mailbox> boxes(Actors);
    std::vector<letter> letters(Actors);
    queue ready;
    xorshift chance;
    const auto send = [&](std::uint64_t to, letter& one) {
      boxes[to].waiting.push(one);
      if (std::exchange(boxes[to].queued, true)) return;
      boxes[to].ready.value = to;
      ready.push(boxes[to].ready);
    };
    for (std::uint64_t at = 0; at < Actors; ++at) {
      letters[at].owner = at;
      letters[at].left = rounds / 2 / Actors;
      send(chance.next() % Actors, letters[at]);
      letters[at].value = 1;  // a ping
    }
    std::uint64_t handled = 0;
    while (!ready.empty()) {
      const std::uint64_t at = ready.pop().value;
      boxes[at].queued = false;
      while (!boxes[at].waiting.empty()) {
        auto& one = static_cast<letter&>(boxes[at].waiting.pop());
        ++handled;
        if (std::exchange(one.value, 1 - one.value) == 1) {
          send(one.owner, one);
        } else if (--one.left > 0) {
          send(chance.next() % Actors, one);
        }
      }
    }
    require(handled == rounds, "not every ping had one reply");
  });
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "floor",
                 {{"big", "ns", when::always, &big<big_actors>},
                  {"big-of-10", "ns", when::growth, &big<10>},
                  {"big-of-100", "ns", when::growth, &big<100>},
                  {"big-of-1000", "ns", when::growth, &big<1'000>},
                  {"big-of-10000", "ns", when::growth, &big<10'000>},
                  {"big-of-100000", "ns", when::growth, &big<100'000>},
                  {"big-of-1000000", "ns", when::growth, &big<1'000'000>}});
}
