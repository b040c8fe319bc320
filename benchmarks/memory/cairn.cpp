// Memory: bytes of an idle actor besides its state, and how much a long run grows.
#include <malloc.h>

#include "../with/cairn.hpp"

namespace bench {

template <class Kept>
struct village;
/// The last of some is told who goes on, and with how many.
template <class Kept>
struct touch {
  cairn::ref<village<Kept>> then{};
  std::uint32_t more = 0;
  void serialize(auto& archive) { archive(then, more); }
};
struct populate {
  std::uint32_t more = 0;
  void serialize(auto& archive) { archive(more); }
};
struct populated {};

template <class Kept>
struct idler {
  using protocol = cairn::protocol<touch<Kept>>;
  void on(touch<Kept> t);
  void serialize(auto& archive) { archive(kept); }
  Kept kept{};
};
/// Of the state itself: 64 bytes, and what it owns.
[[nodiscard]] inline std::size_t bytes_of(const flat& state) { return sizeof state; }
[[nodiscard]] inline std::size_t bytes_of(const owning& state) {
  const auto block = [](const auto& owner) {
    return malloc_usable_size(const_cast<void*>(static_cast<const void*>(owner.data()))) +
           sizeof(std::size_t);  // what the allocator writes before it
  };
  return sizeof state + block(state.name) + block(state.last);
}

/// Spawns the others, some at a time: their messages take no room to speak of.
template <class Kept>
struct village {
  using protocol = cairn::protocol<populate, populated>;
  void on(populate p, cairn::context<village>& self) {
    const std::uint32_t now = std::min(p.more, 1000U);
    for (std::uint32_t at = 1; at < now; ++at) add(self).template tell<touch<Kept>>();
    add(self).template tell<touch<Kept>>(self.ref(), p.more - now);
    spawned += now;
  }
  static cairn::ref<idler<Kept>> add(cairn::context<village>& self) {
    return self.template spawn<idler<Kept>>("");
  }
  std::uint64_t on(populated) { return spawned; }
  void serialize(auto& archive) { archive(spawned); }
  std::uint64_t spawned = 0;
};
template <class Kept>
void idler<Kept>::on(touch<Kept> t) {
  kept.count();
  if (t.more != 0) t.then.template tell<populate>(t.more);
}

}  // namespace bench

template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::touch<Kept>> = "bench.touch";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::idler<Kept>> = "bench.idler";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::village<Kept>> = "bench.village";

namespace bench {

/// What the allocator keeps of freed memory for whoever wants some next is no idle actor's. Without
/// epochs that is less than a byte of each; but an epoch in which a million are dirty leaves some
/// 100 bytes of each to the next epoch. Both rows are measured alike.
template <class Kept>
cairn::task<int> populate_all(cairn::root& root, std::uint32_t actors, bool epochs,
                              double& bytes_each) {
  auto top = root.supervise("village");
  auto all = top.spawn<village<Kept>>("all");
  co_await root.sleep(std::chrono::milliseconds{1});
  const double before = resident_bytes();
  all.template tell<populate>(actors);
  for (;;) {
    co_await root.sleep(std::chrono::milliseconds{5});
    const auto spawned = co_await all.template ask<populated>();
    if (spawned == actors) break;
  }
  co_await root.sleep(std::chrono::milliseconds{20});  // the last ones handle their message
  if (epochs) co_await root.checkpoint();
  malloc_trim(0);
  bytes_each = (resident_bytes() - before) / actors - static_cast<double>(bytes_of(Kept{}));
  co_return 0;
}

template <std::uint32_t Actors, class Kept = flat>
double idle(const settings& how, const setup& with) {
  double bytes_each = 0;
  const std::uint32_t actors = how.quick ? std::min(Actors, 100'000U) : Actors;
  run<village<Kept>, idler<Kept>>(how, with, [&](cairn::root& root) {
    return populate_all<Kept>(root, actors, with.epochs, bytes_each);
  });
  require(bytes_each > 0, "actors take no memory");
  return bytes_each;
}

template <class Kept>
struct player;
struct ball {
  std::uint64_t left = 0;
  void serialize(auto& archive) { archive(left); }
};
template <class Kept>
struct meet {
  cairn::ref<player<Kept>> other{};
  void serialize(auto& archive) { archive(other); }
};
template <class Kept>
struct player {
  using protocol = cairn::protocol<ball, meet<Kept>>;
  void on(meet<Kept> m) { other = m.other; }
  void on(ball b) {
    kept.count();
    if (b.left <= 1) return timing.stop();
    other.template tell<ball>(b.left - 1);
  }
  void serialize(auto& archive) { archive(other, kept); }
  cairn::ref<player> other{};
  Kept kept{};
};

}  // namespace bench

template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::player<Kept>> = "bench.player";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::meet<Kept>> = "bench.meet";

namespace bench {

template <class Kept>
cairn::task<> play_for(cairn::root& root, cairn::ref<player<Kept>> first, std::uint64_t balls) {
  timing.start();
  first.template tell<ball>(balls);
  co_await until_over(root);
}

template <class Kept>
cairn::task<int> play_long(cairn::root& root, std::uint64_t balls, double& growth) {
  auto table = root.supervise("table");
  auto one = table.spawn<player<Kept>>("one");
  auto two = table.spawn<player<Kept>>("two");
  one.template tell<meet<Kept>>(two);
  two.template tell<meet<Kept>>(one);
  co_await root.sleep(std::chrono::milliseconds{1});
  co_await play_for(root, one, balls / 10);
  const double before = resident_bytes();
  co_await play_for(root, one, balls);
  growth = resident_bytes() - before;
  co_return 0;
}

/// What the process may grow by after a tenth of the messages. No message may leave anything: the
/// smallest block of the allocator, 32 bytes, left by one in a hundred would be 1.3 MB of a quick
/// run's four million, and 32 MB of a hundred million. What does not grow with the messages may
/// come late, a pool's next piece or an epoch's buffers: 64 KiB have been seen.
inline constexpr double most_growth = 1024 * 1024;

template <class Kept>
double grow(const settings& how, const setup& with) {
  double growth = 0;
  run<player<Kept>>(how, with, [&](cairn::root& root) {
    return play_long<Kept>(root, how.quick ? 4'000'000 : 100'000'000, growth);
  });
  require(growth < most_growth, "messages leave memory behind");
  return growth;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_both(all, "idle-bytes", &idle<1'000'000>, when::always, {}, "bytes");
  add_both(all, "idle-bytes-owning", &idle<1'000'000, owning>, when::full, {}, "bytes");
  add_both(all, "memory-growth", &grow<plain>, when::always, {}, "bytes");
  add_both(all, "memory-growth-owning", &grow<owning>, when::always, {}, "bytes");
  add(all, "idle-bytes-of-1000", &idle<1'000>, {}, when::growth, "bytes");
  add(all, "idle-bytes-of-10000", &idle<10'000>, {}, when::growth, "bytes");
  add(all, "idle-bytes-of-100000", &idle<100'000>, {}, when::growth, "bytes");
  add(all, "idle-bytes-of-1000000", &idle<1'000'000>, {}, when::growth, "bytes");
  return main_of(count, words, "cairn", all);
}
