// A crowd of actors, with 64 bytes of state each where not said otherwise, for what depends on how
// many there are.
#pragma once

#include "cairn.hpp"

namespace bench {

struct touch {};

template <class Kept>
struct idler_of {
  using protocol = cairn::protocol<touch>;
  void on(touch) {
    kept.count();
    touched.add();
  }
  void serialize(auto& archive) { archive(kept); }

  static inline counts touched{};  ///< messages that any of them has handled

  Kept kept{};
};
using idler = idler_of<flat>;

struct populate {
  std::uint32_t more = 0;
  void serialize(auto& archive) { archive(more); }
};
struct touch_all {
  std::uint32_t from = 0;
  void serialize(auto& archive) { archive(from); }
};
struct populated {};

/// What one turn sends waits in memory until it ends.
inline constexpr std::uint32_t at_a_time = 1000;

/// Some of `all`, and tells itself to go on.
template <class Kept, class A>
void touch_next(const std::vector<cairn::ref<idler_of<Kept>>>& all, touch_all t,
                cairn::context<A>& self) {
  const auto end = std::min(t.from + at_a_time, static_cast<std::uint32_t>(all.size()));
  for (std::uint32_t at = t.from; at < end; ++at) all[at].template tell<touch>();
  if (end < all.size()) self.ref().template tell<touch_all>(end);
}

/// Spawns the others and knows them all.
template <class Kept>
struct village_of {
  using protocol = cairn::protocol<populate, touch_all, populated>;

  void on(populate p, cairn::context<village_of>& self) {
    const std::uint32_t now = std::min(p.more, at_a_time);
    for (std::uint32_t at = 0; at < now; ++at) {
      all.push_back(self.template spawn<idler_of<Kept>>(""));
    }
    if (p.more > now) self.ref().template tell<populate>(p.more - now);
  }
  void on(touch_all t, cairn::context<village_of>& self) { touch_next(all, t, self); }
  std::vector<cairn::ref<idler_of<Kept>>> on(populated) { return all; }
  void serialize(auto& archive) { archive(all); }

  std::vector<cairn::ref<idler_of<Kept>>> all{};
};
using village = village_of<flat>;

/// Touches them where an epoch is to be of small actors alone: the village would be cut as well, a
/// state of 12 bytes for each of them.
template <class Kept>
struct crier_of {
  using protocol = cairn::protocol<touch_all>;
  void on(touch_all t, cairn::context<crier_of>& self) { touch_next(all, t, self); }
  void serialize(auto&) {}

  static inline std::vector<cairn::ref<idler_of<Kept>>> all{};  ///< the same for the whole run
};
using crier = crier_of<flat>;

}  // namespace bench

template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::idler_of<Kept>> = "bench.idler";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::village_of<Kept>> = "bench.village";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::crier_of<Kept>> = "bench.crier";
template <class Kept>
inline constexpr std::string_view cairn::type_name<cairn::ref<bench::idler_of<Kept>>> = "bench.ref";

namespace bench {

template <class Kept>
struct crowd_of {
  cairn::ref<village_of<Kept>> home{};
  std::vector<cairn::ref<idler_of<Kept>>> all{};
};
using crowd = crowd_of<flat>;

/// Returns when all of them have been spawned.
template <class Kept>
cairn::task<> spawn_crowd(cairn::root& root, std::uint32_t actors, crowd_of<Kept>& made) {
  auto top = root.supervise("top");
  made.home = top.spawn<village_of<Kept>>("village");
  if (!root.restored()) made.home.template tell<populate>(actors);
  do {
    co_await root.sleep(std::chrono::milliseconds{1});
    made.all = co_await made.home.template ask<populated>();
  } while (made.all.size() < actors);
}

/// Returns when all of them have handled one message more, of the village's or the crier's.
template <class Kept, class A>
cairn::task<> touch_crowd(cairn::root& root, cairn::ref<A> by, const crowd_of<Kept>& of) {
  auto& touched = idler_of<Kept>::touched;
  const std::uint64_t wanted = touched.sum() + of.all.size();
  by.template tell<touch_all>();
  while (touched.sum() < wanted) co_await root.sleep(std::chrono::microseconds{200});
}

/// How many actors stand for `many_actors` in this run.
[[nodiscard]] inline std::uint32_t crowd_size(const settings& how, std::uint32_t wanted) {
  return how.quick ? std::min(wanted, quick_actors) : wanted;
}

}  // namespace bench
