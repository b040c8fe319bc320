// One message goes round a ring of actors. ns per hop.
#include "../with/cairn.hpp"

namespace bench {

template <class Kept>
struct node;

struct token {
  std::uint64_t left = 0;
  void serialize(auto& archive) { archive(left); }
};
template <class Kept>
struct link {
  cairn::ref<node<Kept>> next{};
  void serialize(auto& archive) { archive(next); }
};
struct handled {};

template <class Kept>
struct node {
  using protocol = cairn::protocol<token, link<Kept>, handled>;

  void on(link<Kept> l) { next = l.next; }
  void on(token t) {
    kept.count();
    if (t.left <= 1) return timing.stop();
    next.template tell<token>(t.left - 1);
  }
  std::uint64_t on(handled) { return kept.handled; }
  void serialize(auto& archive) { archive(next, kept); }

  cairn::ref<node> next{};
  Kept kept{};
};

}  // namespace bench

template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::node<Kept>> = "bench.node";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::link<Kept>> = "bench.link";

namespace bench {

template <class Kept>
cairn::task<int> play(cairn::root& root, pace& games, std::size_t actors) {
  auto table = root.supervise("table");
  std::vector<cairn::ref<node<Kept>>> ring;
  for (std::size_t at = 0; at < actors; ++at) ring.push_back(table.spawn<node<Kept>>(""));
  for (std::size_t at = 0; at < actors; ++at) {
    ring[at].template tell<link<Kept>>(ring[(at + 1) % actors]);
  }
  std::uint64_t sent = 0;
  while (games.goes_on()) {
    co_await root.sleep(std::chrono::milliseconds{0});
    timing.start();
    ring.front().template tell<token>(games.rounds());
    co_await until_over(root);
    sent += games.rounds();
    games.took(timing.ns());
  }
  std::uint64_t hops = 0;
  for (const auto& each : ring) {
    const auto of_one = co_await each.template ask<handled>();
    hops += of_one;
    require(of_one == sent / actors, "a node of the ring was passed by");
  }
  require(hops == sent, "not every hop was made once");
  co_return 0;
}

template <class Kept, std::size_t Actors>
double ring(const settings& how, const setup& with) {
  pace games{how, 100'000, Actors};
  run<node<Kept>>(how, with, [&](cairn::root& root) { return play<Kept>(root, games, Actors); });
  return games.per_round();
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_rows(all, "ring-100", &ring<plain, 100>, &ring<owning, 100>);
  add_rows(all, "ring-10000", &ring<plain, 10'000>, &ring<owning, 10'000>);
  for (const unsigned workers : {1U, 2U}) {
    const setup with{.workers = workers};
    const std::string behind = workers == 1 ? "" : "@2";
    add(all, "ring-of-10" + behind, &ring<plain, 10>, with, when::growth);
    add(all, "ring-of-100" + behind, &ring<plain, 100>, with, when::growth);
    add(all, "ring-of-1000" + behind, &ring<plain, 1'000>, with, when::growth);
    add(all, "ring-of-10000" + behind, &ring<plain, 10'000>, with, when::growth);
    add(all, "ring-of-100000" + behind, &ring<plain, 100'000>, with, when::growth);
    add(all, "ring-of-1000000" + behind, &ring<plain, 1'000'000>, with, when::growth);
  }
  return main_of(count, words, "cairn", all);
}
