// What waits in a long mailbox is looked at by one sweep, and passed over by those that come after.
#include <numeric>

#include "by_hand.hpp"

namespace long_mailboxes {

using namespace std::chrono_literals;
using cairn::event_kind;
using fixture::bench;
using played::by_hand;
using numbers = std::vector<int>;

/// Values that a handler throws at.
fixture::faults planned;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct hold {};

/// While it holds, all else waits.
struct keeper {
  using protocol = cairn::protocol<add, hold>;
  numbers got{};
  void serialize(auto& ar) { ar(got); }
  void on(add what) {
    planned.check(what.value);
    got.push_back(what.value);
  }
  cairn::task<> on(hold, cairn::context<keeper>& self) {
    co_await self.sleep(1h);
    planned.check(0);
  }
};
using all = cairn::actors<keeper>;

/// A system of one worker, whose steps the test takes. A slice of its sweep looks at few messages.
struct stage {
  bench& on;
  by_hand hand{};
  cairn::ref<keeper> it{};
  int sent;
  std::unique_ptr<cairn::system<all>> running{};

  explicit stage(bench& where, int sent_before = 0) : on{where}, sent{sent_before} {
    auto chosen = on.options();
    chosen.epoch.max_abandoned = 0;
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<all>>(std::move(chosen));
    running->inner().sweep_looks = 8;
    running->start([this](cairn::root& root) { return app(root, this); });
    hand.until_quiet();
  }
  static cairn::task<int> app(cairn::root& root, stage* of) {
    const auto rules = cairn::supervisor_options{}.on<std::runtime_error>(cairn::suspend);
    of->it = root.supervise("top", rules).spawn<keeper>("it");
    co_await root.until_stopped();
    co_return 0;
  }
  /// The next values.
  void add_some(int count) {
    for (int left = count; left > 0; --left) it.tell<add>(++sent);
    hand.until_quiet();
  }
  void begin_hold() {
    it.tell<hold>();
    hand.until_quiet();
  }
  void end_hold() {
    on.clock.advance(2h);
    hand.until_quiet();
  }
  void resume() {
    auto word = cairn::detail::make_control(cairn::detail::control::resume, {}, {});
    word->to = it.where().where;
    word->target = it.where().id;
    running->inner().send_from_outside(std::move(word));
    hand.until_quiet();
  }
  /// One epoch. Returns how many messages its sweep has looked at.
  std::uint64_t cut() {
    begin_cut();
    return end_cut();
  }
  void begin_cut() {
    const auto before = on.told.count(event_kind::epoch_begun);
    running->inner().leader().request();
    while (on.told.count(event_kind::epoch_begun) == before) hand.step(0);
  }
  std::uint64_t end_cut() {
    hand.until_quiet();
    return running->inner().workers.front()->looks;
  }
  [[nodiscard]] cairn::detail::cell& cell() { return *it.where().where; }
  [[nodiscard]] const numbers& got() { return cairn::detail::held<keeper>(cell()).state.got; }
};

numbers up_to(int last) {
  numbers counted(static_cast<std::size_t>(last));
  std::iota(counted.begin(), counted.end(), 1);
  return counted;
}

/// As the next process finds it.
void check_restored(bench& on, int sent, std::uint64_t waiting) {
  planned.clear();
  stage next{on, sent};
  CHECK(next.running->restored_counts().messages == waiting);
  next.resume();
  next.add_some(1);
  next.cut();
  next.end_hold();
  next.end_hold();
  CHECK(next.got() == up_to(sent + 1));
}

}  // namespace long_mailboxes

TEST_CASE("a slice of a sweep ends where it has recorded so much") {
  using namespace long_mailboxes;
  planned.clear();
  bench on;
  stage play{on};
  play.begin_hold();
  play.add_some(20);
  cairn::detail::engine& inner = play.running->inner();
  inner.sweep_looks = 1000;
  inner.sweep_bytes = 4096;  // an eighth of it: a few messages
  play.begin_cut();
  const auto next_slice = [&] {
    const std::uint64_t& looks = inner.workers.front()->looks;
    const auto before = looks;
    for (int steps = 0; looks == before && steps < 100; ++steps) play.hand.step(0);
    return looks - before;
  };
  (void)next_slice();  // has other records, too
  const auto second = next_slice();
  CHECK(second > 1);
  CHECK(second < 10);
  CHECK(next_slice() == second);  // what has not left for the writer is not counted again
  CHECK(play.end_cut() == 20);
}

