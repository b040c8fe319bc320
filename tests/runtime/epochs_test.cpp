// Epochs under a workload that does everything at once, crashed again and again. Money is neither
// made nor lost, errands end once each, and every sender's messages keep their order.
#include <cstdint>

#include "fixture.hpp"

namespace market {

using cairn::event_kind;

constexpr int nodes = 16;
constexpr std::int64_t wealth = 1000;  // of each
constexpr int errands = 24;

std::atomic<unsigned> luck{0};  // of handlers that fail at their first try
std::atomic<unsigned> fail_every{0};

struct node;
struct purse;
struct echo;

struct ping {
  int depth = 0;
  void serialize(auto& ar) { ar(depth); }
};
struct take {
  std::int64_t most = 0;
  void serialize(auto& ar) { ar(most); }
};
struct credit {
  std::int64_t amount = 0;
  void serialize(auto& ar) { ar(amount); }
};
struct transfer {
  std::int64_t amount = 0;
  int from = 0;
  std::uint64_t number = 0;
  void serialize(auto& ar) { ar(amount, from, number); }
};
struct errand {
  int left = 0;
  void serialize(auto& ar) { ar(left); }
};
struct meet {
  int self = 0;
  std::vector<cairn::ref<node>> all{};
  cairn::ref<echo> voice{};
  void serialize(auto& ar) { ar(self, all, voice); }
};
struct bring_home {};
struct look {};
struct wealth_seen {
  std::int64_t money = 0;
  std::uint64_t ended = 0;
  std::uint64_t broken = 0;
  void serialize(auto& ar) { ar(money, ended, broken); }
};

struct echo {
  using protocol = cairn::protocol<ping>;
  using persistence = cairn::ephemeral;
  int on(ping what) { return what.depth; }
};

struct purse {
  using protocol = cairn::protocol<bring_home>;
  std::int64_t money = 0;
  cairn::ref<node> owner{};
  void serialize(auto& ar) { ar(money, owner); }
  cairn::task<void> on(bring_home, cairn::context<purse>& self);
};

struct node {
  using protocol = cairn::protocol<meet, errand, transfer, credit, take, ping, look>;
  int self = 0;
  std::int64_t money = wealth;
  std::uint64_t ended = 0;
  std::uint64_t broken = 0;
  std::vector<cairn::ref<node>> all{};
  cairn::ref<echo> voice{};
  std::vector<std::uint64_t> sent = std::vector<std::uint64_t>(nodes);
  std::vector<std::uint64_t> seen = std::vector<std::uint64_t>(nodes);
  std::string ballast = "more than fits into the room of a small string";
  void serialize(auto& ar) { ar(self, money, ended, broken, all, voice, sent, seen, ballast); }

  void on(meet what) {
    self = what.self;
    all = std::move(what.all);
    voice = what.voice;
  }
  void on(transfer what) {
    std::uint64_t& last = seen[static_cast<std::size_t>(what.from)];
    if (what.number != last + 1) ++broken;
    last = what.number;
    money += what.amount;
  }
  void on(credit what) { money += what.amount; }
  std::int64_t on(take what) {
    const std::int64_t given = std::min(what.most, money);
    money -= given;
    return given;
  }
  /// May come back to somebody who awaits it: the inner limit ends that.
  cairn::task<int> on(ping what, cairn::context<node>& me) {
    if (what.depth == 0) co_return 1;
    const auto& next = all[me.random() % nodes];
    if (next == me.ref()) co_return 1;
    auto more =
        co_await next.ask<ping>(what.depth - 1).within(std::chrono::microseconds{300}).as_result();
    co_return more ? 1 + *more : 1;
  }
  wealth_seen on(look) const { return {money, ended, broken}; }

