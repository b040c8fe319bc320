// What messages feel of an epoch, on one worker beside the writer.
//
// `cut…`: the longest time in an epoch between two turns of an actor that does nothing but tell
// itself to go on, in us, the 99th percentile over the epochs; `cut-none`: between the epochs, what
// the machine does anyway; `cut-mailbox-first`: of a mailbox that no sweep has met; `…-cpu`: in the
// worker's processor time, which leaves out what other processes take. `all-dirty`: ns per message
// while no epoch is under way, and, with `+epochs`, while a million actors are cut; `stall-all`:
// the longest time between two turns in such an epoch, in us.
#include "../with/crowd_cairn.hpp"

namespace bench {

/// The time that this thread has had a processor.
[[nodiscard]] inline double own_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

/// What happens between two events, seen by the one worker that everything runs on.
struct window {
  bool epochs = true;  ///< it lies within an epoch; else between two
  double (*clock)() = &now_ns;
  std::size_t wanted = 0;  ///< so many windows
  bool open = false;
  double began = 0;
  double last = 0;  ///< turn
  double longest = 0;
  std::uint64_t turns = 0;
  std::vector<double> gaps{};      ///< the longest of each window
  std::vector<double> per_turn{};  ///< the mean of each window
  std::vector<double> whole{};     ///< how long each window was

  void turn() {
    const double now = clock();
    longest = std::max(longest, now - last);
    last = now;
    ++turns;
  }
  void look(const cairn::event& what) {
    const bool begins = what.kind == cairn::event_kind::epoch_begun;
    if (!begins && what.kind != cairn::event_kind::committed) return;
    if (begins == epochs) {
      open = gaps.size() < wanted;
      longest = 0;
      turns = 0;
      began = last = clock();
    } else {
      end();
    }
  }
  void end() {
    if (!std::exchange(open, false)) return;
    longest = std::max(longest, clock() - last);
    gaps.push_back(longest);
    whole.push_back(clock() - began);
    if (turns > 0) per_turn.push_back(whole.back() / static_cast<double>(turns));
  }
};
inline window seen;

struct tick {
  void serialize(auto&) {}
};
struct halt {};

/// Tells itself to go on, and touches the dirty actors one after the other.
template <class Kept>
struct ticker {
  using protocol = cairn::protocol<tick, halt>;

  void on(tick, cairn::context<ticker>& self) {
    seen.turn();
    if (!dirty.empty()) dirty[at++ % dirty.size()].template tell<touch>();
    if (!over) self.ref().template tell<tick>();
  }
  void on(halt) { over = true; }
  void serialize(auto& archive) { archive(at, over); }

  static inline std::vector<cairn::ref<idler_of<Kept>>> dirty{};  ///< the same for the whole run

  std::uint64_t at = 0;
  bool over = false;
};

}  // namespace bench

template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::ticker<Kept>> = "bench.ticker";

namespace bench {

struct hold {};
struct wait_here {
  std::uint32_t nap_ms = 0;  ///< how often it looks whether it is released

  void serialize(auto& archive) { archive(nap_ms); }
};
struct emptied {};

/// Holds its mailbox full: its handler does not end. All that this was handed is recorded again
/// with each look of it, so that one that looks often were measured instead of the mailbox.
struct stuffed {
  using protocol = cairn::protocol<wait_here, hold, emptied>;
  cairn::task<> on(wait_here how, cairn::context<stuffed>& self) {
    while (!released) co_await self.sleep(std::chrono::milliseconds{how.nap_ms});
  }
  void on(hold) { ++handled; }
  std::uint64_t on(emptied) { return handled; }
  void serialize(auto& archive) { archive(handled); }

  static inline bool released = false;

