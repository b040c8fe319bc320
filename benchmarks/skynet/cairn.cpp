// An actor spawns ten, each of them ten, down to a million leaves; each leaf tells its number,
// each of the others the sum of its children, and stops. ns per actor.
// After https://github.com/atemerev/skynet
#include "../with/cairn.hpp"

namespace bench {

template <class Kept>
struct node;

struct sum {
  std::uint64_t of = 0;
  void serialize(auto& archive) { archive(of); }
};
struct begin {};

inline std::uint64_t total = 0;  ///< what the topmost has been told

template <class Kept>
struct node {
  using protocol = cairn::protocol<begin, sum>;

  void on(begin, cairn::context<node>& self) {
    kept.count();
    if (leaves == 1) return tell(first, self);
    waits_for = skynet_fan;
    const std::uint32_t each = leaves / skynet_fan;
    for (std::uint32_t at = 0; at < skynet_fan; ++at) {
      self.template spawn<node>("", self.ref(), first + at * each, each).template tell<begin>();
    }
  }
  void on(sum s, cairn::context<node>& self) {
    so_far += s.of;
    if (--waits_for == 0) tell(so_far, self);
  }
  void serialize(auto& archive) { archive(parent, first, leaves, waits_for, so_far, kept); }

  void tell(std::uint64_t what, cairn::context<node>& self) {
    if (parent) {
      parent.template tell<sum>(what);
    } else {
      total = what;
      timing.stop();
    }
    self.stop();
  }

  cairn::ref<node> parent{};
  std::uint32_t first = 0;
  std::uint32_t leaves = 0;
  std::uint32_t waits_for = 0;
  std::uint64_t so_far = 0;
  Kept kept{};
};

}  // namespace bench

template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::node<Kept>> = "bench.node";

namespace bench {

template <class Kept>
cairn::task<int> play(cairn::root& root, double& took) {
  auto table = root.supervise("table");
  auto top = table.spawn<node<Kept>>("", cairn::ref<node<Kept>>{}, 0U, skynet_leaves);
  co_await root.sleep(std::chrono::milliseconds{0});
  timing.start();
  top.template tell<begin>();
  co_await until_over(root);
  require(total == std::uint64_t{skynet_leaves} * (skynet_leaves - 1) / 2, "the sum is wrong");
  took = timing.ns();
  // An epoch of a short run may not have ended yet.
  co_await root.sleep(std::chrono::milliseconds{150});
  co_await root.checkpoint();
  co_return 0;
}

template <class Kept>
double skynet(const settings& how, const setup& with) {
  double took = 0;
  run<node<Kept>>(how, with, [&](cairn::root& root) { return play<Kept>(root, took); });
  return took / skynet_actors;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_twins(all, "skynet", &skynet<plain>, &skynet<owning>, when::always);
  add(all, "skynet@2", &skynet<plain>, {.workers = 2}, when::full);
  return main_of(count, words, "cairn", all);
}
