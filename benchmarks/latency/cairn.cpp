// How long messages take at half the maximal load, from the time that they were due to their
// handler: the 99.9th percentile, in us. A sender that comes too late sends what was due, so that a
// stall counts for every message that it delays; in turns like those by which the maximum was
// found, since one of a million messages would be in no cache, and take longer than all of them
// may.
#include <cmath>

#include "../with/cairn.hpp"

namespace bench {

inline constexpr std::uint32_t receivers = 1000;
inline constexpr std::uint32_t burst = 100;  ///< messages in a turn, at most

struct stamped {
  double due = 0;
  void serialize(auto& archive) { archive(due); }
};

inline std::vector<float> waits;  ///< ns, of all messages; one worker

template <class Kept>
struct receiver {
  using protocol = cairn::protocol<stamped>;
  void on(stamped s) {
    kept.count();
    waits.push_back(static_cast<float>(now_ns() - s.due));
  }
  void serialize(auto& archive) { archive(kept); }

  Kept kept{};
};

struct seek_maximum {
  std::uint64_t bursts = 0;
  void serialize(auto& archive) { archive(bursts); }
};
struct send_at_rate {
  double from = 0;
  double interval = 0;
  double until = 0;
  void serialize(auto& archive) { archive(from, interval, until); }
};
struct go_on {};

template <class Kept>
struct source {
  using protocol = cairn::protocol<seek_maximum, send_at_rate, go_on>;

  void on(seek_maximum s) {
    bursts = s.bursts;
    self_tells();
  }
  void on(send_at_rate s) {
    rate = s;
    sent = 0;
    self_tells();
  }
  void on(go_on) {
    if (bursts > 0) {
      // As at the rate: who receives it takes the time, too.
      for (std::uint32_t each = 0; each < burst; ++each) tell_next(now_ns());
      if (--bursts == 0) return timing.stop();
    } else {
      const double now = std::min(now_ns(), rate.until);
      // Each by its number: what is rounded in a sum of millions adds up.
      std::uint32_t left = burst;
      for (; left > 0 && due_next() <= now; --left, ++sent) tell_next(due_next());
      if (now == rate.until && left > 0) return timing.stop();
    }
    self_tells();
  }
  void serialize(auto& archive) { archive(at, bursts, rate, sent); }
  [[nodiscard]] double due_next() const {
    return rate.from + static_cast<double>(sent) * rate.interval;
  }

  void tell_next(double due) { all[at++ % all.size()].template tell<stamped>(due); }
  static void self_tells() { self.template tell<go_on>(); }

  /// The same for the whole run: no part of the state.
  static inline std::vector<cairn::ref<receiver<Kept>>> all{};
  static inline cairn::ref<source> self{};

  std::uint64_t at = 0;
  std::uint64_t bursts = 0;
  send_at_rate rate{};
  std::uint64_t sent = 0;  ///< at that rate
};

}  // namespace bench

template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::receiver<Kept>> = "bench.receiver";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::source<Kept>> = "bench.source";

namespace bench {

template <class Kept>
cairn::task<int> play(cairn::root& root, double length, double& p999) {
  auto table = root.supervise("table");
  auto& all = source<Kept>::all;
  all.clear();
  for (std::uint32_t at = 0; at < receivers; ++at) all.push_back(table.spawn<receiver<Kept>>(""));
  auto& one = source<Kept>::self;
  one = table.spawn<source<Kept>>("source");
  constexpr std::uint64_t bursts = 5'000;
  waits.clear();
  waits.reserve(bursts * burst);
  timing.start();
  one.template tell<seek_maximum>(bursts);
  co_await until_over(root);
  while (waits.size() < bursts * burst) co_await root.sleep(std::chrono::milliseconds{1});
  const double shortest = timing.ns() / (bursts * burst);
  const double interval = 2 * shortest;
  waits.clear();
  waits.reserve(static_cast<std::size_t>(1.2 * length / interval));
  const double begins = now_ns() + 1e6;
  timing.start();
  one.template tell<send_at_rate>(begins, interval, begins + length);
  co_await until_over(root);
  const double wanted = length / interval;
  for (int at = 0; at < 1000; ++at) {  // the last ones may have to wait
    if (static_cast<double>(waits.size()) > wanted - 1) break;
    co_await root.sleep(std::chrono::milliseconds{10});
  }
  const auto arrived = static_cast<double>(waits.size());
  require(std::abs(arrived - wanted) < 2, "not every message has arrived");
  p999 = quantile({waits.begin(), waits.end()}, 0.999) / 1e3;
  co_return 0;
}

template <class Kept>
double latency(const settings& how, const setup& with) {
  double p999 = 0;
  run<source<Kept>, receiver<Kept>>(how, with, [&](cairn::root& root) {
    return play<Kept>(root, how.quick ? 0.5e9 : 2e9, p999);
  });
  return p999;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_both(all, "latency", &latency<flat>, when::always, {}, "us");
  add_both(all, "latency-owning", &latency<owning>, when::full, {}, "us");
  return main_of(count, words, "cairn", all);
}
