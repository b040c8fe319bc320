// What one sender sends to one receiver arrives in the order sent, each once: while actors are
// given away between workers, while epochs are committed, over crashes, and from threads outside.
#include <cstdint>
#include <thread>

#include "fixture.hpp"

namespace ordering {

using cairn::event_kind;
using fixture::bench;

constexpr std::size_t receivers = 8;
constexpr std::size_t litter = 16;             // senders born at a time, all on the first worker
constexpr std::uint64_t items = 50;            // that a sender has for each receiver
constexpr std::uint64_t window = 4;            // of them on their way
constexpr std::uint64_t outside_items = 1000;  // that a thread outside has for each

/// How often an actor found itself on another worker than at its turn before.
std::atomic<std::uint64_t> moves{0};

struct source;
struct sink;

struct item {
  std::size_t from = 0;  ///< 0: the thread outside
  std::uint64_t number = 0;
  cairn::ref<source> credits{};  ///< who wants a credit for it, if anybody
  void serialize(auto& ar) { ar(from, number, credits); }
};
struct credit {
  std::size_t from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(from, number); }
};
struct begin {
  std::size_t self = 0;
  std::vector<cairn::ref<sink>> to{};
  void serialize(auto& ar) { ar(self, to); }
};
struct look {};

/// What an actor has sent to, or has from, each of the others.
struct summary {
  std::vector<std::uint64_t> numbers{};
  std::uint64_t broken = 0;
  bool rests = false;
  void serialize(auto& ar) { ar(numbers, broken, rests); }
};

/// Notices that its actor has moved. No part of a state.
class mover {
 public:
  template <class A>
  void look(const cairn::context<A>& self) {
    // Relaxed, both: its own worker runs the turn, and the count orders nothing.
    const void* now = self.where().home.load(std::memory_order_relaxed);
    if (home_ != nullptr && home_ != now) moves.fetch_add(1, std::memory_order_relaxed);
    home_ = now;
  }

 private:
  const void* home_ = nullptr;
};

struct sink {
  using protocol = cairn::protocol<item, look>;
  std::size_t self = 0;
  summary seen{};
  mover place{};
  void serialize(auto& ar) { ar(self, seen); }

  std::uint64_t on(item what, cairn::context<sink>& me);
  summary on(look) const { return seen; }
};

/// Has a few items on their way to each receiver, and sends one more for every credit.
struct source {
  using protocol = cairn::protocol<begin, credit, look>;
  std::size_t self = 0;
  std::vector<cairn::ref<sink>> to{};
  summary sent{.numbers = std::vector<std::uint64_t>(receivers)};
  std::vector<std::uint64_t> credited = std::vector<std::uint64_t>(receivers);
  std::uint64_t open = 0;
  mover place{};
  void serialize(auto& ar) { ar(self, to, sent, credited, open); }

  void on(begin what, cairn::context<source>& me) {
    self = what.self;
    to = std::move(what.to);
    for (std::size_t whom = 0; whom < receivers; ++whom) {
      for (std::uint64_t at = 0; at < window; ++at) send(whom, me);  // leave as one run
    }
  }
  cairn::task<void> on(credit what, cairn::context<source>& me) {
    place.look(me);
    if (what.number <= credited[what.from]) ++sent.broken;
    credited[what.from] = what.number;
    --open;
    std::uint64_t& last = sent.numbers[what.from];
    if (last == items / 2) {  // an ask keeps its place among the tells
      const std::uint64_t number = ++last;
      const auto answer = co_await to[what.from].ask<item>(self, number, cairn::ref<source>{});
      if (answer != number) ++sent.broken;
    }
    if (last < items) send(what.from, me);
    sent.rests = open == 0;
  }
  summary on(look) const { return sent; }

  void send(std::size_t whom, cairn::context<source>& me) {
    ++open;
    to[whom].tell<item>(self, ++sent.numbers[whom], me.ref());
  }
};

inline std::uint64_t sink::on(item what, cairn::context<sink>& me) {
  place.look(me);
  if (seen.numbers.size() <= what.from) seen.numbers.resize(what.from + 1);
  std::uint64_t& last = seen.numbers[what.from];
  if (what.number != last + 1) ++seen.broken;
  last = what.number;
  if (what.credits) what.credits.tell<credit>(self, what.number);
  return what.number;
}

using all = cairn::actors<source, sink>;

struct plan {
  int rounds = 0;
  std::uint64_t moves = 0;  ///< that it waits for, within reason
  bool to_the_end = false;
  std::size_t born = 0;  ///< senders until now, those of former runs included
  std::function<void(std::vector<cairn::ref<sink>>)> once_begun{};
  std::atomic<bool> goes_on{false};  ///< as long as `once_begun` says
  std::vector<summary> sent{};
  std::vector<summary> seen{};
};

cairn::task<summary> rested(cairn::root& root, cairn::ref<source> whom) {
  auto found = co_await whom.ask<look>();
  for (int at = 0; at < 60'000 && !found.rests; ++at) {
    co_await root.sleep(std::chrono::milliseconds{1});
    found = co_await whom.ask<look>();
  }
  co_return found;
}

