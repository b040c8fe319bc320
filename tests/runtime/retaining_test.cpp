// What threads outside have sent is kept for a rollback, up to a bound.
#include <cairn/asio.hpp>

#include <asio/bind_executor.hpp>
#include <asio/io_context.hpp>
#include <optional>

#include "by_hand.hpp"

namespace retaining {

using namespace std::chrono_literals;
using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using played::by_hand;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct fail {};
struct look {};

struct counter {
  using protocol = cairn::protocol<add, fail, look>;
  std::vector<int> seen{};
  void serialize(auto& ar) { ar(seen); }
  void on(add what) { seen.push_back(what.value); }
  void on(fail) { throw std::runtime_error{"it does"}; }
  std::vector<int> on(look) const { return seen; }
};

using all = cairn::actors<counter>;
using numbers = std::vector<int>;

/// A system of one worker whose steps, and those of the disk, the test takes.
struct stage {
  bench on{};
  by_hand hand{};
  cairn::ref<counter> it{};
  int begun = 0;
  bool ask_back = false;  ///< the root task asks for a rollback when it is told to stop
  std::optional<errc> refused{};
  std::unique_ptr<cairn::system<all>> running{};

  explicit stage(std::size_t bound) {
    auto chosen = on.options();
    chosen.max_retained = bound;
    chosen.epoch.max_abandoned = 0;
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<by_hand::seat>(hand, of);
    };
    running = std::make_unique<cairn::system<all>>(std::move(chosen));
    running->start([this](cairn::root& root) { return app(root, this); });
    hand.until_quiet();
  }
  static cairn::task<int> app(cairn::root& root, stage* of) {
    ++of->begun;
    const auto rules = cairn::supervisor_options{}.on<std::runtime_error>(cairn::rollback);
    of->it = root.supervise("top", rules).spawn<counter>("it");
    if (of->begun == 1) co_await root.checkpoint();
    co_await root.until_stopped();
    if (!of->ask_back) co_return 0;
    auto back = co_await root.rollback().as_result();
    of->refused = back.code();
    co_return 0;
  }

  /// The worker goes on for as long as there is something to do for it; the disk does not.
  void work() { hand.step(0, 50); }
  /// The same, and the epoch that begins will not be committed.
  void work_in_vain() {
    const auto before = count(event_kind::epoch_begun);
    while (count(event_kind::epoch_begun) == before) hand.step(0);
    running->inner().spoil_epoch("the disk is not there");
    work();
  }
  /// What `it` has seen, by its state.
  [[nodiscard]] const numbers& seen() {
    return cairn::detail::held<counter>(*it.where().where).state.seen;
  }
  [[nodiscard]] std::size_t count(event_kind kind) const { return on.told.count(kind); }
};

}  // namespace retaining

TEST_CASE("at the bound of what is kept for a rollback an epoch is begun, and what comes waits") {
  using namespace retaining;
  stage play{3};
  CHECK(play.count(event_kind::committed) == 1);
  for (int at = 1; at <= 3; ++at) play.it.tell<add>(at);
  play.work();
  CHECK(play.seen() == numbers{1, 2, 3});
  CHECK(play.count(event_kind::epoch_begun) == 1);

  play.it.tell<add>(4);  // there is no room: an epoch comes, whose cut must have it
  play.work();
  CHECK(play.count(event_kind::epoch_begun) == 2);
  CHECK(play.seen() == numbers{1, 2, 3, 4});
  std::optional<bool> answered;
  asio::io_context io;
  play.it.tell<add>(5);
  cairn::async_send<add>(
      play.it, asio::bind_executor(io, [&](std::exception_ptr why) { answered = why == nullptr; }),
      6);
  play.work();
  CHECK(play.seen() == numbers{1, 2, 3, 4});
  CHECK(play.count(event_kind::committed) == 1);
  io.poll();
  CHECK_FALSE(answered);

  play.hand.until_quiet();  // the disk has it
  CHECK(play.count(event_kind::committed) == 2);
  io.restart();
  io.poll();
  CHECK(answered == true);
  play.hand.until_quiet();
  CHECK(play.seen() == numbers{1, 2, 3, 4, 5, 6});
  CHECK(play.count(event_kind::no_rollback) == 0);

  play.running->rollback();
  play.hand.until_quiet();
  CHECK(play.count(event_kind::rolled_back) == 1);
  CHECK(play.seen() == numbers{1, 2, 3, 4, 5, 6});
}

