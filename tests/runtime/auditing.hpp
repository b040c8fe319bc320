// Actors for the audits: who does everything that a handler may do, and who is not deterministic.
#pragma once

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include <cereal/types/unordered_set.hpp>

#include "fixture.hpp"

namespace audited {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct twice {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct slow {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct nap {};
struct look {};

inline std::atomic<int> again{0};  // turns that an audit, or a restart, has run again
inline int world_outside = 0;      // what no snapshot holds
inline std::atomic<int> opened{0};
inline std::atomic<int> closed{0};
inline std::atomic<int> runs_outside{0};
inline fixture::faults planned;

/// Notes that a turn runs again, and says so.
template <class A>
bool notice(cairn::context<A>& self) {
  if (self.replaying()) ++again;
  return self.replaying();
}

struct doubler {
  using protocol = cairn::protocol<twice, add>;
  int asked = 0;
  void serialize(auto& ar) { ar(asked); }
  int on(twice what) {
    ++asked;
    return 2 * what.value;
  }
  void on(add) {}
};

inline int square(int of) {
  ++runs_outside;
  return of * of;
}

struct leaf {
  using protocol = cairn::protocol<add>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on(add what) { sum += what.value; }
};

/// Does everything that a handler may do, and always the same.
struct steady {
  using protocol = cairn::protocol<add, slow, nap, look>;
  cairn::ref<doubler> helper{};
  cairn::ref<steady> self_again{};
  std::string text{};
  std::vector<int> values{};
  std::unordered_map<int, std::string> named{};
  std::unordered_set<int> seen{};
  std::uint64_t drawn = 0;
  std::int64_t when = 0;
  void serialize(auto& ar) { ar(helper, self_again, text, values, named, seen, drawn, when); }

  void on_birth(cairn::context<steady>& self) { self_again = self.ref(); }
  void on_start(cairn::context<steady>&) { ++opened; }
  void on_stop(cairn::stop_reason) { ++closed; }

