// What is bounded stays so, and what is at its bound or beyond any sense still ends well.
#include <algorithm>
#include <future>
#include <semaphore>

#include "fixture.hpp"

namespace bounding {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct note {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct sum {};
struct fail {};

/// Its mailbox takes nothing but what is exempt.
struct closed {
  using protocol = cairn::protocol<note>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 0,
                                                  .when_full = cairn::overflow::drop_oldest};
  std::string name{};
  void serialize(auto& ar) { ar(name); }
  void on_birth(cairn::context<closed>&) { name = "born"; }
  int on(note) { return 1; }
};

struct adder {
  using protocol = cairn::protocol<note, sum, fail>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 4,
                                                  .when_full = cairn::overflow::drop_oldest};
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  void on(note what) { seen.push_back(what.value); }
  std::vector<int> on(sum) const { return seen; }
  void on(fail) { throw std::runtime_error{"it does"}; }
};

/// A mailbox for one alone.
struct narrow {
  using protocol = cairn::protocol<note, sum, fail>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 1,
                                                  .when_full = cairn::overflow::drop_oldest};
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  void on(note what) { seen.push_back(what.value); }
  int on(sum) const { return static_cast<int>(seen.size()); }
  void on(fail) { throw std::runtime_error{"it does"}; }
};

/// Is told of a stop while its mailbox is full and its handler waits.
struct watcher {
  using protocol = cairn::protocol<cairn::stopped, note, sum>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 2};
  int told = 0;
  cairn::ref<adder> whom{};
  void serialize(auto& ar) { ar(told, whom); }
  void on(cairn::stopped) { ++told; }
  cairn::task<> on(note what, cairn::context<watcher>& self) {
    if (what.value != 0) co_return;
    self.watch(whom);
    self.ref().tell<note>(1);
    self.ref().tell<note>(2);
    co_await self.sleep(0ns);
    whom.stop();
    for (int at = 0; at < 10; ++at) co_await self.sleep(0ns);
  }
  int on(sum) const { return told; }
};

struct asker {
  using protocol = cairn::protocol<note>;
  cairn::ref<watcher> whom{};
  void serialize(auto& ar) { ar(whom); }
  cairn::task<int> on(note what) {
    int all = 0;
    for (int at = 0; at < what.value; ++at) all += 1 + co_await whom.ask<sum>();
    co_return all;
  }
};

constexpr int deep = 100'000;
std::binary_semaphore gate{0};

struct rung {
  using protocol = cairn::protocol<note, sum>;
  int below = 0;
  void serialize(auto& ar) { ar(below); }
  void on(note what, cairn::context<rung>& self) {
    below = what.value;
    if (below > 0) {
      self.spawn<rung>("next").tell<note>(below - 1);
    } else {
      gate.release();
    }
  }
  int on(sum) const { return below; }
};

struct patient {
  using protocol = cairn::protocol<note>;
  std::string name{};
  void serialize(auto& ar) { ar(name); }
  cairn::task<> on(note, cairn::context<patient>& self) {
    co_await self.run("wait", [] { gate.acquire(); });
  }
};

using all = cairn::actors<closed, adder, narrow, watcher, asker, rung, patient>;

}  // namespace bounding

TEST_CASE("a mailbox without room takes what is exempt and nothing else") {
  using namespace bounding;
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top").spawn<closed>("it");
    it.tell<note>(1);
    auto answer = co_await it.ask<note>(2).as_result();
    CHECK(answer.code() == errc::mailbox_full);
    co_await root.checkpoint();
    it.tell<note>(3);  // finds it empty
    co_await root.checkpoint();
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::dead_letter, "it") == 3);
}

TEST_CASE("who watches is told although its mailbox is full") {
  using namespace bounding;
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto whom = top.spawn<adder>("whom");
    auto it = top.spawn<watcher>("it", 0, whom);
    it.tell<note>(0);
    co_await root.checkpoint();
    for (;;) {
      auto told = co_await it.ask<sum>().as_result();  // first there is no room for it
      if (!told) continue;
      CHECK(*told == 1);
      break;
    }
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::stopped, "whom") == 1);
}

