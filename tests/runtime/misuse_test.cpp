// What belongs to another actor cannot be used, and an answer not twice: that is a failure of the
// actor that tries, told like any other, and nobody else is hurt.
#include <optional>
#include <thread>

#include "fixture.hpp"

namespace misused {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct ask_it {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct lend {};
struct use {};
struct give_back {};
struct steal_answer {};
struct steal_context {};
struct steal_root {};
struct twice {};
struct twice_as_result {};
struct task_twice {};
struct moved_task {};
struct empty_task {};
struct ask_oneself {};
struct send_oneself {};
struct total {};

struct helper {
  using protocol = cairn::protocol<ask_it>;
  int asked = 0;
  void serialize(auto& ar) { ar(asked); }
  int on(ask_it what) { return ++asked, 10 * what.value; }
};

struct owner;
std::optional<cairn::asking<int>> lent;  // the only worker's
cairn::context<owner>* lent_context = nullptr;
cairn::root* lent_root = nullptr;

[[nodiscard]] std::string text_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const cairn::error& why) {
    return why.what();
  }
  return "nothing";
}

/// Lets others have what they must not use.
struct owner {
  using protocol = cairn::protocol<lend, use, give_back>;
  cairn::ref<helper> of{};
  int used = 0;
  void serialize(auto& ar) { ar(of, used); }
  void on(lend, cairn::context<owner>& self) {
    lent.emplace(of.ask<ask_it>(1));
    lent_context = &self;
  }
  cairn::task<int> on(use) {
    used += co_await of.ask<ask_it>(1);
    co_return used;
  }
  void on(give_back) {
    lent.reset();
    lent_context = nullptr;
  }
};

[[nodiscard]] errc code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const cairn::error& why) {
    return why.code();
  }
  return errc::ok;
}

cairn::task<int> ask_of(cairn::ref<helper> of) { co_return co_await of.ask<ask_it>(1); }

struct thief {
  using protocol =
      cairn::protocol<steal_answer, steal_context, steal_root, twice, twice_as_result, task_twice,
                      moved_task, empty_task, ask_oneself, send_oneself, ask_it, total>;
  cairn::ref<helper> of{};
  int sum = 0;
  void serialize(auto& ar) { ar(of, sum); }

  cairn::task<void> on(steal_answer) {
    sum += 1000;
    sum += co_await std::move(*lent);
  }
  void on(steal_context) {
    sum += 1000;
    lent_context->stop();
  }
  void on(steal_root) {
    sum += 1000;
    (void)lent_root->checkpoint();
  }
  cairn::task<int> on(twice) {
    auto answer = of.ask<ask_it>(1);
    sum += co_await std::move(answer);
    co_return co_await std::move(answer);
  }
  cairn::task<void> on(twice_as_result) {
    auto answer = of.ask<ask_it>(1).as_result();
    sum += (co_await std::move(answer)).value_or(0);
    sum += (co_await std::move(answer)).value_or(1000);
  }
  cairn::task<int> on(task_twice) {
    auto part = ask_of(of);
    sum += co_await std::move(part);
    co_return co_await std::move(part);
  }
  cairn::task<int> on(empty_task) {
    sum += 1000;
    auto part = ask_of(of);
    const auto elsewhere = std::move(part);
    return part;
  }
  cairn::task<int> on(moved_task) {
    sum += 1000;
    auto part = ask_of(of);
    const auto elsewhere = std::move(part);
    co_return co_await std::move(part);
  }
  cairn::task<void> on(ask_oneself, cairn::context<thief>& self) {
    sum += 1000;
    sum += co_await self.ref().ask<total>();
  }
  cairn::task<void> on(send_oneself, cairn::context<thief>& self) {
    sum += 1000;
    co_await self.ref().send<ask_it>(1);
  }
  void on(ask_it what) { sum += what.value; }
  int on(total) const { return sum; }
};

using all = cairn::actors<helper, owner, thief>;

struct findings {
  std::vector<errc> codes{};
  std::vector<std::string> texts{};
  std::vector<int> sums{};
};

/// The thief's `M` fails; its other messages are handled, and the owner goes on.
template <class M>
cairn::task<int> try_it(cairn::root& root, findings* to) {
  auto top = root.supervise("top");
  auto of = top.spawn<helper>("helper");
  auto honest = top.spawn<owner>("owner", owner{.of = of});
  auto it = top.spawn<thief>("thief", thief{.of = of});
  lent_root = &root;
  co_await honest.ask<lend>();
  it.tell<ask_it>(1);
  auto bad = it.ask<M>();
  it.tell<ask_it>(2);
  auto ended = co_await std::move(bad).as_result();
  to->codes.push_back(ended.code());
  if (!ended) to->texts.push_back(ended.why().text);
  to->sums.push_back(co_await it.ask<total>());
  to->sums.push_back(co_await honest.ask<use>());
  co_await honest.ask<give_back>();
  co_await root.checkpoint();
  co_return 0;
}