  void take(int value) {
    values.push_back(value);
    text += std::to_string(value) + " a line that is longer than any small string holds\n";
    named[value] = text.substr(0, 7);
    for (int each = 0; each < value; ++each) seen.insert(each * 977 % 10'007);
  }
  /// Not where a turn runs again that went well.
  static void fail_as_planned(int value, cairn::context<steady>& self) {
    if (!self.replaying()) planned.check(value);
  }
  void on(add what, cairn::context<steady>& self) {
    notice(self);
    take(what.value);
    drawn ^= self.random();
    when = self.now().time_since_epoch().count();
    helper.tell<add>(what.value);
    auto child = self.spawn<leaf>("", leaf{});
    child.tell<add>(static_cast<int>(raw(child.id())));
    self.send_after<nap>(1h);
    fail_as_planned(what.value, self);
  }
  cairn::task<int> on(slow what, cairn::context<steady>& self) {
    notice(self);
    take(what.value);
    const int once = co_await helper.ask<twice>(what.value);
    fail_as_planned(10 * what.value, self);
    const int run = co_await self.run("square", &square, once);
    take(run % 7);
    co_return static_cast<int>(values.size());
  }
  cairn::task<> on(nap, cairn::context<steady>& self) {
    notice(self);
    auto both = helper.ask<twice>(1);
    co_await self.sleep(1h);
    take(co_await std::move(both));
  }
  int on(look) const { return static_cast<int>(values.size()); }
};

/// Counts outside of its state.
struct counting {
  using protocol = cairn::protocol<add>;
  int count = 0;
  void serialize(auto& ar) { ar(count); }
  void on(add what) {
    static int all = 0;
    count = all += what.value;
  }
};

/// Iterates over addresses.
struct pointing {
  using protocol = cairn::protocol<add>;
  std::string order{};
  void serialize(auto& ar) { ar(order); }
  void on(add what, cairn::context<pointing>& self) {
    // What an allocator does to the order of addresses, done on purpose.
    const bool other = notice(self);
    int nodes[2] = {what.value, -what.value};
    std::map<const int*, int> by_address{{&nodes[0], nodes[other ? 1 : 0]},
                                         {&nodes[1], nodes[other ? 0 : 1]}};
    for (const auto& [where, value] : by_address) order += std::to_string(value) + ",";
  }
};

/// Sends what a global says.
struct chatty {
  using protocol = cairn::protocol<add>;
  cairn::ref<doubler> to{};
  int sum = 0;
  void serialize(auto& ar) { ar(to, sum); }
  void on(add what) {
    sum += what.value;
    if (world_outside++ % 2 == 0) to.tell<add>(what.value);
  }
};

/// Throws where it runs again.
struct touchy {
  using protocol = cairn::protocol<add>;
  std::string text{};
  void serialize(auto& ar) { ar(text); }
  void on(add what, cairn::context<touchy>& self) {
    text += std::to_string(what.value);
    if (notice(self)) throw std::runtime_error{"a second time"};
  }
};

/// Its serialize leaves out what its handlers need.
struct forgetful {
  using protocol = cairn::protocol<add>;
  int sum = 0;
  int step = 1;
  void serialize(auto& ar) { ar(sum); }
  void on(add what) {
    sum += step;
    step += what.value;
  }
};

/// Equal as a set, whatever its order.
struct bag {
  using protocol = cairn::protocol<add>;
  std::vector<int> values{};
  void serialize(auto& ar) { ar(values); }
  void on(add what, cairn::context<bag>& self) {
    values.insert(notice(self) ? values.begin() : values.end(), what.value);
  }
  friend bool operator==(const bag& a, const bag& b) {
    return std::is_permutation(a.values.begin(), a.values.end(), b.values.begin(), b.values.end());
  }
};

/// Equal sets and maps whose elements come in other orders.
struct shuffled {
  using protocol = cairn::protocol<add>;
  std::unordered_set<int> set{};
  std::unordered_multimap<int, std::unordered_set<std::string>> nested{};
  void serialize(auto& ar) { ar(set, nested); }
  void on(add what, cairn::context<shuffled>& self) {
    std::vector<int> all(50);
    for (int at = 0; at < 50; ++at) all[static_cast<std::size_t>(at)] = what.value + at;
    if (notice(self)) std::reverse(all.begin(), all.end());
    for (const int each : all) {
      set.insert(each);
      nested.insert(
          {each % 5,
           {std::to_string(each), "longer than a small string " + std::to_string(-each)}});
    }
  }
};

/// A number that is not even equal to itself.
struct undefined {
  using protocol = cairn::protocol<add>;
  double ratio = 0;
  void serialize(auto& ar) { ar(ratio); }
  void on(add) { ratio = std::numeric_limits<double>::quiet_NaN(); }
  bool operator==(const undefined&) const = default;
};

/// Suspended at every cut; what it does then depends on the world.
struct dozing {
  using protocol = cairn::protocol<slow, nap>;
  cairn::ref<doubler> helper{};
  int sum = 0;
  void serialize(auto& ar) { ar(helper, sum); }
  cairn::task<> on(slow what, cairn::context<dozing>& self) {
    if (notice(self)) sum += what.value;
    co_await self.sleep(1000h);
  }
  cairn::task<> on(nap, cairn::context<dozing>& self) {
    auto one = helper.ask<twice>(1);
    const int got = co_await std::move(one);
    if (!notice(self)) co_await self.sleep(1000h);
    sum += got;
  }
};

/// Suspended like before, and waits for something else.
struct wavering {
  using protocol = cairn::protocol<slow>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  cairn::task<> on(slow, cairn::context<wavering>& self) {
    if (notice(self)) auto unused = self.sleep(1h);
    co_await self.sleep(1000h);
  }
};

using all = cairn::actors<wavering, doubler, leaf, steady, counting, pointing, chatty, touchy,
                          forgetful, bag, shuffled, undefined, dozing>;

}  // namespace audited
