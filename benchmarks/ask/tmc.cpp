// A coroutine asks another one through its queue and awaits the answer in its own. ns per ask, the
// median of samples of 100 asks each.
#include "../with/tmc.hpp"

namespace bench {

struct queues {
  inbox<std::uint64_t> asked;
  inbox<std::uint64_t> answered;
};

tmc::task<void> answerer(queues& by) {
  for (;;) {
    auto question = co_await by.asked.pull();
    if (!question) co_return;
    by.answered.post(*question + 1);
  }
}

tmc::task<void> asker(queues& by, double least, std::vector<double>& samples) {
  std::uint64_t number = 0;
  for (const double first = now_ns(); now_ns() - first < least;) {
    const double began = now_ns();
    for (std::uint32_t at = 0; at < ask_batch; ++at) {
      by.asked.post(number);
      auto answer = co_await by.answered.pull();
      require(answer && *answer == number + 1, "a wrong answer");
      number = *answer;
    }
    samples.push_back((now_ns() - began) / ask_batch);
  }
}

double ask(const settings& how) {
  one_thread worker;
  queues by;
  std::vector<double> samples;
  auto second = tmc::post_waitable(*worker, answerer(by));
  auto first =
      tmc::post_waitable(*worker, asker(by, static_cast<double>(how.least.count()), samples));
  first.get();
  by.asked.close();
  second.get();
  return quantile(samples, 0.5);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "tmc", {{"ask", "ns", when::always, &ask}});
}