template <class M>
void check_failure(const std::string& says, int sum) {
  bench on;
  findings found;
  fixture::crash<all>(on, [&](cairn::root& root) { return try_it<M>(root, &found); });
  INFO(on.told.text());
  CHECK(found.codes == std::vector<errc>{errc::failed});
  REQUIRE(found.texts.size() == 1);
  CHECK(found.texts[0].find(says) != std::string::npos);
  CHECK(found.sums == std::vector<int>{sum, 10});
  CHECK(on.told.count(event_kind::failed) == 2);  // and once more in its retry
  CHECK(on.told.count(event_kind::failed, "thief") == 2);
  CHECK(on.told.count(event_kind::given_up, "thief") == 1);
  CHECK(on.told.count(event_kind::dead_letter) == 1);
  CHECK(on.told.count(event_kind::suspended) == 0);
  CHECK(on.told.count(event_kind::diverged) == 0);
  CHECK(on.told.count(event_kind::stopped) == 0);
}

TEST_CASE("misuse is a failure of who commits it, and of nobody else") {
  SECTION("another actor's answer") {
    check_failure<steal_answer>("by another actor than the one that asked", 3);
  }
  SECTION("another actor's context") {
    check_failure<steal_context>("a context is used by another actor", 3);
  }
  SECTION("the root task's door") {
    check_failure<steal_root>("a context is used by another actor", 3);
  }
  SECTION("an answer, twice") {
    check_failure<twice>("an answer is awaited twice", 3);
    check_failure<twice_as_result>("an answer is awaited twice", 3);
  }
  SECTION("a task, twice, or where it is no more") {
    check_failure<task_twice>("a task is awaited twice", 3);
    check_failure<moved_task>("a task is awaited twice, or after it was moved away", 3);
    check_failure<empty_task>("a handler returns a task that was moved away", 3);
  }
  SECTION("asking oneself, or waiting for room there") {
    check_failure<ask_oneself>("an actor asks itself", 3);
    check_failure<send_oneself>("an actor asks itself", 3);
  }
}

struct try_nobody {};

/// Has a ref that names nobody.
struct lonely {
  using protocol = cairn::protocol<try_nobody, cairn::stopped>;
  cairn::ref<helper> nobody{};
  void serialize(auto& ar) { ar(nobody); }
  std::vector<std::string> on(try_nobody, cairn::context<lonely>& self) {
    return {text_of([&] { nobody.tell<ask_it>(1); }), text_of([&] { (void)nobody.ask<ask_it>(1); }),
            text_of([&] { nobody.stop(); }),          text_of([&] { self.watch(nobody); }),
            text_of([&] { self.unwatch(nobody); }),   text_of([&] { self.resume(nobody); })};
  }
  void on(cairn::stopped) {}
};

TEST_CASE("whoever is given an empty ref says so") {
  bench on;
  using with_lonely = cairn::actors<helper, lonely>;
  std::vector<std::string> texts;
  fixture::crash<with_lonely>(on, [&](cairn::root& top) {
    return [](cairn::root& root, std::vector<std::string>* to) -> cairn::task<int> {
      auto it = root.supervise("top").spawn<lonely>("it");
      *to = co_await it.ask<try_nobody>();
      to->push_back(text_of([&] { root.resume(cairn::ref<helper>{}); }));
      co_return 0;
    }(top, &texts);
  });
  CHECK(texts == std::vector<std::string>(7, "a message to an empty ref"));
}

/// Everything that a context offers.
cairn::task<int> everything(cairn::root& root, std::vector<errc>* to) {
  auto top = root.supervise("top");
  auto of = top.spawn<helper>("helper");
  auto honest = top.spawn<owner>("owner", owner{.of = of});
  co_await honest.ask<lend>();
  auto& other = *lent_context;
  const std::vector<std::function<void()>> calls{
      [&] { other.stop(); },
      [&] { (void)other.now(); },
      [&] { (void)other.random(); },
      [&] { (void)other.epoch(); },
      [&] { (void)other.replaying(); },
      [&] { (void)other.sleep(1h); },
      [&] { (void)other.run("nothing", [] {}); },
      [&] { (void)other.spawn<helper>("child"); },
      [&] { other.send_after<lend>(1h); },
      [&] { other.unwatch(of); },
      [&] { other.stop_child("child"); },
      [&] { (void)lent->await_ready(); },
  };
  for (const auto& each : calls) to->push_back(code_of(each));
  std::thread{[&] {
    for (const auto& each : calls) to->push_back(code_of(each));
  }}.join();
  to->push_back((co_await honest.ask<use>().as_result()).code());
  co_await honest.ask<give_back>();
  co_return 0;
}

TEST_CASE("nothing of a context can be used by another actor, or by a thread outside") {
  bench on;
  std::vector<errc> codes;
  fixture::crash<all>(on, [&](cairn::root& root) { return everything(root, &codes); });
  REQUIRE(codes.size() == 2 * 12 + 1);
  for (std::size_t at = 0; at + 1 < codes.size(); ++at) {
    INFO("call " << at % 12);
    CHECK(codes[at] == errc::misuse);
  }
  CHECK(codes.back() == errc::ok);
  CHECK(on.told.count(event_kind::failed) == 0);
}

}  // namespace misused
