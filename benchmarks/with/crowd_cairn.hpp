// A crowd of actors with 64 bytes of state each, for what depends on how many there are.
#pragma once

#include "cairn.hpp"

namespace bench {

struct touch {};

struct idler {
  using protocol = cairn::protocol<touch>;
  void on(touch) {
    ++state[0];
    touched.add();
  }
  void serialize(auto& archive) { archive(state); }

  static inline counts touched{};  ///< messages that any of them has handled

  std::array<std::uint64_t, state_bytes / 8> state{};
};

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
template <class A>
void touch_next(const std::vector<cairn::ref<idler>>& all, touch_all t, cairn::context<A>& self) {
  const auto end = std::min(t.from + at_a_time, static_cast<std::uint32_t>(all.size()));
  for (std::uint32_t at = t.from; at < end; ++at) all[at].tell<touch>();
  if (end < all.size()) self.ref().template tell<touch_all>(end);
}

/// Spawns the others and knows them all.
struct village {
  using protocol = cairn::protocol<populate, touch_all, populated>;

  void on(populate p, cairn::context<village>& self) {
    const std::uint32_t now = std::min(p.more, at_a_time);
    for (std::uint32_t at = 0; at < now; ++at) all.push_back(self.spawn<idler>(""));
    if (p.more > now) self.ref().tell<populate>(p.more - now);
  }
  void on(touch_all t, cairn::context<village>& self) { touch_next(all, t, self); }
  std::vector<cairn::ref<idler>> on(populated) { return all; }
  void serialize(auto& archive) { archive(all); }

  std::vector<cairn::ref<idler>> all{};
};

/// Touches them where an epoch is to be of small actors alone: the village would be cut as well, a
/// state of 12 bytes for each of them.
struct crier {
  using protocol = cairn::protocol<touch_all>;
  void on(touch_all t, cairn::context<crier>& self) { touch_next(all, t, self); }
  void serialize(auto&) {}

  static inline std::vector<cairn::ref<idler>> all{};  ///< the same for the whole run
};

}  // namespace bench

template <>
inline constexpr std::string_view cairn::type_name<cairn::ref<bench::idler>> = "bench.ref";

namespace bench {

struct crowd {
  cairn::ref<village> home{};
  std::vector<cairn::ref<idler>> all{};
};

/// Returns when all of them have been spawned.
inline cairn::task<> spawn_crowd(cairn::root& root, std::uint32_t actors, crowd& made) {
  auto top = root.supervise("top");
  made.home = top.spawn<village>("village");
  if (!root.restored()) made.home.tell<populate>(actors);
  do {
    co_await root.sleep(std::chrono::milliseconds{1});
    made.all = co_await made.home.ask<populated>();
  } while (made.all.size() < actors);
}

/// Returns when all of them have handled one message more, of the village's or the crier's.
template <class A>
cairn::task<> touch_crowd(cairn::root& root, cairn::ref<A> by, const crowd& of) {
  const std::uint64_t wanted = idler::touched.sum() + of.all.size();
  by.template tell<touch_all>();
  while (idler::touched.sum() < wanted) co_await root.sleep(std::chrono::microseconds{200});
}

/// How many actors stand for `many_actors` in this run.
[[nodiscard]] inline std::uint32_t crowd_size(const settings& how, std::uint32_t wanted) {
  return how.quick ? std::min(wanted, quick_actors) : wanted;
}

}  // namespace bench
