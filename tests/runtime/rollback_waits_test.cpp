// A rollback waits for functions of `self.run`, while the system goes on. Systems of a worker or
// two whose steps the test takes; what runs outside has a thread.
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "by_hand.hpp"

namespace going_back {

using cairn::event_kind;
using fixture::bench;
using played::by_hand;
using namespace std::chrono_literals;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct pay {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};

std::binary_semaphore paying{0};
std::binary_semaphore paid{0};

int pays = 0;

/// The first one takes its time.
int pay_out(int value) {
  ++pays;
  if (value != 1) return value;
  paying.release();
  paid.acquire();
  return value;
}

struct counter {
  using protocol = cairn::protocol<add>;
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  void on(add what) { seen.push_back(what.value); }
};
struct payer {
  using protocol = cairn::protocol<pay>;
  std::vector<int> done{};
  void serialize(auto& ar) { ar(done); }
  cairn::task<> on(pay what, cairn::context<payer>& self) {
    const int value = co_await self.run("pay", &pay_out, what.value);
    done.push_back(value);
  }
};
using all = cairn::actors<counter, payer>;
using numbers = std::vector<int>;

struct stage {
  bench on{};
  by_hand hand{};
  cairn::ref<counter> it{};
  cairn::ref<payer> by{};
  cairn::ref<payer> other{};
  std::optional<cairn::errc> refused{};
  bool ask_back = false;  ///< the root task asks for the rollback once it is told to stop
  int begun = 0;
  std::unique_ptr<cairn::system<all>> running{};
  std::thread outside{};

  explicit stage(unsigned workers = 1, std::chrono::milliseconds patience = 30s) {
    on.workers = workers;
    auto chosen = on.options();
    chosen.rollback = patience;
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<all>>(std::move(chosen));
    running->start([this](cairn::root& root) { return app(root, this); });
    hand.until_quiet();
  }
  ~stage() {
    if (outside.joinable()) outside.join();
  }
  static cairn::task<int> app(cairn::root& root, stage* of) {
    auto top = root.supervise("top");
    of->it = top.spawn<counter>("it");
    of->by = top.spawn<payer>("by");
    of->other = top.spawn<payer>("other");
    if (++of->begun == 1) co_await root.checkpoint();
    co_await root.until_stopped();
    if (!of->ask_back) co_return 0;
    auto back = co_await root.rollback().as_result();
    of->refused = back.code();
    co_return 0;
  }

  /// One function is under way from here on.
  void begin_to_pay() {
    by.tell<pay>(1);
    hand.until_quiet();
    pays = 0;
    outside = std::thread{[this] { (void)hand.steps.at(cairn::seats::runs)(0); }};
    paying.acquire();
  }
  void end_paying() {
    paid.release();
    outside.join();
    hand.until_quiet();
  }
  /// All that waits outside, by another seat.
  void run_others() {
    for (int times = 0; times < 3; ++times) (void)hand.steps.at(cairn::seats::runs)(1);
    hand.until_quiet();
  }
  /// As threads would: who is called, or says that there is more to do, steps again.
  void until_asleep() {
    std::vector<bool> called(hand.workers, true);
    for (std::size_t at = 0; at < called.size();) {
      called[at] = false;
      const auto last = hand.steps.at(cairn::seats::workers)(static_cast<unsigned>(at));
      if (last.busy || last.wait == 0ns) called[at] = true;
      while (hand.steps.at(cairn::seats::writer)(0).busy) continue;
      for (const unsigned each : std::exchange(hand.woken, {})) called[each] = true;
      for (at = 0; at < called.size() && !called[at];) ++at;
    }
  }
  void open_an_epoch() {
    running->inner().leader().request();
    for (int times = 0; times < 9; ++times) {  // the writer has no step
      for (unsigned at = 0; at < hand.workers; ++at) hand.step(at);
    }
    REQUIRE(count(event_kind::epoch_begun) == count(event_kind::committed) + 1);
  }
  [[nodiscard]] const numbers& seen() {
    return cairn::detail::held<counter>(*it.where().where).state.seen;
  }
  [[nodiscard]] static const numbers& done(const cairn::ref<payer>& of) {
    return cairn::detail::held<payer>(*of.where().where).state.done;
  }
  [[nodiscard]] std::size_t count(event_kind kind) const { return on.told.count(kind); }
};

}  // namespace going_back

TEST_CASE("a rollback waits for functions that run outside while the system goes on") {
  using namespace going_back;
  stage play;
  play.begin_to_pay();
  play.running->rollback();
  play.hand.until_quiet();
  play.it.tell<add>(7);
  play.running->inner().leader().request();
  play.hand.until_quiet();
  CHECK(play.seen() == numbers{7});
  CHECK(play.count(event_kind::rolled_back) == 0);
  CHECK(play.count(event_kind::epoch_begun) == 1);  // none commits what led to it

  play.other.tell<pay>(2);
  play.hand.until_quiet();
  play.run_others();
  CHECK(pays == 1);  // it does not begin, and is begun again by who goes back
  play.end_paying();
  CHECK(play.count(event_kind::rolled_back) == 1);
  CHECK(play.begun == 2);
  CHECK(play.seen() == numbers{7});  // it came again
  CHECK(stage::done(play.by).empty());
  CHECK(play.count(event_kind::epoch_begun) == 2);

  paid.release();
  play.run_others();
  paying.acquire();
  CHECK(pays == 3);
  CHECK(stage::done(play.by) == numbers{1});
  CHECK(stage::done(play.other) == numbers{2});
}

