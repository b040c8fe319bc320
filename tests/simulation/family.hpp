// Parents that spawn children, give them work, watch them, and have them stopped: births, stops
// with messages under way, names used again.
#pragma once

#include "audit.hpp"

namespace simulated::family {

constexpr int parents = 3;
constexpr int generations = 6;  // of children, of each parent
constexpr int errands = 4;      // of each child

struct parent;

struct errand {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct done {
  int generation = 0;
  int left = 0;
  void serialize(auto& ar) { ar(generation, left); }
};
struct begin {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct report {};
struct totals {
  int errands = 0;
  int deaths = 0;
  int births = 0;
  void serialize(auto& ar) { ar(errands, deaths, births); }
};

struct child {
  using protocol = cairn::protocol<errand>;
  int generation = 0;
  bool born = false;
  cairn::ref<parent> home{};
  void serialize(auto& ar) { ar(generation, born, home); }
  void on_birth(cairn::context<child>&) {
    if (born) complain("a child is born twice");
    born = true;
  }
  void on(errand what, cairn::context<child>& me);
};

struct parent {
  using protocol = cairn::protocol<begin, done, cairn::stopped, report>;
  totals sum{};
  int left = 0;
  int expected_left = 0;
  void serialize(auto& ar) { ar(sum, left, expected_left); }

  void on(begin what, cairn::context<parent>& me) {
    may_fail();
    left = what.left;
    expected_left = errands;
    auto made = me.spawn<child>("child", child{left, false, me.ref()});
    me.watch(made);
    ++sum.births;
    made.template tell<errand>(errands);
  }
  void on(done what) {
    may_fail();
    if (what.generation != left || what.left != --expected_left) complain("an errand out of order");
    ++sum.errands;
  }
  void on(cairn::stopped, cairn::context<parent>& me) {
    may_fail();
    if (expected_left != 0) complain("a child stopped before its errands had ended");
    ++sum.deaths;
    if (left > 1) me.ref().template tell<begin>(left - 1);
  }
  totals on(report) const { return sum; }
};

inline void child::on(errand what, cairn::context<child>& me) {
  if (what.left == 2) may_fail();  // more would suspend it: its parent is no lenient supervisor
  home.tell<done>(generation, what.left - 1);
  if (what.left == 1) {
    me.stop();
    me.ref().tell<errand>(0);  // reaches nobody
  } else {
    me.ref().tell<errand>(what.left - 1);
  }
}

inline cairn::task<int> app(cairn::root& root) {
  auto top = root.supervise("family", forgiving());
  std::vector<cairn::ref<parent>> all;
  for (int at = 0; at < parents; ++at) {
    all.push_back(top.spawn<parent>("parent " + std::to_string(at)));
  }
  if (!root.restored()) {
    for (const auto& each : all) each.tell<begin>(generations);
  }
  totals sum;
  do {
    sum = {};
    for (const auto& each : all) {
      const auto got = co_await each.ask<report>();
      sum.errands += got.errands;
      sum.deaths += got.deaths;
      sum.births += got.births;
    }
  } while (sum.deaths < parents * generations);
  outside->result = std::to_string(sum.births) + " births, " + std::to_string(sum.errands) +
                    " errands, " + std::to_string(sum.deaths) + " deaths";
  co_return 0;
}

/// In every snapshot a child that was born lives, or its end is on its way to its parent, or has
/// come there.
inline void check(const snapshot& in) {
  in.each<parent>([&](const parent& one, snapshot::cell& where) {
    int ends = one.sum.deaths;
    in.each_waiting<cairn::stopped>(where, [&](const auto&) { ++ends; });
    in.each<child>([&](const child&, snapshot::cell& young) {
      if (young.parent.id == where.self().id) ++ends;
    });
    if (one.sum.births != ends) {
      complain("snapshot " + std::to_string(raw(in.number())) + ": " + where.name + " has " +
               std::to_string(one.sum.births) + " children, of whom " + std::to_string(ends) +
               " are accounted for");
    }
  });
}

inline const std::string expected = "18 births, 72 errands, 18 deaths";

}  // namespace simulated::family
