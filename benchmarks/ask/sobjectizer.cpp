// An agent asks another one by a message and goes on when it has the answer: SObjectizer has no ask
// that waits within a handler. ns per ask, the median of samples of 100 asks each.
#include "../with/sobjectizer.hpp"

namespace bench {

struct question {
  std::uint64_t number;
  so_5::mbox_t asker;
};
struct answer {
  std::uint64_t number;
};

class answerer final : public so_5::agent_t {
 public:
  using so_5::agent_t::agent_t;
  void so_define_agent() override { so_subscribe_self().event(&answerer::on_question); }

 private:
  void on_question(mhood_t<question> q) { so_5::send<answer>(q->asker, q->number + 1); }
};

class asker final : public so_5::agent_t {
 public:
  struct begin final : so_5::signal_t {};

  asker(context_t context, so_5::mbox_t whom, double least, std::vector<double>& samples)
      : so_5::agent_t{std::move(context)},
        whom_{std::move(whom)},
        until_{now_ns() + least},
        samples_{samples} {}

  void so_define_agent() override {
    so_subscribe_self().event(&asker::on_begin).event(&asker::on_answer);
  }

 private:
  void on_begin(mhood_t<begin>) {
    began_ = now_ns();
    ask();
  }
  void on_answer(mhood_t<answer> got) {
    require(got->number == ++asked_, "a wrong answer");
    if (asked_ % ask_batch == 0) {
      const double now = now_ns();
      samples_.push_back((now - std::exchange(began_, now)) / ask_batch);
      if (now > until_) return timing.stop();
    }
    ask();
  }
  void ask() { so_5::send<question>(whom_, asked_, so_direct_mbox()); }

  so_5::mbox_t whom_;
  double until_;
  std::vector<double>& samples_;
  double began_ = 0;
  std::uint64_t asked_ = 0;
};

double ask(const settings& how) {
  std::vector<double> samples;
  so_system all{1};
  const auto whom = all.make<answerer>(0)->so_direct_mbox();
  timing.start();
  const auto who =
      all.make<asker>(0, whom, static_cast<double>(how.least.count()), std::ref(samples));
  so_5::send<asker::begin>(who->so_direct_mbox());
  wait_until_over();
  return quantile(samples, 0.5);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sobjectizer", {{"ask", "ns", when::always, &ask}});
}