TEST_CASE("where epochs are not committed nobody waits, and there is no rollback") {
  using namespace retaining;
  stage play{3};
  for (int at = 1; at <= 4; ++at) play.it.tell<add>(at);
  play.work_in_vain();
  play.it.tell<add>(5);
  play.work();
  CHECK(play.seen() == numbers{1, 2, 3, 4});
  play.hand.until_quiet();
  CHECK(play.count(event_kind::abandoned) == 1);
  CHECK(play.seen() == numbers{1, 2, 3, 4, 5});
  REQUIRE(play.count(event_kind::no_rollback) == 1);
  CHECK(play.on.told.of(event_kind::no_rollback).front().what.text ==
        "4 messages from outside are not kept for a rollback any more: epoch 2 was abandoned; "
        "there is none before epoch 3 is committed");

  play.running->rollback();
  play.hand.until_quiet();
  CHECK(play.count(event_kind::rolled_back) == 0);
  CHECK(play.on.told.of(event_kind::no_rollback).back().what.text ==
        "not rolled back: not all that came from outside since the latest snapshot was kept; it "
        "was asked for");
  CHECK(play.begun == 1);
  CHECK(play.seen() == numbers{1, 2, 3, 4, 5});

  play.running->inner().leader().request();
  play.it.tell<add>(6);
  play.hand.until_quiet();
  CHECK(play.count(event_kind::committed) == 2);
  play.running->rollback();
  play.hand.until_quiet();
  CHECK(play.count(event_kind::rolled_back) == 1);
  CHECK(play.begun == 2);
  CHECK(play.seen() == numbers{1, 2, 3, 4, 5, 6});
}

TEST_CASE("what waits for a commit is bounded too") {
  using namespace retaining;
  stage play{2};
  for (int at = 1; at <= 3; ++at) play.it.tell<add>(at);
  play.work();  // but for the disk the epoch has ended
  play.it.tell<add>(4);
  play.work();
  CHECK(play.seen() == numbers{1, 2, 3});
  play.it.tell<add>(5);
  play.work();
  CHECK(play.seen() == numbers{1, 2, 3, 4, 5});
  REQUIRE(play.count(event_kind::no_rollback) == 1);
  CHECK(play.on.told.of(event_kind::no_rollback)
            .front()
            .what.text.find("as many more wait for a commit") != std::string::npos);
}

TEST_CASE("who asks for a rollback that is not to be had is told, and a failing actor suspended") {
  using namespace retaining;
  stage play{2};
  play.ask_back = true;
  play.it.tell<add>(1);
  play.it.tell<add>(2);
  play.it.tell<fail>();
  play.work_in_vain();
  CHECK(play.count(event_kind::no_rollback) == 0);
  CHECK(play.count(event_kind::suspended) == 1);
  play.hand.until_quiet();
  CHECK(play.count(event_kind::no_rollback) == 2);  // it is abandoned, and the actor's is refused
  CHECK(play.count(event_kind::suspended) == 1);
  play.running->request_stop();
  play.hand.until_quiet();
  CHECK(play.refused == errc::io);
  CHECK(play.count(event_kind::rolled_back) == 0);
  CHECK(play.begun == 1);
}

TEST_CASE("an orderly end has what waits before the door") {
  using namespace retaining;
  stage play{3};
  for (int at = 1; at <= 5; ++at) play.it.tell<add>(at);
  play.running->request_stop();
  play.hand.until_quiet();
  std::optional<bool> committed;
  play.running->inner().request_last_epoch(
      [&](const cairn::detail::epoch_end& end) { committed = end.committed; });
  play.hand.until_quiet();
  CHECK(committed == true);
  CHECK(play.seen() == numbers{1, 2, 3, 4, 5});
}