TEST_CASE("a rollback without a bound waits for what runs outside") {
  using namespace going_back;
  stage play{1, std::chrono::milliseconds::max()};
  play.begin_to_pay();
  play.running->rollback();
  play.hand.until_quiet();
  play.on.clock.advance(1000h);
  play.hand.until_quiet();
  CHECK(play.count(event_kind::no_rollback) == 0);
  play.end_paying();
  CHECK(play.count(event_kind::rolled_back) == 1);
}

TEST_CASE("a rollback is refused where a function outside does not end, which it names") {
  using namespace going_back;
  stage play;
  play.begin_to_pay();
  play.ask_back = true;
  play.running->request_stop();
  play.hand.until_quiet();
  play.other.tell<pay>(2);
  play.hand.until_quiet();
  play.on.clock.advance(30s - 1ns);
  play.hand.until_quiet();
  CHECK(play.count(event_kind::no_rollback) == 0);
  CHECK_FALSE(play.refused);
  play.on.clock.advance(1ns);
  play.hand.until_quiet();
  REQUIRE(play.count(event_kind::no_rollback) == 1);
  CHECK(play.on.told.of(event_kind::no_rollback).front().what.text ==
        "not rolled back: functions of self.run have not ended within 30000 ms, of by \"pay\"; the "
        "program asked for it");
  CHECK(play.refused == cairn::errc::io);
  CHECK(play.begun == 1);

  play.end_paying();
  play.run_others();  // what has waited is not lost
  CHECK(stage::done(play.by) == numbers{1});
  CHECK(stage::done(play.other) == numbers{2});
  play.running->inner().leader().request();
  play.hand.until_quiet();
  CHECK(play.count(event_kind::committed) == 2);
}

TEST_CASE("a program that ends waits for no rollback, nor does what runs outside") {
  using namespace going_back;
  stage play;
  play.begin_to_pay();
  play.running->rollback();
  play.other.tell<pay>(2);
  play.hand.until_quiet();
  play.running->request_stop();
  play.hand.until_quiet();
  play.end_paying();
  play.run_others();
  CHECK(play.count(event_kind::rolled_back) == 0);
  CHECK(stage::done(play.other) == numbers{2});
}

TEST_CASE("what is asked for while an epoch is open begins when that has ended") {
  using namespace going_back;
  stage play{2};  // it is the other one that ends the epoch, and calls the first for that alone
  play.open_an_epoch();
  SECTION("one more epoch") {
    play.running->inner().leader().request();
    play.until_asleep();
    CHECK(play.count(event_kind::committed) == 3);  // the root task has asked for the first
  }
  SECTION("a rollback") {
    play.running->rollback();
    play.until_asleep();
    CHECK(play.count(event_kind::committed) == 2);
    CHECK(play.count(event_kind::rolled_back) == 1);
  }
}

TEST_CASE("all wishes for a rollback that come before it is done are granted by one") {
  using namespace going_back;
  const int steps = GENERATE(0, 1, 2, 3);  // until then the first one waits, or all stand still
  stage play;
  play.running->rollback();
  play.hand.step(0, steps);
  play.running->rollback();
  play.hand.until_quiet();
  CHECK(play.count(event_kind::rolled_back) == 1);
  CHECK(play.begun == 2);
  play.running->rollback();  // one that comes later is another one
  play.hand.until_quiet();
  CHECK(play.count(event_kind::rolled_back) == 2);
}

TEST_CASE("the last epoch waits for no rollback that waits for functions, which is refused") {
  using namespace going_back;
  stage play;
  play.begin_to_pay();
  play.it.tell<add>(7);
  play.running->rollback();
  play.hand.until_quiet();
  std::optional<bool> committed;
  play.running->inner().request_last_epoch(
      [&](const cairn::detail::epoch_end& end) { committed = end.committed; }, 1ms);
  play.hand.until_quiet();
  REQUIRE(play.count(event_kind::no_rollback) == 1);
  CHECK(play.on.told.of(event_kind::no_rollback).front().what.text ==
        "not rolled back: functions of self.run have not ended before the last epoch, of by "
        "\"pay\"; it was asked for");
  play.on.clock.advance(1ms);  // that is how long it waits for handlers
  play.hand.until_quiet();
  CHECK(committed == true);
  CHECK(play.seen() == numbers{7});
  CHECK(play.begun == 1);
  play.end_paying();
}