  void pay(std::size_t whom, std::int64_t amount) {
    money -= amount;
    all[whom].tell<transfer>(amount, self, ++sent[whom]);
  }
  cairn::task<void> on(errand what, cairn::context<node>& me) {
    co_await step(me);
    if (what.left == 0) {
      ++ended;
    } else {
      all[me.random() % nodes].tell<errand>(what.left - 1);
    }
    const unsigned every = fail_every.load(std::memory_order_relaxed);  // chance, no order
    // In replay nothing happens by chance.
    if (every == 0 || me.replaying()) co_return;
    if (luck.fetch_add(1, std::memory_order_relaxed) % every == 0) {
      throw std::runtime_error{"bad luck"};
    }
  }
  cairn::task<void> step(cairn::context<node>& me) {
    const std::size_t whom = me.random() % nodes;
    const std::int64_t amount = std::min<std::int64_t>(money, 7);
    switch (me.random() % 7) {
      case 0:
      case 1:
        pay(whom, amount);
        break;
      case 2:
        if (whom > static_cast<std::size_t>(self)) money += co_await all[whom].ask<take>(5);
        break;
      case 3:
        money -= amount;
        me.send_after<credit>(std::chrono::microseconds{me.random() % 200}, amount);
        break;
      case 4: {
        money -= amount;
        auto made = me.spawn<purse>("", amount, me.ref());
        made.tell<bring_home>();
        break;
      }
      case 5:
        if (whom != static_cast<std::size_t>(self)) {
          auto both = all[whom].ask<ping>(3).within(std::chrono::microseconds{500});
          auto other = voice.ask<ping>(1);
          (void)co_await std::move(other).as_result();
          (void)co_await std::move(both).as_result();
        }
        break;
      default:
        co_await me.sleep(std::chrono::microseconds{me.random() % 100});
    }
  }
};

inline cairn::task<void> purse::on(bring_home, cairn::context<purse>& self) {
  co_await self.sleep(std::chrono::microseconds{self.random() % 50});
  owner.tell<credit>(std::exchange(money, 0));
  self.stop();
}

using all_actors = cairn::actors<node, purse, echo>;

/// Every look at it moves it on a little: sleeps end without waiting for a wall clock.
struct ticking final : cairn::clock {
  explicit ticking(std::atomic<std::int64_t>* at) : now{at} {}
  [[nodiscard]] std::chrono::nanoseconds steady() const override {
    return std::chrono::nanoseconds{now->fetch_add(1000, std::memory_order_relaxed)};  // a figure
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override { return {}; }
  std::atomic<std::int64_t>* now;
};

struct plan {
  int checkpoints = 0;
  bool to_the_end = false;
  wealth_seen last{};
  int looks = 0;
};

cairn::task<void> begin(cairn::root& root, cairn::supervisor top,
                        std::vector<cairn::ref<node>> all) {
  auto voice = top.spawn<echo>("echo");
  for (int at = 0; at < nodes; ++at) {
    all[static_cast<std::size_t>(at)].tell<meet>(at, all, voice);
  }
  for (int at = 0; at < errands; ++at) {
    all[static_cast<std::size_t>(at % nodes)].tell<errand>(150);
  }
  co_await root.checkpoint();
}

cairn::task<int> trade(cairn::root& root, plan* by) {
  auto top = root.supervise("top", {.intensity = {.restarts = 1'000'000}});
  std::vector<cairn::ref<node>> all;
  for (int at = 0; at < nodes; ++at) all.push_back(top.spawn<node>("n" + std::to_string(at)));
  if (!root.restored()) co_await begin(root, top, all);
  for (int at = 0; at < by->checkpoints; ++at) co_await root.checkpoint();
  const std::int64_t whole = nodes * wealth;
  while (by->to_the_end && by->looks++ < 20'000) {
    by->last = {};
    for (const auto& each : all) {
      const auto one = co_await each.ask<look>();
      by->last.money += one.money;
      by->last.ended += one.ended;
      by->last.broken += one.broken;
    }
    if (by->last.ended == errands && by->last.money == whole) break;
  }
  co_return 0;
}

/// Crashes the market at many places, then lets it come to rest.
void survive(unsigned workers, unsigned failing, unsigned crashes, std::uint64_t seed) {
  fixture::bench on;
  std::atomic<std::int64_t> now{1'000'000};
  fail_every.store(failing, std::memory_order_relaxed);  // nobody runs yet
  std::uint64_t epochs = 0;
  for (unsigned run = 0; run <= crashes; ++run) {
    plan by;
    by.checkpoints = static_cast<int>((seed + run) % 5);
    by.to_the_end = run == crashes;
    fixture::events told;
    auto chosen = on.options();
    chosen.workers = workers;
    chosen.seed = seed * 100 + run;
    chosen.epoch.messages = run % 2 == 0 ? 40 : 0;
    chosen.clock = std::make_unique<ticking>(&now);
    chosen.on_event = [&told](const cairn::event& what) { told.add(what); };
    fixture::crash<all_actors>(std::move(chosen),
                               [&by](cairn::root& root) { return trade(root, &by); });
    for (const auto& each : told.of(event_kind::abandoned)) FAIL_CHECK(each.what.text);
    CHECK(told.count(event_kind::diverged) == 0);
    CHECK(told.count(event_kind::suspended) == 0);
    for (const auto& each : told.of(event_kind::dead_letter)) {
      CHECK(each.letter.message == "market::ping");  // to the ephemeral echo, lost in a crash
    }
    cairn::epoch before{};
    for (const auto& each : told.of(event_kind::committed)) {
      if (before != cairn::epoch{}) CHECK(each.what.at == next(before));
      before = each.what.at;
      ++epochs;
    }
    if (!by.to_the_end) continue;
    INFO("workers " << workers << ", seed " << seed);
    CHECK(by.last.ended == errands);
    CHECK(by.last.money == nodes * wealth);
    CHECK(by.last.broken == 0);
  }
  CHECK(epochs > crashes);
}

TEST_CASE(
    "epochs while actors talk in cycles: they are spawned and stopped, and hold suspended handlers "
    "that await each other: no deadlock, no epoch skipped, restored totals right") {
#ifdef CAIRN_FEW
  constexpr std::uint64_t times = 1;
#else
  constexpr std::uint64_t times = 4;
#endif
  for (const unsigned workers : {1U, 2U, 4U}) {
    DYNAMIC_SECTION(workers << " workers") {
      survive(workers, 0, 0, 1);
      for (std::uint64_t seed = 1; seed <= times; ++seed) survive(workers, 0, 12, seed);
    }
    DYNAMIC_SECTION(workers << " workers, handlers fail now and then") {
      for (std::uint64_t seed = 5; seed < 5 + times; ++seed) survive(workers, 31, 12, seed);
    }
  }
}

}  // namespace market
