// An actor requests an answer of another one and goes on when it has it. ns per request, the median
// of samples of 100 requests each.
#include "../with/caf.hpp"

namespace bench {

class answerer : public caf::event_based_actor {
 public:
  using caf::event_based_actor::event_based_actor;
  caf::behavior make_behavior() override {
    return {[](std::uint64_t question) { return question + 1; }};
  }
};

class asker : public caf::event_based_actor {
 public:
  asker(caf::actor_config& config, caf::actor whom, double least, std::vector<double>& samples)
      : caf::event_based_actor{config},
        whom_{std::move(whom)},
        until_{now_ns() + least},
        samples_{samples} {}

  caf::behavior make_behavior() override {
    return {[this](bool) {
      began_ = now_ns();
      ask();
    }};
  }

 private:
  void ask() {
    const auto got = [this](std::uint64_t answer) {
      require(answer == ++asked_, "a wrong answer");
      if (asked_ % ask_batch == 0 && ends()) return;
      ask();
    };
#if __has_include(<caf/anon_mail.hpp>)  // 1.x
    mail(asked_).request(whom_, caf::infinite).then(got);
#else
    request(whom_, caf::infinite, asked_).then(got);
#endif
  }
  bool ends() {
    const double now = now_ns();
    samples_.push_back((now - std::exchange(began_, now)) / ask_batch);
    if (now < until_) return false;
    timing.stop();
    return true;
  }

  caf::actor whom_;
  double until_;
  std::vector<double>& samples_;
  double began_ = 0;
  std::uint64_t asked_ = 0;
};

double ask(const settings& how) {
  caf_system all{1};
  std::vector<double> samples;
  auto whom = all->spawn<answerer>();
  timing.start();
  auto who = all->spawn<asker>(whom, static_cast<double>(how.least.count()), std::ref(samples));
  begin(who, true);
  wait_until_over();
  end(who);
  end(whom);
  return quantile(samples, 0.5);
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "caf", {{"ask", "ns", bench::when::always, &bench::ask}});
}
