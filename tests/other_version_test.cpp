// Handlers that another version of the program has left suspended.
#include <cairn/other_version.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runtime/fixture.hpp"

namespace versions {

using namespace std::chrono_literals;
using cairn::errc;
using cairn::event_kind;
using cairn::version_answer;
using fixture::bench;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct work {
  std::string what{};
  void serialize(auto& ar) { ar(what); }
};
struct order {};
struct show {};

/// Its handler of `work` does something else when it is run again.
bool strange = false;

/// Tells of each `add`, in another version more often.
template <class Work, int Times>
struct worker {
  using protocol = cairn::protocol<add, Work, show>;
  cairn::ref<worker> other{};
  int sum = 0;
  std::string diary{};  // so that its base is not a copy before each turn
  void serialize(auto& ar) { ar(other, sum, diary); }
  void on(add what) {
    sum += what.value;
    for (int left = other ? Times : 0; left > 0; --left) other.template tell<add>(what.value);
  }
  cairn::task<int> on(Work, cairn::context<worker>& self) {
    sum += 100;
    if (other) other.template tell<add>(strange ? 51 : 50);
    co_await self.sleep(1h);
    sum += 1000;
    co_return sum;
  }
  int on(show) const { return sum; }
};
using first = worker<work, 1>;
using second = worker<work, 2>;

/// The same without the message.
struct third {
  using protocol = cairn::protocol<add, show>;
  cairn::ref<third> other{};
  int sum = 0;
  std::string diary{};  // so that its base is not a copy before each turn
  void serialize(auto& ar) { ar(other, sum, diary); }
  void on(add what) {
    sum += what.value;
    if (other) other.tell<add>(what.value);
  }
  int on(show) const { return sum; }
};

}  // namespace versions

template <>
inline constexpr std::string_view cairn::type_name<versions::first> = "versions::worker";
template <>
inline constexpr std::string_view cairn::type_name<versions::second> = "versions::worker";
template <>
inline constexpr std::string_view cairn::type_name<versions::third> = "versions::worker";

