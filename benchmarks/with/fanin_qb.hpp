// Senders and the one who counts, with qb; see fanin_cairn.hpp.
#pragma once

#include "qb.hpp"

namespace bench {

template <class Load>
struct unit : qb::Event {
  unit(std::uint32_t sender, std::uint32_t after, carried<Load> with)
      : from{sender}, left{after}, load{std::move(with)} {}
  std::uint32_t from;
  std::uint32_t left;
  [[no_unique_address]] carried<Load> load;
};
struct counted_chunk : qb::Event {};
struct go : qb::Event {
  explicit go(std::uint64_t all) : chunks{all} {}
  std::uint64_t chunks;
};

struct game {
  games all;
  std::uint32_t each = 0;
  std::uint32_t ahead = 0;
  qb::ActorId sum{};
  std::vector<qb::ActorId> senders{};
  tally counted{};
};

template <class Load>
class counter final : public qb::Actor {
 public:
  explicit counter(game& of) : of_{of} {}

  started onInit() final {
    registerEvent<unit<Load>>(*this);
    begin();
    co_return true;
  }
  void on(unit<Load>& one) {
    ++of_.counted.count;
    if (one.left == 0) push<counted_chunk>(one.getSource());
    if (--left_ > 0) return;
    if (of_.all.ended()) return begin();
    for (const auto& each : of_.senders) push<qb::KillEvent>(each);
    kill();
  }

 private:
  void begin() {
    left_ = of_.all.begin();
    const auto senders = static_cast<std::uint32_t>(of_.senders.size());
    for (const auto& each : of_.senders) push<go>(each, left_ / senders / of_.each);
  }

  game& of_;
  std::uint64_t left_ = 0;
};

template <class Load>
class sender final : public qb::Actor {
 public:
  sender(game& of, std::uint32_t number) : of_{of}, number_{number} {}

  started onInit() final {
    registerEvent<go>(*this);
    registerEvent<counted_chunk>(*this);
    co_return true;
  }
  void on(go& g) {
    chunks_ = g.chunks;
    for (std::uint32_t at = 0; at < of_.ahead; ++at) send_chunk();
  }
  void on(counted_chunk&) { send_chunk(); }

 private:
  void send_chunk() {
    if (chunks_ == 0) return;
    --chunks_;
    auto pipe = getPipe(of_.sum);
    for (std::uint32_t left = of_.each; left-- > 0;) {
      pipe.push<unit<Load>>(number_, left, make_carried<Load>());
    }
  }

  game& of_;
  std::uint32_t number_;
  std::uint64_t chunks_ = 0;
};

template <class Load, std::uint32_t Senders, unsigned Cores = 1>
double fan_in(const settings& how) {
  const std::uint32_t each = chunk_of(Senders);
  game of{{how, std::uint64_t{Senders} * each}, each, Cores > 1 ? chunks_ahead : 1};
  qb::Main engine;
  for (std::uint32_t at = 0; at < Senders; ++at) {
    of.senders.push_back(engine.addActor<sender<Load>>(Cores - 1, std::ref(of), at));
  }
  of.sum = engine.addActor<counter<Load>>(0, std::ref(of));
  run(engine);
  require(of.counted.count == of.all.played(), "not every message was counted once");
  return of.all.per_round();
}

}  // namespace bench
