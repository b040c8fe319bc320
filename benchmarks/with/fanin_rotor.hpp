// Senders and the one who counts, with rotor; see fanin_cairn.hpp.
#pragma once

#include "rotor.hpp"

namespace bench {

template <class Load>
struct unit {
  std::uint32_t from = 0;
  std::uint32_t left = 0;
  [[no_unique_address]] Load load{};
};
struct order {
  std::uint64_t chunks = 0;  ///< to send from now on, or 0: one of them is counted
};
struct begin_all {};
using order_message = r::message_t<order>;
using begin_message = r::message_t<begin_all>;

template <class Load>
class counter;
template <class Load>
class sender;
template <class Load>
struct game {
  games all;
  rotor_system* engine = nullptr;
  std::uint32_t each = 0;
  std::uint32_t ahead = 1;
  r::intrusive_ptr_t<counter<Load>> sum{};
  std::vector<r::intrusive_ptr_t<sender<Load>>> senders{};
};

template <class Load>
class sender : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void set(game<Load>& of, std::uint32_t number) {
    of_ = &of;
    number_ = number;
  }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>(
        [](auto& starter) { starter.subscribe_actor(&sender::on_order); });
  }
  void on_start() noexcept override;

 private:
  void on_order(order_message& o) noexcept;

  game<Load>* of_ = nullptr;
  std::uint32_t number_ = 0;
  std::uint64_t chunks_ = 0;
};

template <class Load>
class counter : public r::actor_base_t {
 public:
  using r::actor_base_t::actor_base_t;

  void set(game<Load>& of) { of_ = &of; }
  void configure(r::plugin::plugin_base_t& plugin) noexcept override {
    r::actor_base_t::configure(plugin);
    plugin.with_casted<r::plugin::starter_plugin_t>([](auto& starter) {
      starter.subscribe_actor(&counter::on_begin);
      starter.subscribe_actor(&counter::on_unit);
    });
  }
  void on_start() noexcept override {
    r::actor_base_t::on_start();
    if (of_->all.all_started(of_->senders.size() + 1)) send<begin_all>(get_address());
  }
  [[nodiscard]] std::uint64_t counted() const noexcept { return counted_; }

 private:
  void on_begin(begin_message&) noexcept { begin(); }
  void begin() {
    left_ = of_->all.begin();
    for (const auto& one : of_->senders) {
      send<order>(one->get_address(), order{left_ / of_->senders.size() / of_->each});
    }
  }
  void on_unit(r::message_t<unit<Load>>& one) noexcept {
    ++counted_;
    if (one.payload.left == 0) send<order>(of_->senders[one.payload.from]->get_address());
    if (--left_ > 0) return;
    if (!of_->all.ended()) return of_->engine->end();
    begin();
  }

  game<Load>* of_ = nullptr;
  std::uint64_t left_ = 0;
  std::uint64_t counted_ = 0;
};

template <class Load>
void sender<Load>::on_start() noexcept {
  r::actor_base_t::on_start();
  if (of_->all.all_started(of_->senders.size() + 1)) send<begin_all>(of_->sum->get_address());
}

template <class Load>
void sender<Load>::on_order(order_message& o) noexcept {
  std::uint32_t now = 1;
  if (o.payload.chunks > 0) {
    chunks_ = o.payload.chunks;
    now = of_->ahead;
  }
  const auto& to = of_->sum->get_address();
  for (; now > 0 && chunks_ > 0; --now, --chunks_) {
    for (std::uint32_t left = of_->each; left-- > 0;) {
      send<unit<Load>>(to, number_, left, make_load<Load>());
    }
  }
}

template <class Load, std::uint32_t Senders, unsigned Threads = 1>
double fan_in(const settings& how) {
  rotor_system engine{Threads};
  const std::uint32_t each = chunk_of(Senders);
  game<Load> of{
      {how, std::uint64_t{Senders} * each}, &engine, each, Threads > 1 ? chunks_ahead : 1};
  of.sum = engine.make<counter<Load>>();
  of.sum->set(of);
  for (std::uint32_t at = 0; at < Senders; ++at) {
    of.senders.push_back(engine.make<sender<Load>>(Threads - 1));
    of.senders.back()->set(of, at);
  }
  engine.run();
  require(of.sum->counted() == of.all.played(), "not every message was counted once");
  return of.all.per_round();
}

}  // namespace bench