TEST_CASE("asks that are answered leave nothing behind, however long they might have waited") {
  using namespace bounding;
  bench on;
  cairn::system<all> running{on.options()};  // asks may take a thousand hours
  running.start([](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto whom = top.spawn<watcher>("whom");
    auto it = top.spawn<asker>("it", whom);
    const int asked = co_await it.ask<note>(10'000);
    CHECK(asked == 10'000);
    co_return 0;
  });
  running.wait();
  CHECK(running.stop().committed);
  CHECK(running.inner().workers.front()->timers.size() <= 2048);
}

TEST_CASE("an interval beyond all times begins no epoch") {
  using namespace bounding;
  bench on;
  cairn::options chosen = on.options();
  chosen.epoch.every = std::chrono::nanoseconds::max();
  fixture::crash<all>(std::move(chosen), [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top").spawn<adder>("it");
    co_await root.checkpoint();
    for (int at = 0; at < 50; ++at) {
      it.tell<note>(at);
      co_await root.sleep(0ns);
    }
    co_return 0;
  });
  CHECK(on.told.count(event_kind::epoch_begun) == 1);
}

TEST_CASE("a suspended actor's mailbox is looked at once, and keeps what it is to keep") {
  using namespace bounding;
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.intensity = {.restarts = 0}});
    auto it = top.spawn<adder>("it");
    auto calm = top.spawn<adder>("calm");
    it.tell<fail>();  // waits in front from now on
    for (int at = 1; at <= 9; ++at) {
      it.tell<note>(at);  // from the fourth on the oldest goes, also the one looked at last
      if (at % 2 == 0) {
        auto refused = co_await it.ask<sum>().as_result();
        CHECK(refused.code() == errc::failed);
      } else {
        (void)co_await calm.ask<sum>();
      }
    }
    root.resume(it);
    const auto seen = co_await it.ask<sum>();
    CHECK(seen == std::vector<int>{8, 9});  // between them and after them asks were refused
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended, "it") == 1);
  CHECK(on.told.count(event_kind::resumed, "it") == 1);
}

TEST_CASE("what a suspended actor has looked at may be dropped") {
  using namespace bounding;
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top", {.intensity = {.restarts = 0}});
    auto it = top.spawn<narrow>("it");
    auto calm = top.spawn<adder>("calm");
    it.tell<fail>();
    (void)co_await calm.ask<sum>();
    for (int at = 1; at <= 3; ++at) {
      it.tell<note>(at);
      (void)co_await calm.ask<sum>();
    }
    root.resume(it);
    (void)co_await calm.ask<sum>();
    const int seen = co_await it.ask<sum>();
    CHECK(seen == 1);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::dead_letter, "it") == 3);
}

TEST_CASE("a failed message that is dropped leaves its tries to nobody") {
  using namespace bounding;
  bench on;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top", {.backoff = {.first = 1s, .most = 1s, .jitter = 0}})
                  .spawn<narrow>("it");
    it.tell<fail>();
    while (on.told.count(event_kind::failed, "it") == 0) co_await root.sleep(0ns);
    it.tell<fail>();  // there is room for one, and the first one still waits to be tried again
    for (int at = 0; at < 5; ++at) {
      on.clock.advance(1s);
      co_await root.sleep(0ns);
    }
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.of(event_kind::dead_letter, "it").at(0).letter.code == errc::mailbox_full);
  CHECK(on.told.count(event_kind::failed, "it") == 3);  // one of the first, two of the second
}

TEST_CASE("a subtree may be deeper than a thread's stack") {
  using namespace bounding;
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top").spawn<rung>("it");
    it.tell<note>(deep);
    co_await root.run("wait", [] { gate.acquire(); });
    co_await root.checkpoint();
    co_return 0;
  });
  const auto again = fixture::finish<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top").spawn<rung>("it");
    const int below = co_await it.ask<sum>();
    CHECK(below == deep);
    co_return 0;
  });
  CHECK(again.restored.actors == deep + 2);  // and their supervisor
}

TEST_CASE("an orderly end of what does not run says so at once") {
  using namespace bounding;
  bench on;
  cairn::system<all> running{on.options()};
  const auto early = running.stop();
  CHECK_FALSE(early.committed);
  CHECK(early.text.find("does not run") != std::string::npos);

  cairn::system<all> ended{cairn::options{.workers = 1}};
  ended.start([](cairn::root& root) -> cairn::task<int> {
    co_await root.checkpoint();
    co_return 4;
  });
  ended.wait();
  CHECK(ended.stop().committed);
  const auto twice = ended.stop();
  CHECK(twice.code == 4);
  CHECK_FALSE(twice.committed);
}

TEST_CASE("an orderly end waits for rest although an epoch had just begun") {
  using namespace bounding;
  bench on;
  cairn::options chosen = on.options();
  chosen.clock.reset();  // who waits for rest looks again a little later
  cairn::detail::program* running = nullptr;
  std::promise<cairn::detail::epoch_end> last;
  std::atomic<bool> armed{false};
  chosen.on_event = [&](const cairn::event& what) {
    on.told.add(what);
    if (what.kind == event_kind::epoch_begun && armed.exchange(false)) {
      running->request_last_epoch(
          [&](const cairn::detail::epoch_end& how) { last.set_value(how); });
    }
    if (what.kind == event_kind::committed && raw(what.at) == 1) gate.release();
  };
  {
    cairn::system<all> system{std::move(chosen)};
    running = &system.inner();
    system.start([&](cairn::root& root) {
      return [](cairn::root& top, std::atomic<bool>* begin) -> cairn::task<int> {
        auto it = top.supervise("top").spawn<patient>("it");
        it.tell<note>(1);
        *begin = true;
        co_await top.checkpoint();
        co_return 0;
      }(root, &armed);
    });
    system.wait();
    const auto how = last.get_future().get();
    CHECK(how.committed);
    CHECK(raw(how.number) > 1);
  }
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::unfinished) == 0);
  cairn::system<all> next{on.options()};
  CHECK(next.restored_counts().suspended_handlers == 0);
}
