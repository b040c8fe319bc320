// An actor's coroutine asks another actor and awaits the answer. ns per ask, the median of samples
// of 100 asks each.
#include <qb/core/patterns.h>
#include <qb/io/async/coroutine.h>

#include "../with/qb.hpp"

namespace bench {

struct question : qb::Request<std::uint64_t> {
  question() = default;
  explicit question(std::uint64_t n) : number{n} {}
  std::uint64_t number = 0;
};
struct asked_all : qb::Event {};

class answerer final : public qb::Actor {
 public:
  started onInit() final {
    registerEvent<question>(*this);
    co_return true;
  }
  void on(question& q) {
    qb::answer(*this, q, [](const question& of) { return of.number + 1; });
  }
};

class asker final : public qb::Actor {
 public:
  asker(qb::ActorId whom, double least, std::vector<double>& samples)
      : whom_{whom}, least_{least}, samples_{samples} {}

  started onInit() final {
    registerEvent<question>(*this);
    registerEvent<asked_all>(*this);
    spawn([whom = whom_, least = least_,
           samples = &samples_](qb::ScopedCoroContext here) -> qb::io::async::task<void> {
      std::uint64_t number = 0;
      for (const double first = now_ns(); now_ns() - first < least;) {
        const double began = now_ns();
        for (std::uint32_t at = 0; at < ask_batch; ++at) {
          const auto answered =
              co_await qb::ask(here, whom, question{number}, std::chrono::seconds{60});
          bench::require(answered.response == ++number, "a wrong answer");
        }
        samples->push_back((now_ns() - began) / ask_batch);
      }
      here.push<asked_all>();
    });
    co_return true;
  }
  void on(question& q) { resolve_ask(q); }
  void on(asked_all&) {
    push<qb::KillEvent>(whom_);
    kill();
  }

 private:
  qb::ActorId whom_;
  double least_;
  std::vector<double>& samples_;
};

double ask(const settings& how) {
  std::vector<double> samples;
  qb::Main engine;
  const auto whom = engine.addActor<answerer>(0);
  engine.addActor<asker>(0, whom, static_cast<double>(how.least.count()), std::ref(samples));
  run(engine);
  return quantile(samples, 0.5);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "qb", {{"ask", "ns", when::always, &ask}});
}
