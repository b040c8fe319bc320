// The whole system goes back to its latest snapshot while it runs.
#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>

#include <cairn/asio.hpp>

#include "fixture.hpp"

namespace undoing {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct pass {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct look {};
struct nap {};
struct fail {};

std::atomic<int> handled{0};
std::atomic<bool> moody{false};

struct counter {
  using protocol = cairn::protocol<add, look, nap, fail>;
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  void on(add what) {
    ++handled;
    seen.push_back(what.value);
  }
  std::vector<int> on(look) const { return seen; }
  cairn::task<> on(nap, cairn::context<counter>& self) {
    co_await self.sleep(1h);
    seen.push_back(1000);
  }
  void on(fail, cairn::context<counter>& self) {
    if (self.replaying() || moody) return;
    moody = true;
    throw std::runtime_error{"it does"};
  }
};

struct relay {
  using protocol = cairn::protocol<pass>;
  cairn::ref<counter> to{};
  int count = 0;
  void serialize(auto& ar) { ar(to, count); }
  void on(pass what) {
    ++count;
    to.tell<add>(what.value);
  }
};

/// What it does depends on the world, not on what it was handed.
struct fickle {
  using protocol = cairn::protocol<add, fail, look>;
  cairn::ref<counter> to{};
  int sum = 0;
  std::string name{};  // a state that is bytes alone would be copied before each turn
  void serialize(auto& ar) { ar(to, sum, name); }
  void on(add what) {
    sum += what.value;
    if (!moody) to.tell<add>(what.value);
  }
  void on(fail) {
    if (moody.exchange(true)) return;
    throw std::runtime_error{"it does"};
  }
  int on(look) const { return sum; }
};

struct seen_by_root {
  std::counting_semaphore<> begun{0};
  cairn::ref<counter> it{};
  cairn::ref<counter> late{};
  cairn::ref<relay> by{};
  std::atomic<int> runs{0};
};

using all = cairn::actors<counter, relay, fickle>;

cairn::task<int> app(cairn::root& root, seen_by_root* to) {
  auto top = root.supervise("top");
  auto it = top.spawn<counter>("it");
  auto by = top.spawn<relay>("by", it);
  if (++to->runs == 1) {
    to->it = it;
    to->by = by;
    it.tell<add>(1);
    co_await root.checkpoint();
  }
  auto late = top.spawn<counter>("late");
  if (to->runs == 1) to->late = late;
  co_await root.sleep(0ns);
  to->begun.release();
  co_await root.until_stopped();
  co_return 0;
}

template <class A>
std::vector<int> seen(const cairn::ref<A>& of) {
  std::promise<std::vector<int>> got;
  cairn::async_ask<look>(of, [&](std::exception_ptr why, std::vector<int> value) {
    if (why) value = {-1};
    got.set_value(std::move(value));
  });
  return got.get_future().get();
}

}  // namespace undoing

TEST_CASE("a rollback undoes what was not committed, and what came from outside comes again") {
  using namespace undoing;
  handled = 0;
  bench on;
  on.workers = GENERATE(1U, 3U);
  seen_by_root here;
  auto system = std::make_unique<cairn::system<all>>(on.options());
  cairn::system<all>& running = *system;
  running.start([&](cairn::root& root) { return app(root, &here); });
  here.begun.acquire();
  here.it.tell<add>(2);
  here.by.tell<pass>(3);
  here.late.tell<add>(4);
  CHECK(seen(here.it).size() >= 2);
  CHECK(seen(here.late) == std::vector<int>{4});
  while (handled < 4) std::this_thread::yield();  // what the relay passes on may come later
  running.rollback();
  here.begun.acquire();
  const auto back = on.told.of(event_kind::rolled_back);
  REQUIRE(back.size() == 1);
  CHECK(back[0].what.messages == 5);  // two of them are asks
  here.it.tell<add>(5);
  here.late.tell<add>(6);
  std::vector<int> now = seen(here.it);
  while (now.size() < 4) now = seen(here.it);  // what the relay passes on may come later
  std::sort(now.begin(), now.end());
  CHECK(now == std::vector<int>{1, 2, 3, 5});
  CHECK(seen(here.late) == std::vector<int>{4, 6});
  CHECK(handled == 4 + 6 - 1);
  CHECK(here.runs == 2);
  running.request_stop();
  running.wait();
  CHECK(running.stop().committed);
  system.reset();
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::rolled_back) == 1);
  CHECK(on.told.count(event_kind::dead_letter) == 0);
  const auto next = fixture::finish<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto found = top.spawn<counter>("it");
    const auto all_seen = co_await found.ask<look>();
    CHECK(all_seen.size() == 4);
    co_return 0;
  });
  CHECK(next.restored.messages == 0);
}

