// Shops that close: supervisors stop what is below them, the youngest first, each with the time
// that it was given, and the process dies in the middle of it.
#pragma once

#include "audit.hpp"

namespace simulated::closing {

using namespace std::chrono_literals;

constexpr int shops = 2;
constexpr int clerks = 5;  // of each shop, in the order of their birth; two are on a floor of it
constexpr int jobs = 9;    // of each clerk, before its shop is closed
constexpr int before_dawdling = 2;

struct job {
  int number = 0;
  void serialize(auto& ar) { ar(number); }
};
/// Its handler lasts for longer than anybody has.
struct dawdle {};
struct entry {
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct report {};
struct totals {
  std::map<int, std::uint64_t> done{};
  int gone = 0;
  void serialize(auto& ar) { ar(done, gone); }
};

/// What a clerk is, by its place.
[[nodiscard]] inline bool dawdles(int clerk) { return clerk % clerks == 1; }
[[nodiscard]] inline bool is_stopped_at_once(int clerk) { return clerk % clerks == 3; }
[[nodiscard]] inline bool is_on_the_floor(int clerk) {
  return clerk % clerks == 2 || clerk % clerks == 3;
}
[[nodiscard]] inline std::chrono::nanoseconds time_to_stop(int clerk) {
  if (dawdles(clerk)) return 4ms;
  return is_stopped_at_once(clerk) ? 0ms : 1s;
}

struct clerk;

struct meet {
  std::vector<cairn::ref<clerk>> all{};
  void serialize(auto& ar) { ar(all); }
};

struct books {
  using protocol = cairn::protocol<entry, meet, cairn::stopped, report>;
  order_check received{};
  std::set<std::uint64_t> gone{};
  void serialize(auto& ar) { ar(received, gone); }

  void on(entry what) { received.take(what.from, what.number, 99); }
  inline void on(meet what, cairn::context<books>& me);
  void on(cairn::stopped what) {
    may_fail();
    if (!gone.insert(raw(what.id)).second) complain("a clerk is gone twice");
  }
  totals on(report) const { return {received.last, static_cast<int>(gone.size())}; }
};

struct clerk {
  using protocol = cairn::protocol<job, dawdle>;
  int self = 0;
  cairn::ref<books> to{};
  void serialize(auto& ar) { ar(self, to); }

  cairn::task<> on(job what, cairn::context<clerk>& me) {
    may_fail();
    to.tell<entry>(self, static_cast<std::uint64_t>(what.number));
    if (!dawdles(self) && what.number % 3 == 0) co_await me.sleep(1ms);
  }
  cairn::task<> on(dawdle, cairn::context<clerk>& me) { co_await me.sleep(1h); }
};

inline void books::on(meet what, cairn::context<books>& me) {
  for (const auto& each : what.all) me.watch(each);
}

/// The jobs, before the shop closes: in one turn, so that they come first. The clerks are born in
/// the order of their numbers, and the floor in their midst.
inline void open(const cairn::supervisor& shop, int first, meet& into,
                 const cairn::ref<books>& kept) {
  cairn::supervisor floor;
  for (int at = first; at < first + clerks; ++at) {
    if (at == first + 2) floor = shop.supervise("floor", forgiving());
    const auto& above = is_on_the_floor(at) ? floor : shop;
    const auto door = above.with({.shutdown = time_to_stop(at)});
    const auto one = door.spawn<clerk>("clerk " + std::to_string(at), at, kept);
    for (int number = 1; number <= jobs; ++number) {
      if (dawdles(at) && number == before_dawdling + 1) one.tell<dawdle>();
      one.tell<job>(number);
    }
    into.all.push_back(one);
  }
}

/// A shop that has been closed is opened again, with nobody in it.
inline void live(cairn::root& root, const cairn::supervisor& top, const cairn::ref<books>& kept) {
  meet all;
  for (int at = 0; at < shops; ++at) {
    auto shop = top.supervise("shop " + std::to_string(at), forgiving());
    if (root.restored()) {
      (void)shop.supervise("floor", forgiving());
    } else {
      open(shop, at * clerks, all, kept);
    }
    shop.stop();
  }
  if (!root.restored()) kept.tell<meet>(all);
}

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("closing", forgiving());
  auto kept = top.spawn<books>("books");
  live(root, top, kept);
  auto& process = *kept.where().where->owner;
  auto& began = outside->notes<std::chrono::nanoseconds>();
  if (began.count() == 0) began = static_cast<cairn::detail::world&>(process).steady_now();
  totals sum;
  while (sum.gone < shops * clerks) {
    co_await root.sleep(1ms);
    sum = co_await kept.ask<report>();
  }
  const auto took = static_cast<cairn::detail::world&>(process).steady_now() - began;
  if (took > 4s) complain("what has little time to stop took more");
  std::uint64_t done = 0;
  for (const auto& [who, count] : sum.done) {
    if (dawdles(who) && count > before_dawdling) complain("a clerk does what came after it");
    if (!dawdles(who) && !is_stopped_at_once(who)) done += count;
  }
  outside->result = std::to_string(done) + " jobs, " + std::to_string(sum.gone) + " gone";
  co_return 0;
}

inline void watch(const cairn::event& what) {
  if (what.kind != cairn::event_kind::stopped || !what.name.starts_with("clerk ")) return;
  const int who = std::stoi(what.name.substr(6));
  const bool late = what.text.find("had not stopped in time") != std::string::npos;
  if (late != dawdles(who)) complain(what.name + " stops otherwise: " + what.text);
}

/// Whoever is there, those who were born before it are there too.
inline void check(const snapshot& in) {
  std::set<int> there;
  in.each<clerk>([&](const clerk& one, const snapshot::cell&) { there.insert(one.self); });
  for (const int each : there) {
    if (each % clerks != 0 && !there.contains(each - 1)) {
      complain("clerk " + std::to_string(each) + " is there, and its elder is not");
    }
  }
}

inline const std::string expected = "54 jobs, 10 gone";

}  // namespace simulated::closing