namespace versions {

/// Waits for the worker's answer.
struct boss {
  using protocol = cairn::protocol<order, show>;
  cairn::ref<first> to{};
  std::string heard = "nothing";
  void serialize(auto& ar) { ar(to, heard); }
  cairn::task<void> on(order) {
    const auto answer = co_await to.ask<work>("a long one").as_result();
    heard = answer ? std::to_string(*answer) : std::string{to_string(answer.code())};
  }
  std::string on(show) const { return heard; }
};

/// Leaves the worker suspended, with two messages before that in its log and one behind it.
cairn::task<int> first_life(cairn::root& root) {
  const auto top = root.supervise("top");
  const auto other = top.spawn<first>("other");
  const auto one = top.spawn<first>("one", first{.other = other});
  const auto chief = top.spawn<boss>("boss", boss{.to = one});
  co_await root.checkpoint();
  one.tell<add>(1);
  one.tell<add>(2);
  chief.tell<order>();
  while (co_await other.ask<show>() != 53) {
  }
  one.tell<add>(4);
  co_await root.checkpoint();
  co_return 0;
}

struct outcome {
  int one = 0;
  int other = 0;
  std::string heard{};
};

template <class Worker>
cairn::task<int> next_life(cairn::root& root, const fixture::hand_clock* clock, outcome* to) {
  const auto top = root.supervise("top");
  const auto one = top.spawn<Worker>("one");
  const auto other = top.spawn<Worker>("other");
  const auto chief = top.spawn<boss>("boss");
  clock->advance(2h);
  co_await root.checkpoint();
  to->one = co_await one.template ask<show>();
  to->other = co_await other.template ask<show>();
  to->heard = co_await chief.template ask<show>();
  co_await root.checkpoint();
  co_return 0;
}

/// Says the same of every worker; who waits for one goes on waiting.
cairn::version_handler answer(version_answer what) {
  return [what](const cairn::recorded_handler& about) {
    return about.type == "versions::worker" ? what : version_answer::rerun;
  };
}

template <class Actors, class Worker>
outcome take_over(bench& on, cairn::version_handler other) {
  outcome found;
  on.version = "2";
  auto chosen = on.options();
  chosen.other_version = std::move(other);
  fixture::crash<Actors>(std::move(chosen), [&](cairn::root& root) {
    return next_life<Worker>(root, &on.clock, &found);
  });
  return found;
}

template <class Actors>
std::pair<errc, std::string> refusal(bench& on, cairn::version_handler other) {
  auto chosen = on.options();
  chosen.other_version = std::move(other);
  try {
    cairn::system<Actors> refused{std::move(chosen)};
  } catch (const cairn::error& why) {
    return {why.code(), why.what()};
  }
  return {};
}

/// Why a system that began could not go on.
template <class Actors, class Worker>
std::string failure(bench& on, cairn::version_handler other) {
  on.version = "2";
  auto chosen = on.options();
  chosen.other_version = std::move(other);
  outcome found;
  cairn::system<Actors> running{std::move(chosen)};
  running.start([&](cairn::root& root) { return next_life<Worker>(root, &on.clock, &found); });
  running.wait();
  fixture::outcome how;
  fixture::note_failure(running, how);
  return how.text;
}

using all = cairn::actors<first, boss>;
using changed = cairn::actors<second, boss>;

TEST_CASE("a handler of another version is asked about by name, and refused by default") {
  bench on;
  fixture::crash<all>(on, &first_life);
  on.version = "2";
  std::vector<cairn::recorded_handler> asked;
  const auto by_hook = refusal<all>(on, [&](const cairn::recorded_handler& what) {
    asked.push_back(what);
    return what.type == "versions::boss" ? version_answer::rerun : version_answer::refuse;
  });
  REQUIRE_FALSE(asked.empty());
  CHECK(asked.back().actor == "one");
  CHECK(asked.back().type == "versions::worker");
  CHECK(asked.back().message == "versions::work");
  CHECK(asked.back().recorded == "1");
  CHECK(asked.back().present == "2");
  CHECK(by_hook.first == errc::newer_schema);
  CHECK(by_hook.second.find("actor one (versions::worker) was suspended in a handler of "
                            "versions::work by program version \"1\"") != std::string::npos);
  CHECK(refusal<all>(on, {}).first == errc::newer_schema);
}

cairn::task<int> whole_life(cairn::root& root, const fixture::hand_clock* clock) {
  const int code = co_await first_life(root);
  clock->advance(2h);  // the handler ends before the program does
  co_await root.checkpoint();
  co_return code;
}

TEST_CASE("after an orderly end another version goes on, and nobody is asked") {
  bench on;
  fixture::finish<all>(on, [&](cairn::root& root) { return whole_life(root, &on.clock); });
  int asked = 0;
  const auto found = take_over<changed, second>(on, [&](const cairn::recorded_handler&) {
    ++asked;
    return version_answer::refuse;
  });
  CHECK(asked == 0);
  CHECK(found.one == 1107);
  CHECK(found.heard == "1103");
}

TEST_CASE("a handler of another version is run again where the program says so") {
  bench on;
  fixture::crash<all>(on, &first_life);
  const auto found = take_over<all, first>(on, answer(version_answer::rerun));
  CHECK(found.one == 1107);
  CHECK(found.other == 57);
  CHECK(found.heard == "1103");
}

TEST_CASE("a handler of another version is given up: its message, its turns' changes, its answer") {
  bench on;
  fixture::crash<all>(on, &first_life);
  const auto found = take_over<all, first>(on, answer(version_answer::abandon));
  INFO(on.told.text());
  CHECK(found.one == 7);     // 1 and 2 before it were run again, 4 came after it
  CHECK(found.other == 57);  // what the handler had told stands
  CHECK(found.heard == "failed");
  const auto letters = on.told.of(event_kind::dead_letter, "one");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.message == "versions::work");
  CHECK(letters[0].letter.payload.size() == 1 + 8 + 10);  // "a long one"
  CHECK(letters[0].letter.code == errc::failed);
  CHECK(raw(letters[0].letter.at) == 3);
  CHECK(on.told.count(event_kind::given_up, "one") == 1);
  // It is over: nobody is asked any more.
  const auto later = take_over<all, first>(on, answer(version_answer::refuse));
  CHECK(later.one == 7);
  CHECK(later.heard == "failed");
}

cairn::task<int> declare_nothing(cairn::root& root) {
  co_await root.checkpoint();
  co_return 0;
}

TEST_CASE("what is decided of a handler stays decided over the crash of who has not declared it") {
  bench on;
  fixture::crash<all>(on, &first_life);
  on.version = "2";
  {
    auto chosen = on.options();
    chosen.other_version = answer(version_answer::abandon);
    fixture::crash<all>(std::move(chosen), &declare_nothing);
  }
  const auto found = take_over<all, first>(on, answer(version_answer::refuse));
  CHECK(found.one == 7);
  CHECK(found.heard == "failed");
}

