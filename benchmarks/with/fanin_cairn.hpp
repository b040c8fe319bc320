// Senders and the one who counts what they send: counting has one sender, fan-in several.
//
// A sender sends a chunk of messages in one turn, and the next one when the counter has told it
// that it has counted the last message of an earlier one.
#pragma once

#include "cairn.hpp"

namespace bench {

template <class Load, class Kept>
struct sender;

/// 8 bytes, and what it carries.
template <class Load>
struct unit {
  std::uint32_t from = 0;
  std::uint32_t left = 0;  ///< of its chunk, after it
  Load load{};
  void serialize(auto& archive) { archive(from, left, load); }
};
template <>
struct unit<nothing> {
  std::uint32_t from = 0;
  std::uint32_t left = 0;
  void serialize(auto& archive) { archive(from, left); }
};
struct expect {
  std::uint64_t more = 0;
  bool pinned = false;
  void serialize(auto& archive) { archive(more, pinned); }
};
template <class Load, class Kept>
struct go {
  std::uint64_t chunks = 0;
  std::uint32_t each = 0;
  std::uint32_t ahead = 0;
  bool pinned = false;
  void serialize(auto& archive) { archive(chunks, each, ahead, pinned); }
};
struct counted {};  ///< a chunk
struct handled {};

template <class Load, class Kept>
struct counter {
  using protocol = cairn::protocol<unit<Load>, expect, handled>;

  void on(expect e, cairn::context<counter>& self) {
    self.where().pinned = e.pinned;
    left = e.more;
  }
  void on(const unit<Load>& one) {
    kept.count();
    if (one.left == 0) senders[one.from].template tell<counted>();
    if (--left == 0) timing.stop();
  }
  std::uint64_t on(handled) { return kept.handled; }
  void serialize(auto& archive) { archive(left, kept); }

  /// Set before the first message and the same for the whole run: no part of the state.
  static inline std::vector<cairn::ref<sender<Load, Kept>>> senders{};

  std::uint64_t left = 0;
  Kept kept{};
};

template <class Load, class Kept>
struct sender {
  using protocol = cairn::protocol<go<Load, Kept>, counted>;

  void on(go<Load, Kept> g, cairn::context<sender>& self) {
    self.where().pinned = g.pinned;
    chunks = g.chunks;
    each = g.each;
    for (std::uint32_t at = 0; at < g.ahead; ++at) send_chunk();
  }
  void on(counted) { send_chunk(); }
  void serialize(auto& archive) { archive(to, number, each, chunks, kept); }

  void send_chunk() {
    if (chunks == 0) return;
    --chunks;
    kept.count();
    for (std::uint32_t left = each; left-- > 0;) {
      if constexpr (std::is_same_v<Load, nothing>) {
        to.template tell<unit<Load>>(number, left);
      } else {
        to.template tell<unit<Load>>(number, left, make_load<Load>());
      }
    }
  }

  cairn::ref<counter<Load, Kept>> to{};
  std::uint32_t number = 0;
  std::uint32_t each = 0;
  std::uint64_t chunks = 0;
  Kept kept{};
};

}  // namespace bench

template <class Load, class Kept>
inline constexpr std::string_view cairn::type_name<bench::counter<Load, Kept>> = "bench.counter";
template <class Load, class Kept>
inline constexpr std::string_view cairn::type_name<bench::sender<Load, Kept>> = "bench.sender";
template <class Load, class Kept>
inline constexpr std::string_view cairn::type_name<bench::go<Load, Kept>> = "bench.go";
template <class Load>
inline constexpr std::string_view cairn::type_name<bench::unit<Load>> = "bench.unit";

namespace bench {

struct fan {
  std::uint32_t senders = 1;
  bool pinned = false;  ///< the senders on the second of two workers
};

/// Those that talk across are brought together: one may have come back before it was pinned.
template <class Load, class Kept>
cairn::task<> keep_apart(cairn::root& root, cairn::ref<sender<Load, Kept>> one,
                         cairn::ref<counter<Load, Kept>> from) {
  while (home_of(one.where()) == home_of(from.where())) {
    one.template tell<go<Load, Kept>>(0U, 0U, 0U, false);
    co_await move_to(root, one.where(), 1);
    one.template tell<go<Load, Kept>>(0U, 0U, 0U, true);
    co_await root.sleep(std::chrono::milliseconds{5});
  }
}

template <class Load, class Kept>
cairn::task<int> play_fan(cairn::root& root, pace& games, fan of) {
  auto table = root.supervise("table");
  auto sum = table.spawn<counter<Load, Kept>>("sum");
  auto& senders = counter<Load, Kept>::senders;
  senders.clear();
  for (std::uint32_t at = 0; at < of.senders; ++at) {
    senders.push_back(table.spawn<sender<Load, Kept>>("", sum, at));
  }
  if (of.pinned) {
    sum.template tell<expect>(0U, true);
    for (const auto& each : senders) co_await keep_apart(root, each, sum);
  }
  const std::uint32_t each = chunk_of(of.senders);
  const std::uint32_t ahead = of.pinned ? chunks_ahead : 1;
  std::uint64_t sent = 0;
  while (games.goes_on()) {
    sum.template tell<expect>(games.rounds(), of.pinned);
    co_await root.sleep(std::chrono::milliseconds{0});
    timing.start();
    for (const auto& one : senders) {
      one.template tell<go<Load, Kept>>(games.rounds() / of.senders / each, each, ahead, of.pinned);
    }
    co_await until_over(root);
    sent += games.rounds();
    games.took(timing.ns());
  }
  const auto counted_all = co_await sum.template ask<handled>();
  require(counted_all == sent, "not every message was counted once");
  if (of.pinned) {
    for (const auto& one : senders) {
      require(home_of(one.where()) != home_of(sum.where()), "a sender is on the counter's worker");
    }
  }
  co_return 0;
}

template <class Load, class Kept, std::uint32_t Senders, bool Pinned = false>
double fan_in(const settings& how, const setup& with) {
  pace games{how, 100'000, std::uint64_t{Senders} * chunk_of(Senders)};
  setup where = with;
  if (Pinned) where.workers = 2;
  run<counter<Load, Kept>, sender<Load, Kept>>(how, where, [&](cairn::root& root) {
    return play_fan<Load, Kept>(root, games, {Senders, Pinned});
  });
  return games.per_round();
}

}  // namespace bench