/// New senders make the first worker the busiest one, whoever was it before: the others ask it for
/// some of its actors once no epoch is open.
cairn::task<int> live(cairn::root& root, plan* by) {
  auto top = root.supervise("top");
  std::vector<cairn::ref<sink>> to;
  for (std::size_t at = 0; at < receivers; ++at) {
    to.push_back(top.spawn<sink>("to" + std::to_string(at), at));
  }
  std::vector<cairn::ref<source>> from;
  const auto spawn = [&] {
    from.push_back(top.spawn<source>("from" + std::to_string(from.size() + 1)));
  };
  while (from.size() < by->born) spawn();
  co_await root.checkpoint();
  if (by->once_begun) by->once_begun(to);
  const auto before = moves.load(std::memory_order_relaxed);  // a count
  for (int round = 0; round < 1000; ++round) {
    for (std::size_t at = 0; at < litter; ++at) {
      spawn();
      from.back().tell<begin>(from.size(), to);
    }
    co_await root.checkpoint();
    by->born = from.size();
    const bool moved = moves.load(std::memory_order_relaxed) - before >= by->moves;  // a count
    // pairs with the release in the thread outside
    const bool waits = by->goes_on.load(std::memory_order_acquire) || !moved;
    if (round >= by->rounds && !waits) break;
    for (std::size_t at = from.size() - litter; at < from.size(); ++at) {
      (void)co_await rested(root, from[at]);
    }
  }
  if (!by->to_the_end) co_return 0;
  for (const auto& each : from) by->sent.push_back(co_await rested(root, each));
  for (const auto& each : to) by->seen.push_back(co_await each.ask<look>());
  co_return 0;
}

/// In slices of a few activations, so that a worker has something to give away at most boundaries,
/// however fast the machine is.
fixture::outcome run(bench& on, plan* by) {
  auto chosen = on.options();
  chosen.clock = nullptr;
  fixture::outcome how;
  cairn::system<all> running{std::move(chosen)};
  running.inner().slice = 4;
  running.inner().always_shares = true;
  how.restored = running.restored_counts();
  running.start([&](cairn::root& root) { return live(root, by); });
  running.wait();
  fixture::note_failure(running, how);
  INFO(how.text);
  REQUIRE(how.text.empty());
  return how;
}

void check_totals(const plan& by, std::uint64_t outside) {
  REQUIRE(by.seen.size() == receivers);
  for (std::size_t to = 0; to < receivers; ++to) {
    const auto& seen = by.seen[to];
    CHECK(seen.broken == 0);
    REQUIRE(seen.numbers.size() == by.sent.size() + 1);
    CHECK(seen.numbers[0] == outside);
    for (std::size_t from = 0; from < by.sent.size(); ++from) {
      INFO("from " << from + 1 << " to " << to);
      CHECK(seen.numbers[from + 1] == by.sent[from].numbers[to]);
      CHECK(by.sent[from].numbers[to] == items);
      CHECK(by.sent[from].broken == 0);
    }
  }
}

void check_events(const bench& on) {
  INFO(on.told.text());
  for (const auto kind : {event_kind::dead_letter, event_kind::failed, event_kind::abandoned,
                          event_kind::diverged, event_kind::suspended}) {
    CHECK(on.told.count(kind) == 0);
  }
}

TEST_CASE("order holds while actors move between workers and epochs are committed") {
  const unsigned workers = GENERATE(2U, 4U);
  bench on;
  on.workers = workers;
  plan by;
  by.rounds = 4;
  by.moves = 5;  // on a busy machine there is one in ten rounds
  by.to_the_end = true;
  moves.store(0, std::memory_order_relaxed);  // nobody runs yet
  run(on, &by);
  check_totals(by, 0);
  check_events(on);
  CHECK(moves.load(std::memory_order_relaxed) >= by.moves);
  CHECK(on.told.count(event_kind::committed) > 4);
}

TEST_CASE("order holds over crashes in the middle of it") {
  const unsigned workers = GENERATE(2U, 4U);
  constexpr int crashes = 4;
  bench on;
  on.workers = workers;
  plan by;
  by.moves = 2;  // in each run
  std::uint64_t in_flight = 0;
  moves.store(0, std::memory_order_relaxed);  // nobody runs yet
  for (int at = 0; at <= crashes; ++at) {
    by.rounds = at % 3;
    by.to_the_end = at == crashes;
    in_flight += run(on, &by).restored.messages;
  }
  check_totals(by, 0);
  check_events(on);
  CHECK(moves.load(std::memory_order_relaxed) >= by.moves * (crashes + 1));
  CHECK(in_flight > 100);
}

TEST_CASE("order holds for a thread outside, to actors that move") {
  const unsigned workers = GENERATE(2U, 4U);
  bench on;
  on.workers = workers;
  plan by;
  by.moves = 5;
  by.to_the_end = true;
  by.goes_on.store(true, std::memory_order_relaxed);  // nobody runs yet
  std::thread outside;
  by.once_begun = [&](std::vector<cairn::ref<sink>> to) {
    outside = std::thread{[&by, to = std::move(to)] {
      for (std::uint64_t at = 1; at <= outside_items; ++at) {
        for (const auto& each : to) each.tell<item>(std::size_t{0}, at, cairn::ref<source>{});
      }
      by.goes_on.store(false, std::memory_order_release);  // pairs with the acquire in live()
    }};
  };
  moves.store(0, std::memory_order_relaxed);  // nobody runs yet
  run(on, &by);
  outside.join();
  check_totals(by, outside_items);
  check_events(on);
  CHECK(moves.load(std::memory_order_relaxed) >= by.moves);
}

}  // namespace ordering