TEST_CASE("a handler of a retired message can be given up, and is refused else") {
  using without = cairn::actors<third, boss, cairn::retired<"versions::work">>;
  bench on;
  fixture::crash<all>(on, &first_life);
  on.version = "2";
  const auto refused = refusal<without>(on, answer(version_answer::rerun));
  CHECK(refused.first == errc::unknown_type);
  CHECK(refused.second.find("\"versions::work\"") != std::string::npos);
  const auto found = take_over<without, third>(on, answer(version_answer::abandon));
  CHECK(found.one == 7);
  CHECK(found.heard == "failed");
  const auto letters = on.told.of(event_kind::dead_letter, "one");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.message == "versions::work");
}

TEST_CASE("where what ended before cannot be run again alike, the actor is refused by name") {
  bench on;
  fixture::crash<all>(on, &first_life);
  for (const auto what : {version_answer::rerun, version_answer::abandon}) {
    const std::string text = failure<changed, second>(on, answer(what));
    INFO(text);
    CHECK(text.find("actor one (versions::worker) could not be restored: at position 1 it had 1 "
                    "effects and now has 2") != std::string::npos);
  }
}

/// A handler goes another way at start, in a process of this version.
struct stray {
  bench on{};
  std::vector<cairn::recorded_handler> asked{};
  std::string end{};
  outcome found{};

  explicit stray(version_answer says) {
    fixture::crash<all>(on, &first_life);
    strange = true;
    live([&](cairn::root& root) { return next_life<first>(root, &on.clock, &found); }, says);
  }
  ~stray() { strange = false; }
  void live(const cairn::application& app, version_answer says) {
    auto chosen = on.options();
    chosen.other_version = [this, says](const cairn::recorded_handler& what) {
      asked.push_back(what);
      return says;
    };
    cairn::system<all> running{std::move(chosen)};
    fixture::outcome how;
    running.start([&](cairn::root& top) { return fixture::watched(&app, &top, &how); });
    running.wait();
    fixture::note_failure(running, how);
    end = how.text;
  }
};

TEST_CASE("a handler that goes another way at start ends it, and the program is asked before") {
  stray was{GENERATE(version_answer::refuse, version_answer::rerun)};
  CHECK(was.end.find("actor one (versions::worker) could not be restored: at position 3 it had 1 "
                     "effects and now has 1") != std::string::npos);
  REQUIRE(was.asked.size() == 1);
  CHECK(was.asked[0].actor == "one");
  CHECK(was.asked[0].message == "versions::work");
  CHECK(was.asked[0].present == "1");
  CHECK(was.asked[0].differs.find("at position 3 it had 1 effects") == 0);
  CHECK(was.on.told.count(event_kind::given_up) == 0);
}

TEST_CASE("a handler that goes another way at start can be given up") {
  stray was{version_answer::abandon};
  CHECK(was.end.empty());
  CHECK(was.found.one == 7);
  CHECK(was.found.other == 57);
  CHECK(was.found.heard == "failed");
  CHECK(was.on.told.count(event_kind::given_up, "one") == 1);
  const auto letters = was.on.told.of(event_kind::dead_letter, "one");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.message == "versions::work");
  CHECK(letters[0].letter.payload.size() > 10);
  CHECK(letters[0].what.text.find("run again, its handler diverged: at position 3") !=
        std::string::npos);
  was.live([&](cairn::root& root) { return next_life<first>(root, &was.on.clock, &was.found); },
           version_answer::refuse);
  CHECK(was.end.empty());
  CHECK(was.asked.size() == 1);
  CHECK(was.found.one == 7);
}

TEST_CASE("an actor whose handler goes another way at start can be suspended, and resumed later") {
  stray was{version_answer::suspend_actor};
  CHECK(was.found.other == 0);  // who asks the suspended one is refused
  REQUIRE(was.on.told.count(event_kind::suspended, "one") == 1);
  CHECK(was.on.told.of(event_kind::suspended, "one")[0].what.text.find(
            "replay diverged: at position 3") == 0);
  CHECK(was.on.told.count(event_kind::dead_letter) == 0);
  strange = false;
  int sum = 0;
  was.live(
      [&](cairn::root& top) {
        return [](cairn::root& root, int* to) -> cairn::task<int> {
          const auto door = root.supervise("top");
          const auto one = door.spawn<first>("one");
          (void)door.spawn<first>("other");
          root.resume(one);
          *to = co_await one.ask<show>();
          co_return 0;
        }(top, &sum);
      },
      version_answer::refuse);
  CHECK(was.end.empty());
  CHECK(sum == 1107);
}

}  // namespace versions
