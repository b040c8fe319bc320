// Much at once: bursts to receivers that sleep over whole epochs with mail behind them, ephemeral
// actors in between, and so many ready actors that workers give them to each other.
#pragma once

#include <cairn/asio.hpp>

#include "audit.hpp"

namespace simulated::storm {

using namespace std::chrono_literals;

constexpr int clouds = 14;
constexpr int fronts = 8;  // bursts that are under way at a time
constexpr int hops = 10;   // of each
constexpr int burst = 3;   // messages at once, the last of which goes on
constexpr int mists = 3;
constexpr int naps = 4;  // of each cloud that sleeps

struct cloud;
struct mist;

struct gust {
  int left = 0;  ///< hops
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(left, from, number); }
};
/// Through an ephemeral actor: at most once.
struct spray {
  int from = 0;
  int to = 0;
  std::uint64_t number = 0;
  std::string text{};  ///< owned: a log takes it, and the handler reads it there
  void serialize(auto& ar) { ar(from, to, number, text); }
};
[[nodiscard]] inline std::string text_of_spray(std::uint64_t number) {
  return "what no short string has room for: " + std::to_string(number);
}
struct nap {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct meet {
  int self = 0;
  std::vector<cairn::ref<cloud>> all{};
  void serialize(auto& ar) { ar(self, all); }
};
struct meet_mists {
  std::vector<cairn::ref<mist>> all{};
  void serialize(auto& ar) { ar(all); }
};
/// From outside; the answer is held until it is true for ever.
struct promise {};
struct report {};
struct totals {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  int napped = 0;
  void serialize(auto& ar) { ar(sent, received, napped); }
};

/// Passes on what it is told.
struct mist {
  using protocol = cairn::protocol<spray>;
  using persistence = cairn::ephemeral;
  std::vector<cairn::ref<cloud>> all{};
  void on(const spray& what);
};

struct cloud {
  using protocol = cairn::protocol<meet, meet_mists, gust, spray, nap, nudge, promise, report>;
  std::vector<cairn::ref<cloud>> all{};
  std::vector<cairn::ref<mist>> through{};
  int self = 0;
  int napped = 0;
  std::uint64_t promised = 0;
  numbering sent{};
  numbering sprayed{};
  order_check received{};
  std::map<int, std::uint64_t> dampened{};  ///< the last number of each that sprays
  heard outside_words{};
  void serialize(auto& ar) {
    ar(all, through, self, napped, promised, sent, sprayed, received, dampened, outside_words);
  }

  void on(meet what) {
    self = what.self;
    all = std::move(what.all);
  }
  void on(meet_mists what) { through = std::move(what.all); }

