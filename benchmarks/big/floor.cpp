// The bare machine: each of 200 queues gets and answers nodes at random, and a queue of those that
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

double big(const settings& how) {
  return repeat(how, std::uint64_t{2} * big_actors, [](std::uint64_t rounds) {
    std::vector<mailbox> boxes(big_actors);
    std::vector<letter> letters(big_actors);
    queue ready;
    xorshift chance;
    const auto send = [&](std::uint64_t to, letter& one) {
      boxes[to].waiting.push(one);
      if (std::exchange(boxes[to].queued, true)) return;
      boxes[to].ready.value = to;
      ready.push(boxes[to].ready);
    };
    for (std::uint64_t at = 0; at < big_actors; ++at) {
      letters[at].owner = at;
      letters[at].left = rounds / 2 / big_actors;
      send(chance.next() % big_actors, letters[at]);
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
          send(chance.next() % big_actors, one);
        }
      }
    }
    require(handled == rounds, "not every ping had one reply");
  });
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "floor", {{"big", "ns", bench::when::always, &bench::big}});
}