TEST_CASE("a sweep passes over what the ones before have recorded of a long mailbox") {
  using namespace long_mailboxes;
  planned.clear();
  bench on;
  {
    stage play{on};
    play.begin_hold();
    play.add_some(40);
    play.begin_hold();
    play.add_some(60);
    CHECK(play.cut() == 101);  // in slices, and none of them begins in front
    play.add_some(10);
    CHECK(play.cut() == 10);
    play.end_hold();
    CHECK(play.got() == up_to(40));
    play.add_some(10);
    CHECK(play.cut() == 10);
    // What a snapshot would have held that is not committed is recorded once more.
    play.add_some(10);
    play.begin_cut();
    play.running->inner().spoil_epoch("the disk is not there");
    CHECK(play.end_cut() == 10);
    CHECK(on.told.count(event_kind::abandoned) == 1);
    CHECK(play.cut() == 90);
    play.add_some(1);
    CHECK(play.cut() == 1);
  }
  check_restored(on, 131, 91);
}

TEST_CASE("what the next epoch has sent to a long mailbox is looked at by its own sweep again") {
  using namespace long_mailboxes;
  planned.clear();
  bench on;
  {
    stage play{on};
    play.begin_hold();
    play.add_some(20);
    CHECK(play.cut() == 20);
    play.begin_cut();
    play.add_some(30);  // several slices pass them, and record none
    CHECK(play.end_cut() == 30);
    CHECK(play.cut() == 30);
    CHECK(play.cut() == 0);
    play.end_hold();
    CHECK(play.got() == up_to(50));
    // All that was passed has gone.
    play.begin_hold();
    play.add_some(20);
    CHECK(play.cut() == 20);
  }
  check_restored(on, 70, 20);
}

TEST_CASE("a sweep ends although more comes into a mailbox than its slices look at") {
  using namespace long_mailboxes;
  planned.clear();
  bench on;
  constexpr int steps = 20;
  constexpr int at_once = 12;  // a slice looks at 8
  {
    stage play{on};
    play.begin_hold();
    play.add_some(30);
    play.begin_cut();
    for (int step = 0; step < steps; ++step) {
      for (int left = at_once; left > 0; --left) play.it.tell<add>(++play.sent);
      play.hand.step(0);
    }
    // Those that came before the sweep did, and none of the others.
    CHECK(play.end_cut() < 30 + 4 * at_once);
    CHECK(on.told.count(event_kind::abandoned) == 0);
    CHECK(play.cut() > (steps - 5) * at_once);
  }
  check_restored(on, 30 + steps * at_once, 30 + steps * at_once);
}

TEST_CASE("the first sweep after a restore looks at a long mailbox, the next one does not") {
  using namespace long_mailboxes;
  planned.clear();
  bench on;
  {
    stage play{on};
    play.begin_hold();
    play.add_some(50);
    play.cut();
  }
  stage play{on, 50};
  play.add_some(1);
  CHECK(play.cut() == 51);
  play.add_some(1);
  CHECK(play.cut() == 1);
  play.add_some(3);
  // A rollback brings the same messages back, under the same tickets, in other envelopes.
  play.running->rollback();
  play.hand.until_quiet();
  CHECK(on.told.count(event_kind::rolled_back) == 1);
  CHECK(play.cut() == 55);
  play.add_some(1);
  CHECK(play.cut() == 1);
  play.end_hold();
  CHECK(play.got() == up_to(56));
}

TEST_CASE("what waits again in front of recorded messages is looked at") {
  using namespace long_mailboxes;
  bench on;
  const auto fail_at = GENERATE(5, 20);
  INFO("fails at " << fail_at);
  planned.clear();
  planned.plan(fail_at, 1000);
  {
    stage play{on};
    play.begin_hold();
    play.add_some(20);
    CHECK(play.cut() == 20);
    play.end_hold();
    CHECK(on.told.count(event_kind::suspended, "it") == 1);
    CHECK(play.got() == up_to(fail_at - 1));
    // Of what was recorded the last one may have come back as another envelope.
    play.add_some(7);
    CHECK(play.cut() == 8);
    play.add_some(1);
    CHECK(play.cut() == (fail_at == 5 ? 2 : 9));  // a short one is looked at as a whole
  }
  check_restored(on, 28, static_cast<std::uint64_t>(28 - fail_at + 1));
}

TEST_CASE("what has taken the place of a recorded word is recorded") {
  using namespace long_mailboxes;
  planned.clear();
  planned.plan(0, 1);
  bench on;
  const auto has_resume = [](stage& play) {
    const auto* each = play.cell().box.queue.front();
    for (; each != nullptr; each = each->next) {
      if (each->kind == cairn::detail::envelope_kind::control &&
          cairn::detail::control{each->index} == cairn::detail::control::resume) {
        return true;
      }
    }
    return false;
  };
  {
    stage play{on};
    play.begin_hold();
    play.begin_hold();
    play.add_some(10);
    play.resume();  // its turn comes once the first handler has failed and its actor is suspended
    play.add_some(10);
    CHECK(has_resume(play));
    CHECK(play.cut() == 22);
    play.end_hold();
    CHECK(on.told.count(event_kind::resumed, "it") == 1);
    CHECK(!has_resume(play));
    CHECK(play.cut() == 21);
  }
  {
    stage play{on, 20};
    CHECK(!has_resume(play));
  }
  check_restored(on, 20, 21);
}
