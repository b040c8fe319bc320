// Senders and the one who counts, with rotor; see fanin_cairn.hpp.
#pragma once

#include "rotor.hpp"

namespace bench {

struct unit {
  std::uint32_t from = 0;
  std::uint32_t left = 0;
};
struct order {
  std::uint64_t chunks = 0;  ///< to send from now on, or 0: one of them is counted
};
using unit_message = r::message_t<unit>;
using order_message = r::message_t<order>;

class counter;
class sender;
struct game {
  games all;
  rotor_system* engine = nullptr;
  std::uint32_t each = 0;
  r::intrusive_ptr_t<counter> sum{};
  std::vector<r::intrusive_ptr_t<sender>> senders{};
};

class sender : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void set(game& of, std::uint32_t number) {
    of_ = &of;
    number_ = number;
  }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>(
        [](auto& starter) { starter.subscribe_actor(&sender::on_order); });
  }
  inline void on_start() noexcept override;

 private:
  inline void on_order(order_message& o) noexcept;

  game* of_ = nullptr;
  std::uint32_t number_ = 0;
  std::uint64_t chunks_ = 0;
};

class counter : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void set(game& of) { of_ = &of; }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>(
        [](auto& starter) { starter.subscribe_actor(&counter::on_unit); });
  }
  void on_start() noexcept override {
    r::actor_base_t::on_start();
    if (of_->all.all_started(of_->senders.size() + 1)) begin();
  }
  void begin() {
    left_ = of_->all.begin();
    for (const auto& one : of_->senders) {
      send<order>(one->get_address(), order{left_ / of_->senders.size() / of_->each});
    }
  }
  [[nodiscard]] std::uint64_t counted() const noexcept { return counted_; }

 private:
  void on_unit(unit_message& one) noexcept {
    ++counted_;
    if (one.payload.left == 0) send<order>(of_->senders[one.payload.from]->get_address());
    if (--left_ > 0) return;
    if (!of_->all.ended()) return of_->engine->end();
    begin();
  }

  game* of_ = nullptr;
  std::uint64_t left_ = 0;
  std::uint64_t counted_ = 0;
};

void sender::on_start() noexcept {
  r::actor_base_t::on_start();
  if (of_->all.all_started(of_->senders.size() + 1)) of_->sum->begin();
}

void sender::on_order(order_message& o) noexcept {
  if (o.payload.chunks > 0) chunks_ = o.payload.chunks;
  if (chunks_ == 0) return;
  --chunks_;
  const auto& to = of_->sum->get_address();
  for (std::uint32_t left = of_->each; left-- > 0;) send<unit>(to, unit{number_, left});
}

template <std::uint32_t Senders>
double fan_in(const settings& how) {
  rotor_system engine;
  const std::uint32_t each = chunk_of(Senders);
  game of{{how, std::uint64_t{Senders} * each}, &engine, each};
  of.sum = engine.make<counter>();
  of.sum->set(of);
  for (std::uint32_t at = 0; at < Senders; ++at) {
    of.senders.push_back(engine.make<sender>());
    of.senders.back()->set(of, at);
  }
  engine.run();
  require(of.sum->counted() == of.all.played(), "not every message was counted once");
  return of.all.per_round();
}

}  // namespace bench
