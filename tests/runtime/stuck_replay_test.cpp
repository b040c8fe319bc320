// What does not end is told of with what it is in, also where that is no new turn: a handler that
// is run again, its failing turn that is tried again, and `on_start`.
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "fixture.hpp"

namespace stuck_again {

using namespace std::chrono_literals;
using cairn::event_kind;
using fixture::bench;

/// Where actors stay until a test lets them go on.
class barrier {
 public:
  void enter() {
    entered_.fetch_add(1, std::memory_order_release);  // pairs with the acquire in wait_for()
    entered_.notify_all();
    for (int now = 0; (now = open_.load(std::memory_order_acquire)) < inside();) {
      open_.wait(now, std::memory_order_acquire);  // pairs with the release in let_out()
    }
  }
  void wait_for(int number) {
    for (int now = 0; (now = inside()) < number;) {
      entered_.wait(now, std::memory_order_acquire);  // pairs with the release in enter()
    }
  }
  void let_out() {
    open_.store(inside(), std::memory_order_release);  // pairs with the acquire in enter()
    open_.notify_all();
  }

 private:
  [[nodiscard]] int inside() const { return entered_.load(std::memory_order_acquire); }

  std::atomic<int> entered_{0};
  std::atomic<int> open_{0};
};
std::unique_ptr<barrier> halt;
int fails = 0;         ///< how often `fail` throws
bool starts = true;    ///< whether `on_start` ends
bool repeats = false;  ///< whether what is run again stays at the barrier

struct pace {};
struct fail {};
struct stroll {};
struct look {};

struct walker {
  using protocol = cairn::protocol<pace, fail, stroll, look>;
  cairn::ref<walker> other{};
  int paces = 0;
  std::string name{};  // so that its base is not a copy before each turn
  void serialize(auto& ar) { ar(other, paces, name); }

  void on_start(cairn::context<walker>&) {
    if (!starts) halt->enter();
  }
  void on(pace, cairn::context<walker>& self) {
    ++paces;
    if (repeats && self.replaying()) halt->enter();
  }
  void on(fail) {
    if (fails-- > 0) throw std::runtime_error{"planned"};
    halt->enter();
  }
  cairn::task<void> on(stroll, cairn::context<walker>& self) {
    paces += 10 * co_await other.ask<look>();
    if (repeats && self.replaying()) halt->enter();
    ++paces;
    co_await self.sleep(1h);
  }
  int on(look) const { return paces; }
};
using all = cairn::actors<walker>;
using step_function = cairn::scheduler::step_function;

/// Its step is called by the test.
struct by_hand final : cairn::scheduler {
  explicit by_hand(std::shared_ptr<step_function> to) : step{std::move(to)} {}
  void start(unsigned, step_function called) override { *step = std::move(called); }
  void wake(unsigned) noexcept override {}
  void stop() override {}
  std::shared_ptr<step_function> step;
};

/// A system whose writer, who watches, takes its steps when the test says so.
struct watched_system {
  std::shared_ptr<step_function> step = std::make_shared<step_function>();

  watched_system() {
    halt = std::make_unique<barrier>();
    fails = 0;
    starts = true;
    repeats = false;
  }
  cairn::options options(bench& on) const {
    auto chosen = on.options();
    chosen.stuck_turn = 10s;
    chosen.slow_turn = 5s;
    chosen.schedulers = [to = step](cairn::seats of) -> std::unique_ptr<cairn::scheduler> {
      if (of == cairn::seats::writer) return std::make_unique<by_hand>(to);
      return std::make_unique<cairn::thread_scheduler>();
    };
    return chosen;
  }
  /// What is told of who stays at the barrier. It is let out.
  [[nodiscard]] std::string told_of(bench& on, const std::string& name) const {
    (void)(*step)(0);
    on.clock.advance(6s);
    (void)(*step)(0);
    on.clock.advance(11s);
    (void)(*step)(0);
    halt->let_out();
    INFO(on.told.text());
    const auto told = on.told.of(event_kind::stuck, name);
    REQUIRE(told.size() == 1);
    return told[0].what.text;
  }
};

const std::string keeps = "stuck_again::walker has kept worker 0 for 17000 ms and still does, ";

cairn::task<int> walk_and_fail(cairn::root& root) {
  const auto one = root.supervise("top").spawn<walker>("one");
  one.tell<pace>();
  one.tell<fail>();
  co_return 0;
}

TEST_CASE("a handler that does not end in a replay is told of by the message that it handles") {
  bench on;
  const watched_system here;
  fails = 1;
  repeats = true;
  cairn::system<all> running{here.options(on)};
  running.start(&walk_and_fail);
  halt->wait_for(1);
  CHECK(here.told_of(on, "one") == keeps + "with stuck_again::pace");
  // The failing message comes next, and its worker's step has not ended meanwhile.
  halt->wait_for(2);
  halt->let_out();
  while (on.told.count(event_kind::slow_turn, "one") == 0) std::this_thread::yield();
  running.wait();
  const auto slow = on.told.of(event_kind::slow_turn, "one");
  REQUIRE(slow.size() == 1);
  CHECK(slow[0].what.text == "kept worker 0 for 17000 ms, at last with stuck_again::fail");
}

TEST_CASE("a restored handler that does not end in its replay is told of by its message") {
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto top = root.supervise("top");
    const auto other = top.spawn<walker>("other");
    const auto one = top.spawn<walker>("one", other);
    one.tell<stroll>();
    (void)co_await other.ask<look>();
    co_await root.checkpoint();
    co_return 0;
  });
  const watched_system here;
  repeats = true;
  cairn::system<all> running{here.options(on)};
  running.start([](cairn::root& root) -> cairn::task<int> {
    const auto top = root.supervise("top");
    (void)top.spawn<walker>("other");
    (void)top.spawn<walker>("one");
    co_return 0;
  });
  halt->wait_for(1);
  CHECK(here.told_of(on, "one") == keeps + "with stuck_again::stroll");
  running.wait();
}

TEST_CASE("an on_start that does not end is told of by its actor") {
  bench on;
  const watched_system here;
  starts = false;
  cairn::system<all> running{here.options(on)};
  running.start([](cairn::root& root) -> cairn::task<int> {
    root.supervise("top").spawn<walker>("one").tell<pace>();
    co_return 0;
  });
  halt->wait_for(1);
  CHECK(here.told_of(on, "one") == keeps + "in on_start");
  running.wait();
}

}  // namespace stuck_again
