// A turn that does not end is told of while it runs, by a thread that it does not hold up.
#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "fixture.hpp"

namespace stuck {

using namespace std::chrono_literals;
using cairn::event_kind;
using fixture::bench;

/// How many loops have begun, and how many may end.
std::atomic<int> begun{0};
std::atomic<int> open{0};

struct loop {
  int number = 0;
  void serialize(auto& ar) { ar(number); }
};

struct runner {
  using protocol = cairn::protocol<loop>;
  int ended = 0;
  void serialize(auto& ar) { ar(ended); }
  void on(loop what) {
    begun.store(what.number, std::memory_order_release);  // pairs with the wait in the test
    begun.notify_all();
    for (int now = 0; (now = open.load(std::memory_order_acquire)) < what.number;) {
      open.wait(now, std::memory_order_acquire);  // pairs with the release in the test
    }
    ++ended;
  }
};

/// Its `serialize` does not end, once it may not.
struct writer {
  using protocol = cairn::protocol<loop>;
  int number = 0;
  std::string text{};
  void serialize(auto& ar) {
    if (number > 0) runner{}.on(loop{number});
    ar(number, text);
  }
  void on(loop what) { number = what.number; }
};

using step_function = cairn::scheduler::step_function;

/// Its step is called by the test.
struct by_hand final : cairn::scheduler {
  explicit by_hand(std::shared_ptr<step_function> to) : step{std::move(to)} {}
  void start(unsigned, step_function called) override { *step = std::move(called); }
  void wake(unsigned) noexcept override {}
  void stop() override {}
  std::shared_ptr<step_function> step;
};

void wait_for(int number) {
  for (int now = 0; (now = begun.load(std::memory_order_acquire)) < number;) {
    begun.wait(now, std::memory_order_acquire);  // pairs with the release in the handler
  }
}
void let_end(int number) {
  open.store(number, std::memory_order_release);  // pairs with the acquire in the handler
  open.notify_all();
}

cairn::task<int> two_loops(cairn::root& root) {
  const auto one = root.supervise("top").spawn<runner>("one");
  one.tell<loop>(1);
  one.tell<loop>(2);
  co_return 0;
}

TEST_CASE("a turn that does not end is told of by actor and message, with one worker too") {
  bench on;
  const auto step = std::make_shared<step_function>();
  auto chosen = on.options();
  chosen.stuck_turn = 10s;
  chosen.schedulers = [&](cairn::seats of) -> std::unique_ptr<cairn::scheduler> {
    if (of == cairn::seats::writer) return std::make_unique<by_hand>(step);
    return std::make_unique<cairn::thread_scheduler>();
  };
  cairn::system<cairn::actors<runner>> all{std::move(chosen)};
  all.start(&two_loops);
  wait_for(1);
  CHECK((*step)(0).wait == 5s);
  CHECK((*step)(0).wait == 5s);  // not before that
  on.clock.advance(6s);
  CHECK((*step)(0).wait == 5s);
  on.clock.advance(3s);
  CHECK((*step)(0).wait == 2s);
  CHECK(on.told.count(event_kind::stuck) == 0);
  on.clock.advance(2s);
  (void)(*step)(0);
  const auto first = on.told.of(event_kind::stuck);
  REQUIRE(first.size() == 1);
  CHECK(first[0].what.name == "one");
  CHECK(raw(first[0].what.actor) > 1);
  CHECK(first[0].what.text ==
        "stuck::runner has kept worker 0 for 11000 ms and still does, with stuck::loop");
  on.clock.advance(60s);
  (void)(*step)(0);
  CHECK(on.told.count(event_kind::stuck) == 1);  // once for each

  let_end(1);
  wait_for(2);  // another turn
  on.clock.advance(6s);
  (void)(*step)(0);
  on.clock.advance(9s);
  (void)(*step)(0);
  CHECK(on.told.count(event_kind::stuck) == 1);
  on.clock.advance(6s);
  (void)(*step)(0);
  CHECK(on.told.count(event_kind::stuck) == 2);
  let_end(2);
  all.wait();
}

TEST_CASE("a serialize that does not end in a sweep is told of by its actor") {
  bench on;
  begun = open = 0;
  const auto step = std::make_shared<step_function>();
  auto chosen = on.options();
  chosen.stuck_turn = 10s;
  chosen.schedulers = [&](cairn::seats of) -> std::unique_ptr<cairn::scheduler> {
    if (of == cairn::seats::writer) return std::make_unique<by_hand>(step);
    return std::make_unique<cairn::thread_scheduler>();
  };
  cairn::system<cairn::actors<writer>> all{std::move(chosen)};
  all.start([](cairn::root& root) -> cairn::task<int> {
    root.supervise("top").spawn<writer>("one").tell<loop>(1);
    co_await root.checkpoint();
    co_return 0;
  });
  wait_for(1);
  (void)(*step)(0);
  on.clock.advance(6s);
  (void)(*step)(0);
  on.clock.advance(11s);
  (void)(*step)(0);
  const auto told = on.told.of(event_kind::stuck);
  let_end(1);
  REQUIRE(told.size() == 1);
  CHECK(told[0].what.name == "one");
  CHECK(told[0].what.text ==
        "stuck::writer has kept worker 0 for 17000 ms and still does, serializing");
  while (on.told.count(event_kind::committed) == 0) (void)(*step)(0);
  all.wait();
}

TEST_CASE("a cell is not another actor's before who looks at its name has done so") {
  cairn::detail::cell one;
  one.id.store(cairn::actor_id{7}, std::memory_order_relaxed);  // nobody else is there yet
  one.name = "a name that does not fit into the string itself";
  cairn::detail::name_view names;
  CHECK(cairn::detail::name_view::look(names, one, cairn::actor_id{8}).name() == nullptr);
  std::atomic<int> moment{0};
  std::jthread home;
  {
    const cairn::detail::name_view::look held{names, one, cairn::actor_id{7}};
    home = std::jthread{[&] {
      names.close(one);
      moment.store(1, std::memory_order_relaxed);  // under the look's eyes: never
      one.name = "another";
    }};
    // What would write now does so in one of these rounds, or in the sanitizer's sight.
    while (!one.is(cairn::actor_id{})) std::this_thread::yield();
    for (int round = 0; round < 1000; ++round) std::this_thread::yield();
    CHECK(moment.load(std::memory_order_relaxed) == 0);
    REQUIRE(held.name() != nullptr);
    CHECK(*held.name() == "a name that does not fit into the string itself");
  }
  home.join();
  CHECK(one.name == "another");
  CHECK(cairn::detail::name_view::look(names, one, cairn::actor_id{7}).name() == nullptr);
}

TEST_CASE("nobody watches where that is switched off") {
  bench on;
  const auto step = std::make_shared<step_function>();
  auto chosen = on.options();
  chosen.stuck_turn = 0s;
  chosen.schedulers = [&](cairn::seats of) -> std::unique_ptr<cairn::scheduler> {
    if (of == cairn::seats::writer) return std::make_unique<by_hand>(step);
    return std::make_unique<cairn::thread_scheduler>();
  };
  cairn::system<cairn::actors<runner>> all{std::move(chosen)};
  all.start([](cairn::root&) -> cairn::task<int> { co_return 0; });
  all.wait();
  CHECK((*step)(0).wait < 0s);
}

}  // namespace stuck
