// An actor spawns children, each is sent one message and stops. ns per child.
#include "../with/cairn.hpp"

namespace bench {

template <class Kept>
struct parent;

template <class Kept>
struct job {
  cairn::ref<parent<Kept>> last{};  ///< who is told, by the last child of a batch
  void serialize(auto& archive) { archive(last); }
};
struct begin {
  std::uint64_t batches = 0;
  std::uint64_t wanted = 0;  ///< what `done` comes to
  void serialize(auto& archive) { archive(batches, wanted); }
};
struct next_batch {};

inline counts done;  ///< children that have handled their message

template <class Kept>
struct child {
  using protocol = cairn::protocol<job<Kept>>;
  void on(job<Kept> j, cairn::context<child>& self) {
    kept.count();
    done.add();
    if (j.last) j.last.template tell<next_batch>();
    self.stop();
  }
  void serialize(auto& archive) { archive(kept); }
  Kept kept{};
};

template <class Kept>
struct parent {
  using protocol = cairn::protocol<begin, next_batch>;

  void on(begin b, cairn::context<parent>& self) {
    left = b.batches;
    wanted = b.wanted;
    spawn_batch_of(self);
  }
  void on(next_batch, cairn::context<parent>& self) {
    if (left > 0 && --left > 0) return spawn_batch_of(self);
    if (done.sum() == wanted) return timing.stop();
    self.ref().template tell<next_batch>();  // another worker has some of the children yet
  }
  void serialize(auto& archive) { archive(left, wanted); }

  void spawn_batch_of(cairn::context<parent>& self) {
    for (std::uint32_t at = 1; at <= spawn_batch; ++at) {
      auto made = self.template spawn<child<Kept>>("");
      made.template tell<job<Kept>>(at == spawn_batch ? self.ref() : cairn::ref<parent>{});
    }
  }

  std::uint64_t left = 0;
  std::uint64_t wanted = 0;
};

}  // namespace bench

template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::child<Kept>> = "bench.child";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::parent<Kept>> = "bench.parent";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::job<Kept>> = "bench.job";

namespace bench {

template <class Kept>
cairn::task<int> play(cairn::root& root, pace& games) {
  auto table = root.supervise("table");
  auto top = table.spawn<parent<Kept>>("parent");
  std::uint64_t wanted = done.sum();
  while (games.goes_on()) {
    co_await root.sleep(std::chrono::milliseconds{0});
    wanted += games.rounds();
    timing.start();
    top.template tell<begin>(games.rounds() / spawn_batch, wanted);
    co_await until_over(root);
    games.took(timing.ns());
  }
  require(done.sum() == wanted, "not every child has handled its message");
  co_return 0;
}

template <class Kept>
double spawn(const settings& how, const setup& with) {
  pace games{how, 10'000, spawn_batch};
  run<parent<Kept>, child<Kept>>(how, with,
                                 [&](cairn::root& root) { return play<Kept>(root, games); });
  return games.per_round();
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_rows(all, "spawn", &spawn<plain>, &spawn<owning>);
  return main_of(count, words, "cairn", all);
}
