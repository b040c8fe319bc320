// An actor requests an answer of another one and goes on when it has it; as always in rotor, a
// timer watches each request. ns per request, the median of samples of 100 requests each.
#include "../with/rotor.hpp"

namespace bench {

struct answer {
  std::uint64_t number = 0;
};
struct question {
  using response_t = answer;
  std::uint64_t number = 0;
};
using question_message = r::request_traits_t<question>::request::message_t;
using answer_message = r::request_traits_t<question>::response::message_t;

class answerer : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>(
        [](auto& starter) { starter.subscribe_actor(&answerer::on_question); });
  }

 private:
  void on_question(question_message& q) noexcept {
    reply_to(q, q.payload.request_payload.number + 1);
  }
};

class asker : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void set(rotor_system& engine, answerer& whom, double least) {
    engine_ = &engine;
    whom_ = whom.get_address();
    least_ = least;
  }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>(
        [](auto& starter) { starter.subscribe_actor(&asker::on_answer); });
  }
  /// Made after the other one, so it starts after it: a question that came too early would fail.
  void on_start() noexcept override {
    r::actor_base_t::on_start();
    began_ = now_ns();
    until_ = began_ + least_;
    ask();
  }
  [[nodiscard]] const std::vector<double>& samples() const noexcept { return samples_; }

 private:
  void on_answer(answer_message& got) noexcept {
    require(!got.payload.ee && got.payload.res.number == ++asked_, "a wrong answer");
    if (asked_ % ask_batch == 0) {
      const double now = now_ns();
      samples_.push_back((now - std::exchange(began_, now)) / ask_batch);
      if (now > until_) return engine_->end();
    }
    ask();
  }
  void ask() { request<question>(whom_, asked_).send(rotor_system::patience()); }

  rotor_system* engine_ = nullptr;
  r::address_ptr_t whom_{};
  double least_ = 0;
  double until_ = 0;
  double began_ = 0;
  std::uint64_t asked_ = 0;
  std::vector<double> samples_{};
};

double ask(const settings& how) {
  rotor_system engine;
  const auto whom = engine.make<answerer>();
  const auto who = engine.make<asker>();
  who->set(engine, *whom, static_cast<double>(how.least.count()));
  engine.run();
  return quantile(who->samples(), 0.5);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rotor", {{"ask", "ns", when::always, &ask}});
}
