// Tokens that travel: round a ring, and at random through a graph full of cycles.
#pragma once

#include "audit.hpp"

namespace simulated::graph {

constexpr int nodes = 8;
constexpr int tokens = 10;
constexpr int hops = 20;  // of each

struct node;

struct token {
  int left = 0;
  bool ring = false;
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(left, ring, from, number); }
};
struct report {};
struct meet {
  int self = 0;
  std::vector<cairn::ref<node>> all{};
  void serialize(auto& ar) { ar(self, all); }
};
struct totals {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  void serialize(auto& ar) { ar(sent, received); }
};

struct node {
  using protocol = cairn::protocol<meet, token, report>;
  int self = 0;
  std::vector<cairn::ref<node>> all{};
  std::uint64_t count = 0;
  numbering sent{};
  order_check received{};
  void serialize(auto& ar) { ar(self, all, count, sent, received); }

  void on(meet what) {
    self = what.self;
    all = std::move(what.all);
  }
  void on(token what, cairn::context<node>& me) {
    may_fail();
    if (what.number != 0) received.take(what.from, what.number, self);
    if (what.left == 0) return;
    const auto next =
        what.ring ? static_cast<std::size_t>(self + 1) % all.size() : me.random() % all.size();
    ++count;
    all[next].tell<token>(what.left - 1, what.ring, self, sent.next(static_cast<int>(next)));
  }
  totals on(report) const { return {count, received.total()}; }
};

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("graph", forgiving());
  std::vector<cairn::ref<node>> all;
  for (int at = 0; at < nodes; ++at) all.push_back(top.spawn<node>("node " + std::to_string(at)));
  if (!root.restored()) {
    for (int at = 0; at < nodes; ++at) all[static_cast<std::size_t>(at)].tell<meet>(at, all);
    for (int at = 0; at < tokens; ++at) {
      all[static_cast<std::size_t>(at) % nodes].tell<token>(hops, at % 2 == 0, 0, 0U);
    }
  }
  totals sum;
  do {
    sum = {};
    for (const auto& each : all) {
      const auto got = co_await each.ask<report>();
      sum.sent += got.sent;
      sum.received += got.received;
    }
  } while (sum.received < tokens * hops);
  outside->result =
      std::to_string(sum.sent) + " sent, " + std::to_string(sum.received) + " received";
  co_return 0;
}

/// In every snapshot each token is somewhere once: on its way, or at its end.
inline void check(const snapshot& in) {
  ledger books{in};
  in.each<node>([&](const node& one, const snapshot::cell& where) {
    books.sent(one.sent, number_of(where));
    books.received(one.received, number_of(where));
    in.each_waiting<token>(where, [&](const token& each) {
      if (each.number != 0) books.waits(each.from, number_of(where), each.number);
    });
  });
  books.check();
}

inline const std::string expected = "200 sent, 200 received";

}  // namespace simulated::graph
