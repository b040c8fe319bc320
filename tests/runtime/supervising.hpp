// Actors whose incarnations say what they do outside, for the tests of supervision.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <cairn/supervisor.hpp>

#include "fixture.hpp"

namespace tending {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

/// What the incarnations of all actors did outside, in order. Any thread.
class journal {
 public:
  void clear() {
    const std::lock_guard lock{guard_};
    lines_.clear();
  }
  void add(std::string line) {
    const std::lock_guard lock{guard_};
    lines_.push_back(std::move(line));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock{guard_};
    return lines_;
  }

 private:
  mutable std::mutex guard_;
  std::vector<std::string> lines_;
};

inline journal done;
inline fixture::faults planned;

struct work {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct nap {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct release {};
struct look {};
struct end {};
struct later {};

/// Opens a resource whenever it starts.
struct member {
  using protocol = cairn::protocol<work, nap, release, look, end, later>;
  std::string name{};
  int sum = 0;
  bool open = false;
  void serialize(auto& ar) { ar(name, sum, open); }

  void on_start(cairn::context<member>&) { done.add("start " + name); }
  void on_stop(cairn::stop_reason why) {
    if (why == cairn::stop_reason::restart) done.add("end " + name);
  }
  void on(work what) {
    sum += what.value;
    planned.check(what.value);
  }
  /// Waits until it is released by a message of its own: never, as it handles one at a time.
  cairn::task<> on(nap what, cairn::context<member>& self) {
    sum += what.value;
    co_await self.sleep(std::chrono::hours{what.value});
    sum += 1000;
    planned.check(what.value);
  }
  void on(release) { open = true; }
  int on(look) const { return sum; }
  void on(end, cairn::context<member>& self) { self.stop("of its own"); }
  void on(later, cairn::context<member>& self) { self.send_after<work>(1h, 7); }
};

struct begun {
  using protocol = cairn::protocol<work, look>;
  int births = 0;
  int sum = 0;
  void serialize(auto& ar) { ar(births, sum); }
  void on_birth(cairn::context<begun>& self) {
    ++births;
    self.spawn<member>("part", "part");
  }
  void on(work what) { sum += what.value; }
  int on(look) const { return 100 * births + sum; }
};

struct fleeting {
  using protocol = cairn::protocol<work, look>;
  using persistence = cairn::ephemeral;
  int sum = 0;
  void on(work what) {
    sum += what.value;
    planned.check(what.value);
  }
  int on(look) const { return sum; }
};

using all = cairn::actors<member, begun, fleeting>;

/// Three members under one supervisor, each of which has handled its number.
struct three {
  cairn::supervisor door{};
  cairn::ref<member> a{};
  cairn::ref<member> b{};
  cairn::ref<member> c{};
};
inline three spawn_three(const cairn::supervisor& door) {
  return {door, door.spawn<member>("a", "a"), door.spawn<member>("b", "b"),
          door.spawn<member>("c", "c")};
}

/// All have handled what they were sent before.
inline cairn::task<std::string> sums(three of) {
  const int a = co_await of.a.ask<look>();
  const int b = co_await of.b.ask<look>();
  const int c = co_await of.c.ask<look>();
  co_return std::to_string(a) + " " + std::to_string(b) + " " + std::to_string(c);
}

inline cairn::task<std::string> work_and_fail(three of) {
  of.a.tell<work>(1);
  of.b.tell<work>(2);
  of.c.tell<work>(3);
  (void)co_await sums(of);
  done.clear();
  of.b.tell<work>(-2);
  auto b = co_await of.b.ask<look>().as_result();  // after what its supervisor did
  std::string now = co_await sums(of);
  co_return now;
}

inline std::vector<std::string> restarted(const bench& on) {
  std::vector<std::string> found;
  for (const auto& each : on.told.of(event_kind::restarted)) {
    found.push_back(each.what.name + ": " + each.what.text);
  }
  return found;
}

}  // namespace tending
