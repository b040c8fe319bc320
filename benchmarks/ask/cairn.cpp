// An actor asks another one on its worker and awaits the answer. ns per ask, the median of samples
// of 100 asks each: to read the clock costs as much as half an ask.
#include "../with/cairn.hpp"

namespace bench {

struct question {
  std::uint64_t number = 0;
  void serialize(auto& archive) { archive(number); }
};
struct sample {};

inline std::vector<double> samples;

template <class Kept>
struct answerer {
  using protocol = cairn::protocol<question>;
  std::uint64_t on(question q) {
    kept.count();
    return q.number + 1;
  }
  void serialize(auto& archive) { archive(kept); }
  Kept kept{};
};

template <class Kept>
struct asker {
  using protocol = cairn::protocol<sample>;

  cairn::task<std::uint64_t> on(sample) {
    std::uint64_t number = kept.handled;
    const double began = now_ns();
    for (std::uint32_t at = 0; at < ask_batch; ++at) {
      number = co_await whom.template ask<question>(number);
    }
    samples.push_back((now_ns() - began) / ask_batch);
    for (std::uint32_t at = 0; at < ask_batch; ++at) kept.count();
    co_return number;
  }
  void serialize(auto& archive) { archive(whom, kept); }

  cairn::ref<answerer<Kept>> whom{};
  Kept kept{};
};

}  // namespace bench

template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::answerer<Kept>> = "bench.answerer";
template <class Kept>
inline constexpr std::string_view cairn::type_name<bench::asker<Kept>> = "bench.asker";

namespace bench {

template <class Kept>
cairn::task<int> play(cairn::root& root, double least) {
  auto table = root.supervise("table");
  auto whom = table.spawn<answerer<Kept>>("answerer");
  auto who = table.spawn<asker<Kept>>("asker", whom);
  std::uint64_t asked = 0;
  for (const double began = now_ns(); now_ns() - began < least;) {
    const auto answered = co_await who.template ask<sample>();
    asked += ask_batch;
    require(answered == asked, "not every ask had its answer");
  }
  co_return 0;
}

template <class Kept>
double ask(const settings& how, const setup& with) {
  samples.clear();
  run<answerer<Kept>, asker<Kept>>(how, with, [&](cairn::root& root) {
    return play<Kept>(root, static_cast<double>(how.least.count()));
  });
  return quantile(samples, 0.5);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_rows(all, "ask", &ask<plain>, &ask<owning>);
  return main_of(count, words, "cairn", all);
}
