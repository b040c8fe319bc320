// What cairn's benchmarks share: states to choose from, and a system to play in.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <cairn/actor.hpp>
#include <cairn/options.hpp>
#include <cairn/root.hpp>

#include "../common.hpp"
#include "../loads.hpp"
#include "../sizes.hpp"

namespace bench {

/// What an actor keeps besides what its game needs. It changes with every message.
struct plain {  ///< may be copied as bytes
  std::uint64_t handled = 0;
  void count() { ++handled; }
  void serialize(auto& archive) { archive(handled); }
};
struct flat {  ///< the same, of the size that epochs and recovery are measured with
  std::array<std::uint64_t, state_bytes / 8> all{};
  void count() { ++all[0]; }
  void serialize(auto& archive) { archive(all); }
};
struct owning {  ///< holds a string and a vector
  std::uint64_t handled = 0;
  std::string name = "a name that no small string has room for";
  std::vector<std::uint64_t> last = std::vector<std::uint64_t>(8);
  void count() {
    ++handled;
    last[handled % last.size()] = handled;
  }
  void serialize(auto& archive) { archive(handled, name, last); }
};

/// The system that a game is played in.
struct setup {
  unsigned workers = 1;
  bool epochs = false;
  std::chrono::milliseconds every{100};
  std::size_t retain = 3;
  std::string store{};                                  ///< a directory; empty: a temporary one
  std::function<void(const cairn::event&)> on_event{};  ///< besides what is checked
};

/// Runs `app` in a system of the described actors. Throws where it fails, where a message got lost,
/// where an epoch was abandoned, or where none was committed although epochs are on.
///
/// Compiled once for all programs: what lies behind it takes most of their time to compile.
void run_described(void (*describe)(cairn::detail::registry&), const settings& how,
                   const setup& with, cairn::application app);

template <class... As>
void run(const settings& how, const setup& with, cairn::application app) {
  run_described(&cairn::actors<As...>::describe, how, with, std::move(app));
}

/// The root task waits for who stops the watch.
inline cairn::task<> until_over(cairn::root& root) {
  while (!timing.is_over()) co_await root.sleep(std::chrono::milliseconds{2});
}

/// Moves an actor from the first worker to another; called by the root task. False: it has
/// something to do, or an epoch is under way.
[[nodiscard]] bool try_move(const cairn::detail::address& which, unsigned worker);
/// The same, at the next occasion. The actor stays there once it has set `self.where().pinned`.
inline cairn::task<> move_to(cairn::root& root, cairn::detail::address which, unsigned worker) {
  do {
    co_await root.sleep(std::chrono::milliseconds{1});
  } while (!try_move(which, worker));
}
[[nodiscard]] unsigned home_of(const cairn::detail::address& which);

/// Counted by several workers, each in a place of its own.
class counts {
 public:
  void add() {
    auto& mine = places_[cairn::detail::current_worker->index % places_.size()].count;
    // Relaxed: a figure, and only its worker writes it.
    mine.store(mine.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t sum() const {
    std::uint64_t all = 0;
    for (const auto& each : places_) all += each.count.load(std::memory_order_relaxed);  // as above
    return all;
  }

 private:
  struct alignas(64) place {
    std::atomic<std::uint64_t> count{0};
  };
  std::array<place, 16> places_{};
};

/// One measurement of a game, or several.
using game = double (*)(const settings&, const setup&);

inline void add(std::vector<measurement>& to, std::string workload, game play, setup with = {},
                when in = when::always, std::string unit = "ns") {
  to.push_back({std::move(workload), std::move(unit), in,
                [play, with = std::move(with)](const settings& how) { return play(how, with); }});
}

/// With epochs off and on.
inline void add_both(std::vector<measurement>& to, const std::string& workload, game play,
                     when in = when::always, setup with = {}, std::string unit = "ns") {
  add(to, workload, play, with, in, unit);
  with.epochs = true;
  add(to, workload + "+epochs", play, std::move(with), in, std::move(unit));
}

/// Of what a message carries, or how a handler is written: both states, epochs off and on.
inline void add_twins(std::vector<measurement>& to, const std::string& workload, game with_plain,
                      game with_owning, when in = when::full) {
  add_both(to, workload, with_plain, in);
  add_both(to, workload + "-owning", with_owning, when::full);
}

/// A question's rows: both states, epochs off and on, and on two workers that share as they like.
inline void add_rows(std::vector<measurement>& to, const std::string& workload, game with_plain,
                     game with_owning) {
  add_both(to, workload, with_plain);
  add_both(to, workload + "-owning", with_owning);
  add(to, workload + "@2", with_plain, {.workers = 2}, when::full);
}

}  // namespace bench
