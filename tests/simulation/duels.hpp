// Actors that await each other: neither can answer, the first ask that times out has an event that
// names them, and both go on.
#pragma once

#include "audit.hpp"

namespace simulated::duels {

using namespace std::chrono_literals;

constexpr int fighters = 4;  // two at a time
constexpr int rounds = 6;    // of each

struct fighter;

struct round {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct parry {};
struct meet {
  cairn::ref<fighter> other{};
  void serialize(auto& ar) { ar(other); }
};
struct report {};

/// Of the present process, as far as it has not gone back.
class referee {
 public:
  void begin() { *this = {}; }
  void asks(int self) {
    auto& mine = asking_[self];
    auto& other = asking_[self ^ 1];
    mine = {true, false, 0};
    if (other.open) mine.bout = other.bout = ++bouts_;
  }
  /// Of an ask of this process.
  void ends(int self, bool in_time) {
    auto& mine = asking_[self];
    auto& other = asking_[self ^ 1];
    if (!mine.open) return;
    mine.open = false;
    mine.timed_out = !in_time;
    if (in_time) return;
    ++late_[self];
    const bool both = mine.bout != 0 && other.bout == mine.bout && !other.open && other.timed_out;
    if (both) ++stuck_[self / 2];
  }
  void named(int self, bool each_other) {
    ++told_[self];
    if (each_other) ++cycles_[self / 2];
  }
  void check() {
    for (int at = 0; at < fighters; ++at) {
      if (told_[at] < late_[at]) complain("an ask has timed out, and no event says so");
    }
    for (int at = 0; at < fighters / 2; ++at) {
      if (cycles_[at] < stuck_[at]) complain("actors that await each other are not named");
    }
  }

 private:
  struct ask {
    bool open = false;
    bool timed_out = false;
    int bout = 0;
  };
  std::map<int, ask> asking_{};
  std::map<int, int> late_{}, told_{};     ///< by fighter
  std::map<int, int> stuck_{}, cycles_{};  ///< by two
  int bouts_ = 0;
};

struct fighter {
  using protocol = cairn::protocol<meet, round, parry, report>;
  int self = 0;
  cairn::ref<fighter> other{};
  int fought = 0;
  void serialize(auto& ar) { ar(self, other, fought); }

  void on(meet what) { other = what.other; }
  cairn::task<> on(round what, cairn::context<fighter>& me) {
    if (me.random() % 3 == 0) co_await me.sleep(std::chrono::milliseconds{me.random() % 4});
    may_fail();
    if (!me.replaying() && !outside->dying) outside->notes<referee>().asks(self);
    auto asked = other.ask<parry>().within(5ms).as_result();
    const auto answer = co_await std::move(asked);
    if (!me.replaying() && !outside->dying) {
      outside->notes<referee>().ends(self, answer.code() == cairn::errc::ok);
    }
    if (!answer && answer.code() != cairn::errc::timeout) complain("a parry fails");
    ++fought;
    if (what.left > 1) me.ref().tell<round>(what.left - 1);
  }
  void on(parry) {}
  int on(report) const { return fought; }
};

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("duels", forgiving());
  outside->notes<referee>().begin();
  std::vector<cairn::ref<fighter>> all;
  for (int at = 0; at < fighters; ++at) {
    all.push_back(top.spawn<fighter>("fighter " + std::to_string(at), at));
  }
  if (!root.restored()) {
    for (std::size_t at = 0; at < all.size(); ++at) all[at].tell<meet>(all[at ^ 1]);
    for (const auto& each : all) each.tell<round>(rounds);
  }
  int fought = 0;
  while (fought < fighters * rounds) {
    co_await root.sleep(2ms);
    fought = 0;
    for (const auto& each : all) fought += co_await each.ask<report>();
  }
  co_await root.sleep(1ms);  // what is to be told has been
  outside->notes<referee>().check();
  outside->result = std::to_string(fought) + " rounds";
  co_return 0;
}

inline void watch(const cairn::event& what) {
  if (what.kind == cairn::event_kind::rolled_back) outside->notes<referee>().begin();
  if (what.kind != cairn::event_kind::timed_out) return;
  const int self = std::stoi(what.name.substr(what.name.find_last_of(' ') + 1));
  const std::string me = "fighter " + std::to_string(self);
  const std::string you = "fighter " + std::to_string(self ^ 1);
  const bool each_other = what.text.find("actors await each other: " + me + " awaits " + you +
                                         " awaits " + me) != std::string::npos;
  if (!each_other &&
      what.text.find("no answer in time: " + me + " awaits " + you) == std::string::npos) {
    complain("an ask that timed out is told otherwise: " + what.text);
  }
  outside->notes<referee>().named(self, each_other);
}

inline const std::string expected = "24 rounds";

}  // namespace simulated::duels
