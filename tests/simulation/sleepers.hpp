// Handlers that stay suspended over whole epochs, with mail that comes now and then and waits
// behind them: what is in flight to an actor that nobody else touches.
#pragma once

#include "audit.hpp"

namespace simulated::sleepers {

using namespace std::chrono_literals;

constexpr int sleepers = 10;
constexpr int posters = 5;
constexpr int letters = 24;  // of each poster
constexpr int naps = 3;      // of each sleeper

struct sleeper;

struct letter {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct nap {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct post {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct meet {
  int self = 0;
  std::vector<cairn::ref<sleeper>> all{};
  void serialize(auto& ar) { ar(self, all); }
};
struct report {};
struct totals {
  std::uint64_t letters = 0;
  int naps = 0;
  void serialize(auto& ar) { ar(letters, naps); }
};

struct sleeper {
  using protocol = cairn::protocol<letter, nap, report>;
  int slept = 0;
  order_check received{};
  void serialize(auto& ar) { ar(slept, received); }

  void on(letter what) {
    may_fail();
    received.take(what.from, what.number, 0);
  }
  cairn::task<> on(nap what, cairn::context<sleeper>& me) {
    if (what.left > 1) me.ref().template tell<nap>(what.left - 1);
    const auto span = me.random() % 60;
    may_fail();  // it was handed something
    co_await me.sleep(std::chrono::milliseconds{1 + span});
    may_fail();
    ++slept;
  }
  totals on(report) const { return {received.total(), slept}; }
};

/// Posts one letter in each turn; the last turn of a round waits a little.
struct poster {
  using protocol = cairn::protocol<meet, post, nudge>;
  int self = 0;
  std::vector<cairn::ref<sleeper>> all{};
  numbering sent{};
  heard outside_words{};
  void serialize(auto& ar) { ar(self, all, sent, outside_words); }

  void on(meet what) {
    self = what.self;
    all = std::move(what.all);
  }
  void on(post what, cairn::context<poster>& me) {
    const auto to = static_cast<int>(me.random() % all.size());
    may_fail();
    all[static_cast<std::size_t>(to)].tell<letter>(self, sent.next(to));
    if (what.left == 1) return;
    if (what.left % 8 == 1) {
      me.template send_after<post>(std::chrono::milliseconds{me.random() % 20}, what.left - 1);
    } else {
      me.ref().template tell<post>(what.left - 1);
    }
  }
  void on(nudge what) { outside_words.take(what); }
};

/// A snapshot at rest, for which those who sleep longest are not waited.
inline cairn::task<> rest(cairn::root* root) {
  auto keeping = root->savepoint("night", cairn::at_rest).as_result();
  (void)co_await std::move(keeping);  // an epoch may be abandoned, and a name be there already
  auto removing = root->remove_savepoint("night").as_result();
  (void)co_await std::move(removing);
}

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("dormitory", forgiving());
  std::vector<cairn::ref<sleeper>> all;
  std::vector<cairn::ref<poster>> by;
  for (int at = 0; at < sleepers; ++at) {
    all.push_back(top.spawn<sleeper>("sleeper " + std::to_string(at)));
  }
  for (int at = 0; at < posters; ++at) {
    by.push_back(top.spawn<poster>("poster " + std::to_string(at)));
  }
  if (!root.restored()) {
    for (const auto& each : all) each.tell<nap>(naps);
    for (int at = 0; at < posters; ++at) {
      by[static_cast<std::size_t>(at)].tell<meet>(at, all);
      by[static_cast<std::size_t>(at)].tell<post>(letters);
    }
  }
  outside->nudge = [by](const nudge& what) { return tell(by[what.number % by.size()], what); };
  totals sum;
  do {
    co_await rest(&root);
    co_await root.sleep(150ms);  // whoever asks touches
    sum = {};
    for (const auto& each : all) {
      const auto got = co_await each.ask<report>();
      sum.letters += got.letters;
      sum.naps += got.naps;
    }
  } while (sum.letters < posters * letters || sum.naps < sleepers * naps);
  outside->result = std::to_string(sum.letters) + " letters, " + std::to_string(sum.naps) + " naps";
  co_return 0;
}

inline void check(const snapshot& in) {
  ledger books{in};
  hearsay words{in};
  in.each<sleeper>([&](const sleeper& one, const snapshot::cell& where) {
    const int self = number_of(where);
    books.received(one.received, self);
    in.each_waiting<letter>(where,
                            [&](const letter& each) { books.waits(each.from, self, each.number); });
  });
  in.each<poster>([&](const poster& one, const snapshot::cell& where) {
    books.sent(one.sent, number_of(where));
    words.has(one.outside_words);
    in.each_waiting<nudge>(where, [&](const nudge& word) { words.waits(word); });
  });
  books.check();
  words.check();
}

inline const std::string expected = "120 letters, 30 naps";

}  // namespace simulated::sleepers
