// Handlers that are not deterministic, on purpose: run again they do something else now and then.
// The system goes back to its latest snapshot, or, where that was done already, the actor waits
// until the root task lets it go on. Nothing that only a replay does ever happens.
#pragma once

#include "audit.hpp"
#include "divergences.hpp"

namespace simulated::whims {

using namespace std::chrono_literals;

constexpr int moodies = 2;
constexpr int shifts = 8;
constexpr int jobs = 3;  // for each, in each shift

struct job {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct entry {
  int from = 0;
  std::uint64_t number = 0;
  std::string text{};
  void serialize(auto& ar) { ar(from, number, text); }
};
[[nodiscard]] inline std::string text_of(std::uint64_t number) {
  return "entry " + std::to_string(number) + " in a text that no small string has room for";
}
/// Sent in replay alone.
struct rumour {};
struct shift {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct report {};

struct books {
  using protocol = cairn::protocol<entry, rumour, report>;
  order_check received{};
  void serialize(auto& ar) { ar(received); }
  void on(entry what) {
    received.take(what.from, what.number, 99);
    if (what.text != text_of(what.number)) complain("an entry with what a replay wrote into it");
  }
  void on(rumour) { complain("what a replay did otherwise has happened"); }
  std::uint64_t on(report) const { return received.total(); }
};

struct moody {
  using protocol = cairn::protocol<job, report>;
  int self = 0;
  cairn::ref<books> to{};
  order_check received{};
  bool strayed = false;  ///< a replay went another way, and was taken for good
  void serialize(auto& ar) { ar(self, to, received, strayed); }

  cairn::task<> on(job what, cairn::context<moody>& me) {
    may_fail();
    if (!me.replaying()) go_on(me);
    received.take(what.from, what.number, self);
    if (strays(6)) {
      if (what.number % 4 == 1) throw std::runtime_error{"what it needs is lost"};
      strayed = true;
      if (values_count() && what.number % 2 == 0) {
        cairn::detail::sometimes("replay strays by a string alone");
        to.tell<entry>(self, what.number, text_of(what.number + 1));
      } else {
        to.tell<rumour>();
      }
    } else {
      to.tell<entry>(self, what.number, text_of(what.number));
    }
    if (what.number % 3 == 0) {
      co_await me.sleep(1ms);
      may_fail();
      if (!me.replaying()) go_on(me);
    }
  }
  std::uint64_t on(report) const { return received.total(); }

 private:
  void go_on(cairn::context<moody>& me) const {
    may_go_on(me.name());
    if (strayed) complain("a replay that went another way was taken for good");
  }
};

struct boss {
  using protocol = cairn::protocol<shift>;
  std::vector<cairn::ref<moody>> all{};
  numbering sent{};
  void serialize(auto& ar) { ar(all, sent); }

  cairn::task<> on(shift what, cairn::context<boss>& me) {
    may_fail();
    for (int at = 0; at < jobs; ++at) {
      for (int to = 0; to < moodies; ++to) {
        all[static_cast<std::size_t>(to)].tell<job>(9, sent.next(to));
      }
    }
    co_await me.sleep(2ms);
    if (what.left > 1) me.ref().tell<shift>(what.left - 1);
  }
};

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("whims", forgiving());
  auto kept = top.spawn<books>("books");
  boss start;
  for (int at = 0; at < moodies; ++at) {
    start.all.push_back(top.spawn<moody>("moody " + std::to_string(at), at, kept));
  }
  const auto all = start.all;
  auto chief = top.spawn<boss>("boss 9", start);
  if (!root.restored()) chief.tell<shift>(shifts);
  std::uint64_t done = 0;
  while (done < static_cast<std::uint64_t>(moodies * shifts * jobs)) {
    co_await root.sleep(3ms);
    for (const auto& each : all) {
      auto asked = each.ask<report>().as_result();
      const auto answer = co_await std::move(asked);
      if (!answer && answer.code() != cairn::errc::failed) complain("a report fails");
      if (!answer) root.resume(each);
    }
    done = co_await kept.ask<report>();
  }
  outside->result = std::to_string(done) + " entries";
  co_return 0;
}

inline void check(const snapshot& in) {
  ledger all{in};
  in.each<boss>([&](const boss& one, const snapshot::cell&) { all.sent(one.sent, 9); });
  in.each<moody>([&](const moody& one, const snapshot::cell& where) {
    all.received(one.received, one.self);
    in.each_waiting<job>(where,
                         [&](const job& each) { all.waits(each.from, one.self, each.number); });
    const auto found = one.received.last.find(9);
    if (found != one.received.last.end()) all.sent(numbering{{{99, found->second}}}, one.self);
  });
  in.each<books>([&](const books& one, const snapshot::cell& where) {
    all.received(one.received, 99);
    in.each_waiting<entry>(where,
                           [&](const entry& each) { all.waits(each.from, 99, each.number); });
    in.each_waiting<rumour>(where, [](const rumour&) { complain("a snapshot holds a rumour"); });
  });
  all.check();
}

inline const std::string expected = "48 entries";

}  // namespace simulated::whims