TEST_CASE("where nothing is committed a rollback begins anew") {
  using namespace undoing;
  bench on;
  int runs = 0;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, int* count) -> cairn::task<int> {
      auto it = root.supervise("top").spawn<counter>("it");
      it.tell<add>(++*count);
      if (*count == 1) co_await root.rollback();
      const auto all_seen = co_await it.ask<look>();
      CHECK(all_seen == std::vector<int>{2});
      CHECK_FALSE(root.restored());
      co_return 0;
    }(top, &runs);
  });
  CHECK(runs == 2);
}

TEST_CASE("suspended handlers and timers go back with the rest") {
  using namespace undoing;
  bench on;
  int runs = 0;
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, int* count, bench* with) -> cairn::task<int> {
      auto door = root.supervise("top");
      auto it = door.spawn<counter>("it");
      auto other = door.spawn<counter>("other");
      if (++*count == 1) {
        it.tell<nap>();
        co_await root.checkpoint();
        with->clock.advance(1h);
        (void)co_await other.ask<look>();
        const auto first = co_await it.ask<look>();
        CHECK(first == std::vector<int>{1000});
        co_await root.rollback();
      }
      CHECK(root.restored_counts().suspended_handlers == 1);
      with->clock.advance(1h);
      (void)co_await other.ask<look>();
      const auto again = co_await it.ask<look>();
      CHECK(again == std::vector<int>{1000});
      co_return 0;
    }(top, &runs, &on);
  });
  INFO(on.told.text());
  CHECK(runs == 2);
}

namespace undoing {

/// What it does now it will not do when it is run again.
cairn::task<errc> diverge(cairn::ref<fickle> it, int value) {
  moody = false;
  it.tell<add>(value);
  it.tell<fail>();
  const auto answer = co_await it.ask<look>().as_result();
  co_return answer.code();
}

cairn::task<int> diverge_again_and_again(cairn::root& root, int* runs, const bench* on) {
  auto door = root.supervise("top");
  auto to = door.spawn<counter>("to");
  auto it = door.spawn<fickle>("it", to);
  auto other = door.spawn<fickle>("other", to);
  if (++*runs == 1) {
    co_await root.checkpoint();
    (void)co_await diverge(it, 1);
    co_await root.until_stopped();
  }
  if (*runs == 2) {
    it.tell<add>(2);
    const int sum = co_await it.ask<look>();
    CHECK(sum == 2);
    const auto told = co_await to.ask<look>();
    CHECK(told.empty());
    // Nothing is committed since, so the system would only come to the same again.
    const auto second = co_await diverge(it, 3);
    CHECK(second == errc::failed);
    CHECK(on->told.count(event_kind::suspended, "it") == 2);  // the first time until it went back
    CHECK(on->told.count(event_kind::rolled_back) == 1);
    co_await root.checkpoint();
    (void)co_await diverge(other, 4);
    co_await root.until_stopped();
  }
  const auto left = co_await it.ask<look>().as_result();
  CHECK(left.code() == errc::failed);  // suspended, as the second snapshot has it
  const int sum = co_await other.ask<look>();
  CHECK(sum == 0);
  co_return 0;
}

}  // namespace undoing

TEST_CASE("a replay that diverges rolls the system back, once for each snapshot") {
  using namespace undoing;
  bench on;
  moody = false;
  int runs = 0;
  fixture::crash<all>(on,
                      [&](cairn::root& root) { return diverge_again_and_again(root, &runs, &on); });
  INFO(on.told.text());
  CHECK(runs == 3);
  CHECK(on.told.count(event_kind::diverged, "it") == 2);
  CHECK(on.told.count(event_kind::diverged, "other") == 1);
  const auto back = on.told.of(event_kind::rolled_back);
  REQUIRE(back.size() == 2);
  CHECK(back[0].what.text.starts_with("it diverged: at position 1 it had 1 effects"));
  CHECK(back[1].what.text.starts_with("other diverged: at position 1 it had 1 effects"));
  CHECK(raw(back[0].what.at) < raw(back[1].what.at));
}
