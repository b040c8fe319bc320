// What a program says of the handlers that another version has left suspended holds after a
// rollback, too: to the snapshot of that version, and to its own.
#include <cairn/other_version.hpp>
#include <string>
#include <vector>

#include "fixture.hpp"

namespace decided_again {

using namespace std::chrono_literals;
using cairn::errc;
using cairn::event_kind;
using cairn::version_answer;
using fixture::bench;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct work {};
struct order {};
struct show {};

struct worker {
  using protocol = cairn::protocol<add, work, show>;
  cairn::ref<worker> other{};
  int sum = 0;
  std::string diary{};  // so that its base is not a copy before each turn
  void serialize(auto& ar) { ar(other, sum, diary); }
  void on(add what) { sum += what.value; }
  cairn::task<int> on(work, cairn::context<worker>& self) {
    sum += 100;
    other.tell<add>(50);
    co_await self.sleep(1h);
    sum += 1000;
    co_return sum;
  }
  int on(show) const { return sum; }
};

/// Waits for the worker's answer.
struct boss {
  using protocol = cairn::protocol<order, show>;
  cairn::ref<worker> to{};
  std::string heard = "nothing";
  void serialize(auto& ar) { ar(to, heard); }
  cairn::task<void> on(order) {
    const auto answer = co_await to.ask<work>().as_result();
    heard = answer ? std::to_string(*answer) : std::string{to_string(answer.code())};
  }
  std::string on(show) const { return heard; }
};
using all = cairn::actors<worker, boss>;

/// Leaves the worker suspended, with one message before that in its log and one behind it.
cairn::task<int> first_life(cairn::root& root) {
  const auto top = root.supervise("top");
  const auto other = top.spawn<worker>("other");
  const auto one = top.spawn<worker>("one", other);
  const auto chief = top.spawn<boss>("boss", one);
  co_await root.checkpoint();
  one.tell<add>(1);
  chief.tell<order>();
  while (co_await other.ask<show>() != 50) {
  }
  one.tell<add>(4);
  co_await root.checkpoint();
  co_return 0;
}

/// A life of the next version that goes back once.
struct life {
  version_answer says = version_answer::refuse;
  version_answer later = version_answer::refuse;  ///< what it would say where it is asked again
  bool commits = false;                           ///< before it goes back
  bool lets_end = false;                          ///< the handler, before that

  bench on{};
  int runs = 0;
  int asked = 0;
  std::string text{};
  int one = 0;
  int other = 0;
  std::string heard{};
  std::size_t letters = 0;

  void live() {
    fixture::crash<all>(on, &first_life);
    on.version = "2";
    auto chosen = on.options();
    chosen.other_version = [this](const cairn::recorded_handler& what) {
      if (what.type != "decided_again::worker") return version_answer::rerun;
      return ++asked == 1 ? says : later;
    };
    fixture::outcome how;
    const cairn::application app = [this](cairn::root& root) { return next_life(root, this); };
    cairn::system<all> running{std::move(chosen)};
    running.start([&](cairn::root& root) { return fixture::watched(&app, &root, &how); });
    running.wait();
    fixture::note_failure(running, how);
    text = how.text;
  }
  /// Waits until what was decided has been done.
  static cairn::task<> carry_out(cairn::root& root, life* by, cairn::ref<worker> whom) {
    const auto& cell = *whom.where().where;  // there is one worker
    for (;;) {
      const bool given_up = by->on.told.count(event_kind::given_up, "one") != 0;
      if (given_up || cell.suspended || cell.busy()) break;
      co_await root.sleep(0ns);
    }
    if (!by->lets_end) co_return;
    if (cell.suspended) root.resume(whom);
    by->on.clock.advance(2h);
    (void)co_await whom.ask<show>();
  }
  static cairn::task<int> next_life(cairn::root& root, life* by) {
    const bool first = ++by->runs == 1;
    const auto top = root.supervise("top");
    const auto one = top.spawn<worker>("one");
    const auto other = top.spawn<worker>("other");
    const auto chief = top.spawn<boss>("boss");
    if (first) {
      co_await carry_out(root, by, one);
      if (by->commits) co_await root.checkpoint();
      one.tell<add>(5000);  // which is undone
      other.tell<add>(5000);
      co_await root.rollback();
    }
    if (one.where().where->suspended) root.resume(one);
    by->on.clock.advance(2h);
    co_await root.checkpoint();
    by->one = co_await one.ask<show>();
    by->other = co_await other.ask<show>();
    by->heard = co_await chief.ask<show>();
    const auto kept = co_await root.dead_letters();
    by->letters = kept.letters.size();
    co_return 0;
  }
};

/// The handler was given up, once for all.
void check_given_up(const life& was) {
  INFO(was.text << was.on.told.text());
  CHECK(was.text.empty());
  CHECK(was.runs == 2);
  CHECK(was.one == 5);  // 1 before it was run again, 4 came after it
  CHECK(was.other == 50);
  CHECK(was.heard == "failed");
  CHECK(was.letters == 1);
}
/// The handler was run again, and has ended.
void check_run_again(const life& was) {
  INFO(was.text << was.on.told.text());
  CHECK(was.text.empty());
  CHECK(was.runs == 2);
  CHECK(was.one == 1105);
  CHECK(was.other == 50);
  CHECK(was.heard == "1101");
  CHECK(was.letters == 0);
  CHECK(was.on.told.count(event_kind::given_up) == 0);
}

TEST_CASE("a handler that was given up is given up again after a rollback before a commit") {
  life was{.says = version_answer::abandon, .later = version_answer::abandon};
  was.live();
  check_given_up(was);
  CHECK(was.asked == 2);
  CHECK(was.on.told.count(event_kind::given_up, "one") == 2);
}

TEST_CASE("a handler that was given up and committed so is not asked about in a rollback") {
  life was{.says = version_answer::abandon, .commits = true};
  was.live();
  check_given_up(was);
  CHECK(was.asked == 1);
  CHECK(was.on.told.count(event_kind::given_up, "one") == 1);
}

TEST_CASE("a handler of another version is run again after a rollback as at the start") {
  const bool commits = GENERATE(false, true);
  const auto later = commits ? version_answer::refuse : version_answer::rerun;
  life was{.says = version_answer::rerun, .later = later, .commits = commits};
  was.lets_end = GENERATE(false, true);
  was.live();
  check_run_again(was);
  CHECK(was.asked == (commits ? 1 : 2));
}

TEST_CASE("an actor that was suspended for its handler is so after a rollback") {
  const bool commits = GENERATE(false, true);
  const auto later = commits ? version_answer::refuse : version_answer::suspend_actor;
  life was{.says = version_answer::suspend_actor, .later = later, .commits = commits};
  was.lets_end = !commits && GENERATE(false, true);  // somebody had resumed it
  was.live();
  check_run_again(was);
  CHECK(was.asked == (commits ? 1 : 2));
  const std::size_t resumed = was.lets_end ? 2 : 1;
  CHECK(was.on.told.count(event_kind::resumed, "one") == resumed);
}

TEST_CASE("what is refused in a rollback before a commit ends the system by name") {
  life was{.says = version_answer::abandon};
  was.live();
  CHECK(was.runs == 1);
  CHECK(was.asked == 2);
  CHECK(was.text.find("actor one (decided_again::worker) was suspended in a handler of "
                      "decided_again::work by program version \"1\"") != std::string::npos);
}

}  // namespace decided_again