  std::uint64_t handled = 0;
};

struct scene {
  std::uint32_t idle = 0;  ///< actors that nobody touches
  std::uint32_t dirty = 1000;
  std::uint32_t mailbox = 0;  ///< messages that wait in one mailbox
  std::size_t windows = 0;
  double (*clock)() = &now_ns;
  bool all_dirty = false;  ///< touch everyone before each epoch; epochs on demand
  bool first = false;      ///< the mailbox is filled anew before each epoch; epochs on demand
};

/// Some at a time: who sends all of them in one turn keeps the worker for that turn.
cairn::task<> fill(cairn::root* root, cairn::ref<stuffed> one, std::uint32_t messages,
                   std::uint32_t nap_ms) {
  stuffed::released = false;
  if (messages > 0) one.tell<wait_here>(nap_ms);
  for (std::uint32_t at = 0; at < messages; ++at) {
    one.tell<hold>();
    if (at % at_a_time == 0) co_await root->sleep(std::chrono::milliseconds{0});
  }
  co_await root->sleep(std::chrono::milliseconds{1});
}

template <class Kept>
cairn::task<int> play(cairn::root& root, scene of) {
  crowd_of<Kept> some;
  co_await spawn_crowd(root, of.dirty + of.idle, some);
  ticker<Kept>::dirty.assign(some.all.begin(), some.all.begin() + of.dirty);
  auto rest = root.supervise("rest");
  auto full = rest.spawn<stuffed>("full");
  if (!of.first) co_await fill(&root, full, of.mailbox, 100);
  co_await root.checkpoint();
  crier_of<Kept>::all = some.all;
  auto by = rest.spawn<crier_of<Kept>>("crier");
  auto clock = rest.spawn<ticker<Kept>>("clock");
  clock.template tell<tick>();
  seen.wanted = of.windows;
  while (seen.gaps.size() < of.windows) {
    if (of.first) {
      co_await fill(&root, full, of.mailbox, 1);
      co_await root.checkpoint();
      stuffed::released = true;
      (void)co_await full.ask<emptied>();
      continue;
    }
    if (of.mailbox > 0) full.tell<hold>();  // so that every epoch has to look at it
    if (of.all_dirty) {
      if (!seen.epochs) seen.end();  // else the time that touching takes were the ticker's
      co_await touch_crowd(root, by, some);
      co_await root.checkpoint();
    }
    co_await root.sleep(std::chrono::milliseconds{of.all_dirty ? 50 : 1});
  }
  clock.template tell<halt>();
  stuffed::released = true;
  co_await root.checkpoint();
  co_return 0;
}

template <class Kept = flat>
void play_scene(const settings& how, const scene& of, bool within) {
  setup with;
  with.epochs = true;
  with.every = std::chrono::milliseconds{of.all_dirty || of.first ? 0 : 5};
  with.on_event = [](const cairn::event& what) { seen.look(what); };
  seen = {};
  seen.epochs = within;
  seen.clock = of.clock;
  run<village_of<Kept>, idler_of<Kept>, crier_of<Kept>, ticker<Kept>, stuffed>(
      how, with, [&](cairn::root& root) { return play<Kept>(root, of); });
}

template <std::uint32_t Idle, std::uint32_t Mailbox, double (*Clock)() = &now_ns,
          bool First = false>
double cut(const settings& how, const setup& with) {
  scene of;
  of.clock = Clock;
  of.idle = crowd_size(how, Idle);
  of.mailbox = Mailbox;
  of.first = First;
  of.windows = how.quick ? 50 : 400;
  play_scene(how, of, with.epochs);
  return quantile(seen.gaps, 0.99) / 1e3;
}

template <class Kept>
void play_all_dirty(const settings& how, bool within) {
  scene of;
  of.dirty = 1;
  of.idle = crowd_size(how, many_actors);
  of.windows = 3;
  of.all_dirty = true;
  play_scene<Kept>(how, of, within);
}

template <class Kept>
double all_dirty(const settings& how, const setup& with) {
  play_all_dirty<Kept>(how, with.epochs);
  return quantile(seen.per_turn, 0.5);
}
template <class Kept>
double all_dirty_epoch(const settings& how, const setup& with) {
  play_all_dirty<Kept>(how, with.epochs);
  return quantile(seen.whole, 0.5) / 1e6;
}
double stall_all(const settings& how, const setup& with) {
  play_all_dirty<flat>(how, with.epochs);
  return quantile(seen.gaps, 0.5) / 1e3;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  setup within;
  within.epochs = true;
  add(all, "cut", &cut<0, 0>, within, when::always, "us");
  add(all, "cut-none", &cut<0, 0>, {}, when::always, "us");
  add(all, "cut-none-cpu", &cut<0, 0, &own_ns>, {}, when::full, "us");
  add(all, "cut-mailbox", &cut<0, 100'000>, within, when::always, "us");
  add(all, "cut-mailbox-first", &cut<0, 100'000, &now_ns, true>, within, when::full, "us");
  add(all, "cut-idle", &cut<many_actors, 0>, within, when::always, "us");
  add(all, "cut-cpu", &cut<0, 0, &own_ns>, within, when::full, "us");
  add(all, "cut-mailbox-cpu", &cut<0, 100'000, &own_ns>, within, when::full, "us");
  add(all, "cut-mailbox-first-cpu", &cut<0, 100'000, &own_ns, true>, within, when::full, "us");
  add(all, "cut-idle-cpu", &cut<many_actors, 0, &own_ns>, within, when::full, "us");
  add_both(all, "all-dirty", &all_dirty<flat>);
  add_both(all, "all-dirty-owning", &all_dirty<owning>, when::full);
  add(all, "all-dirty-epoch", &all_dirty_epoch<flat>, within, when::full, "ms");
  add(all, "stall-all", &stall_all, within, when::always, "us");
  return main_of(count, words, "cairn", all);
}
