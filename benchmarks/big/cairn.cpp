// 200 actors, or so many as the name says; each pings another one at random, waits for its reply,
// and goes on. ns per message.
#include "../with/cairn.hpp"

namespace bench {

struct ping {
  std::uint64_t from = 0;
  void serialize(auto& archive) { archive(from); }
};
struct pong {
  std::uint64_t from = 0;
  void serialize(auto& archive) { archive(from); }
};
struct begin {
  std::uint64_t pings = 0;
  void serialize(auto& archive) { archive(pings); }
};
struct done {};
struct expect {
  std::uint64_t actors = 0;
  void serialize(auto& archive) { archive(actors); }
};
struct handled {};

/// Is told by each actor that it has had all its replies.
struct referee {
  using protocol = cairn::protocol<expect, done>;
  void on(expect e) { left = e.actors; }
  void on(done) {
    if (--left == 0) timing.stop();
  }
  void serialize(auto& archive) { archive(left); }
  std::uint64_t left = 0;
};

template <class Kept, std::uint64_t Actors>
struct pinger {
  using protocol = cairn::protocol<ping, pong, begin, handled>;

  void on(begin b) {
    left = b.pings;
    send_ping();
  }
  void on(ping p) {
    kept.count();
    all[p.from].template tell<pong>(number);
  }
  void on(pong) {
    kept.count();
    if (--left == 0) {
      judge.tell<done>();
    } else {
      send_ping();
    }
  }
  std::uint64_t on(handled) { return kept.handled; }
  void serialize(auto& archive) { archive(number, left, chance.state, kept); }

  void send_ping() {
    const std::uint64_t other = chance.next() % (Actors - 1);
    all[other < number ? other : other + 1].template tell<ping>(number);
  }

  /// Set before the first message and the same for the whole run: no part of the state.
  static inline std::vector<cairn::ref<pinger>> all{};
  static inline cairn::ref<referee> judge{};

  std::uint64_t number = 0;
  xorshift chance{};
  std::uint64_t left = 0;
  Kept kept{};
};

}  // namespace bench

template <class Kept, std::uint64_t Actors>
inline constexpr std::string_view cairn::type_name<bench::pinger<Kept, Actors>> = "bench.pinger";

namespace bench {

template <class Kept, std::uint64_t Actors>
cairn::task<int> play(cairn::root& root, pace& games) {
  auto table = root.supervise("table");
  auto judge = table.spawn<referee>("referee");
  auto& all = pinger<Kept, Actors>::all;
  pinger<Kept, Actors>::judge = judge;
  all.clear();
  for (std::uint64_t at = 0; at < Actors; ++at) {
    all.push_back(table.spawn<pinger<Kept, Actors>>("", at, xorshift{at + 1}));
  }
  std::uint64_t sent = 0;
  while (games.goes_on()) {
    judge.tell<expect>(Actors);
    co_await root.sleep(std::chrono::milliseconds{0});
    timing.start();
    // A round is a message: a ping or its reply.
    for (const auto& each : all) each.template tell<begin>(games.rounds() / 2 / Actors);
    co_await until_over(root);
    sent += games.rounds();
    games.took(timing.ns());
  }
  std::uint64_t sum = 0;
  for (const auto& each : all) {
    const auto of_one = co_await each.template ask<handled>();
    sum += of_one;
  }
  require(sum == sent, "not every ping had one reply");
  co_return 0;
}

template <class Kept, std::uint64_t Actors = big_actors>
double big(const settings& how, const setup& with) {
  // Four pings of each at least: to be told to begin, and to tell the end, takes its time, too.
  pace games{how, std::max<std::uint64_t>(100'000, 8 * Actors), 2 * Actors};
  run<referee, pinger<Kept, Actors>>(
      how, with, [&](cairn::root& root) { return play<Kept, Actors>(root, games); });
  return games.per_round();
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_rows(all, "big", &big<plain>, &big<owning>);
  for (const unsigned workers : {1U, 2U}) {
    const setup with{.workers = workers};
    const std::string behind = workers == 1 ? "" : "@2";
    add(all, "big-of-10" + behind, &big<plain, 10>, with, when::growth);
    add(all, "big-of-100" + behind, &big<plain, 100>, with, when::growth);
    add(all, "big-of-1000" + behind, &big<plain, 1'000>, with, when::growth);
    add(all, "big-of-10000" + behind, &big<plain, 10'000>, with, when::growth);
    add(all, "big-of-100000" + behind, &big<plain, 100'000>, with, when::growth);
    add(all, "big-of-1000000" + behind, &big<plain, 1'000'000>, with, when::growth);
  }
  return main_of(count, words, "cairn", all);
}
