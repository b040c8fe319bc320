// Who asks from outside, and the system goes back: one answer where the ask came after the
// snapshot, none where its handler had begun before.
#include <future>
#include <memory>
#include <semaphore>
#include <thread>

#include <cairn/asio.hpp>

#include "fixture.hpp"

namespace outsiders {

using cairn::errc;
using fixture::bench;
using namespace std::chrono_literals;

struct nap {};
struct look {};

/// Says that it naps, and answers when it has.
struct sleeper;
struct witness {
  using protocol = cairn::protocol<nap, look>;
  int begun = 0;
  void serialize(auto& ar) { ar(begun); }
  void on(nap) { ++begun; }
  int on(look) const { return begun; }
};
struct sleeper {
  using protocol = cairn::protocol<nap>;
  cairn::ref<witness> by{};
  int naps = 0;
  void serialize(auto& ar) { ar(by, naps); }
  cairn::task<int> on(nap, cairn::context<sleeper>& self) {
    by.tell<nap>();
    co_await self.sleep(1h);
    co_return ++naps;
  }
};

using all = cairn::actors<witness, sleeper>;

struct seen_by_root {
  std::counting_semaphore<> begun{0};
  cairn::ref<sleeper> it{};
  cairn::ref<witness> by{};
  int runs = 0;
};

cairn::task<int> app(cairn::root& root, seen_by_root* to, int before) {
  auto top = root.supervise("top");
  to->by = top.spawn<witness>("by");
  to->it = top.spawn<sleeper>("it", sleeper{.by = to->by});
  const bool first = ++to->runs == 1;
  if (first) to->begun.release();
  // As many as are to be in the snapshot have begun.
  for (int begun = 0; first && begun < before;) begun = co_await to->by.ask<look>();
  if (first) co_await root.checkpoint();
  to->begun.release();
  co_await root.until_stopped();
  co_return 0;
}

struct answer {
  std::promise<std::string> said{};
  std::atomic<int> times{0};

  void take(const std::exception_ptr& why, int value) {
    if (times.fetch_add(1, std::memory_order_relaxed) != 0) return;  // read once it is over
    try {
      if (why) std::rethrow_exception(why);
      said.set_value("nap " + std::to_string(value));
    } catch (const cairn::ask_error& failed) {
      said.set_value(std::string{to_string(failed.code())});
    }
  }
};

/// Wakes the workers, whose clock is moved by hand, until there is an answer.
std::string outcome(answer& of, const bench& on, const cairn::ref<witness>& by) {
  auto got = of.said.get_future();
  while (got.wait_for(0s) != std::future_status::ready) {
    on.clock.advance(30min);
    std::promise<void> turn;
    cairn::async_ask<look>(by, [&](std::exception_ptr, int) { turn.set_value(); });
    turn.get_future().wait();
  }
  return got.get();
}

/// `before`: of the snapshot the ask is told before it, and has begun.
std::string heard(bench& on, bool before) {
  seen_by_root here;
  const auto said = std::make_shared<answer>();
  const auto ask = [&] {
    cairn::async_ask<nap>(here.it,
                          [said](std::exception_ptr why, int value) { said->take(why, value); });
  };
  std::string text;
  {
    cairn::system<all> running{on.options()};
    running.start([&](cairn::root& root) { return app(root, &here, before ? 1 : 0); });
    here.begun.acquire();
    if (before) ask();
    here.begun.acquire();
    if (!before) ask();
    running.rollback();
    here.begun.acquire();
    text = outcome(*said, on, here.by);
    running.request_stop();
    running.wait();
  }
  CHECK(said->times.load(std::memory_order_relaxed) == 1);
  CHECK(on.told.count(cairn::event_kind::rolled_back) == 1);
  return text;
}

TEST_CASE("who has asked from outside after the snapshot hears one answer over a rollback") {
  bench on;
  CHECK(heard(on, false) == "nap 1");
}

TEST_CASE("who has asked from outside and whose handler is in the snapshot times out") {
  bench on;
  CHECK(heard(on, true) == "timeout");
}

/// Has a thread outside tell it something while it is torn down.
struct counted {
  using protocol = cairn::protocol<nap, look>;
  static inline cairn::ref<counted> known{};
  int naps = 0;
  void serialize(auto& ar) { ar(naps); }
  void on_stop(cairn::stop_reason why) {
    if (why == cairn::stop_reason::restart) std::thread{[] { known.tell<nap>(); }}.join();
  }
  void on(nap) { ++naps; }
  int on(look) const { return naps; }
};

TEST_CASE("what comes from outside while a rollback tears down comes in after it") {
  bench on;
  int runs = 0;
  int seen = 0;
  cairn::system<cairn::actors<counted>> running{on.options()};
  running.start([&](cairn::root& root) -> cairn::task<int> {
    counted::known = root.supervise("top").spawn<counted>("it");
    if (++runs == 1) {
      co_await root.checkpoint();
      (void)co_await root.rollback();
    }
    seen = co_await counted::known.ask<look>();
    co_return 0;
  });
  running.wait();
  CHECK(runs == 2);
  CHECK(seen == 1);
}

}  // namespace outsiders