  void on(gust what, cairn::context<cloud>& me) {
    may_fail();
    received.take(what.from, what.number, self);
    if (what.left == 0) return;
    const auto to = static_cast<int>(me.random() % all.size());
    for (int at = 1; at <= burst; ++at) {
      const int left = at == burst ? what.left - 1 : 0;
      all[static_cast<std::size_t>(to)].tell<gust>(left, self, sent.next(to));
    }
    if (through.empty()) return;
    const auto wet = static_cast<int>(me.random() % all.size());
    const auto number = sprayed.next(wet);
    through[static_cast<std::size_t>(self + wet) % through.size()].tell<spray>(
        self, wet, number, text_of_spray(number));
  }
  void on(const spray& what) {
    may_fail();
    if (what.text != text_of_spray(what.number)) complain("a spray says something else");
    auto& last = dampened[what.from];
    if (what.number <= last) complain("a spray out of order, or twice");
    last = what.number;
  }
  /// Whatever comes meanwhile waits.
  cairn::task<> on(nap what, cairn::context<cloud>& me) {
    may_fail();
    co_await me.sleep(std::chrono::milliseconds{1 + me.random() % 20});
    may_fail();
    ++napped;
    if (what.left > 1) me.ref().template tell<nap>(what.left - 1);
  }
  void on(nudge what) {
    may_fail();
    outside_words.take(what);
  }
  std::uint64_t on(promise) {
    may_fail();
    return ++promised;
  }
  totals on(report) const {
    totals sum{0, received.total(), napped};
    for (const auto& [to, count] : sent.last) sum.sent += count;
    return sum;
  }
};

inline void mist::on(const spray& what) {
  may_fail();
  all[static_cast<std::size_t>(what.to)].tell<spray>(what);
}

inline std::string name_of(std::size_t at) { return "cloud " + std::to_string(at); }

/// What a thread outside does: it tells, and asks for promises.
inline std::optional<cairn::epoch> talk(const std::vector<cairn::ref<cloud>>& all,
                                        const nudge& what) {
  const auto whom = (what.thread + what.number) % all.size();
  if (outside->faults.below(3) != 0) return tell(all[whom], what);
  const auto keep = [whom, world = outside](cairn::detail::envelope_ptr answer, cairn::errc code) {
    if (code != cairn::errc::ok || world->dying) return;
    auto& promised = world->promises[name_of(whom)];
    promised = std::max(promised, *static_cast<const std::uint64_t*>(answer->payload()));
  };
  const auto& to = all[whom].where();
  cairn::detail::ask_from_outside(
      cairn::detail::engine_outside(to), cairn::detail::build_message<promise, cloud::protocol>(),
      to, {.when = cairn::answered::committed, .timeout = std::chrono::hours{24}}, keep);
  return std::nullopt;
}

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("storm", forgiving());
  auto thin = root.supervise("air", forgiving());
  std::vector<cairn::ref<cloud>> all;
  for (std::size_t at = 0; at < clouds; ++at) all.push_back(top.spawn<cloud>(name_of(at)));
  meet_mists air;
  for (int at = 0; at < mists; ++at) {
    air.all.push_back(thin.spawn<mist>("mist " + std::to_string(at), mist{all}));
  }
  if (!root.restored()) {
    // Once: whoever begins anew may have begun before, and a commit in doubt may have that.
    if (outside->sleepers < 0) outside->sleepers = static_cast<int>(root.random() % clouds);
    for (int at = 0; at < clouds; ++at) {
      auto& each = all[static_cast<std::size_t>(at)];
      each.tell<meet>(at, all);
      if (at < outside->sleepers) each.tell<nap>(naps);
      if (at < fronts) each.tell<gust>(hops, -1, std::uint64_t{1});
    }
  }
  for (const auto& each : all) each.tell<meet_mists>(air);
  outside->nudge = [all](const nudge& what) { return talk(all, what); };
  totals sum;
  do {
    co_await root.sleep(3ms);
    sum = {};
    for (const auto& each : all) {
      const auto got = co_await each.ask<report>();
      sum.sent += got.sent;
      sum.received += got.received;
      sum.napped += got.napped;
    }
  } while (sum.received < fronts * (1 + hops * burst) || sum.napped < outside->sleepers * naps);
  outside->result =
      std::to_string(sum.sent) + " sent, " + std::to_string(sum.received) + " received";
  co_return 0;
}

inline void check(const snapshot& in) {
  ledger books{in};
  hearsay words{in};
  std::map<int, const cloud*> all;
  in.each<cloud>([&](const cloud& one, const snapshot::cell& where) {
    const int self = number_of(where);
    all[self] = &one;
    books.sent(one.sent, self);
    books.received(one.received, self);
    if (self < fronts) books.sent(numbering{{{self, 1}}}, -1);
    in.each_waiting<gust>(where,
                          [&](const gust& each) { books.waits(each.from, self, each.number); });
    words.has(one.outside_words);
    in.each_waiting<nudge>(where, [&](const nudge& word) { words.waits(word); });
  });
  books.check();
  words.check();
  // What came through an ephemeral actor may be lost, but it was sent.
  const auto was_sent = [&](int from, int to, std::uint64_t number) {
    const auto by = all.find(from);
    const auto count = by == all.end() ? nullptr : &by->second->sprayed.last;
    if (count != nullptr && count->contains(to) && count->at(to) >= number) return;
    complain("snapshot " + std::to_string(raw(in.number())) + ": a spray that nobody sent");
  };
  in.each<cloud>([&](const cloud& one, const snapshot::cell& where) {
    const int self = number_of(where);
    for (const auto& [from, number] : one.dampened) was_sent(from, self, number);
    in.each_waiting<spray>(where,
                           [&](const spray& each) { was_sent(each.from, self, each.number); });
  });
}

/// The next process begins with nothing less than was promised outside.
inline void check_latest(const snapshot& in) {
  in.each<cloud>([&](const cloud& one, const snapshot::cell& where) {
    if (one.promised < outside->promises[where.name]) complain("a promise was not kept");
  });
}

inline const std::string expected = "240 sent, 248 received";

}  // namespace simulated::storm
