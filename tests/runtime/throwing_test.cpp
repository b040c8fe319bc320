// What users wrote may throw wherever cairn calls it, and anything: it is a failure of one actor.
#include "fixture.hpp"

namespace throwing {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;

/// What throws, in the order of its calls; 0: nothing.
enum class where { nowhere, copy, save, load, construct };
std::atomic<where> bad{where::nowhere};
std::atomic<int> good_calls{0};  // so many before it throws

void call(where here) {
  if (bad != here || good_calls-- > 0) return;
  throw 42;  // no std::exception
}

struct parcel {
  std::string text{};

  parcel() = default;
  explicit parcel(std::string given) : text{std::move(given)} {}
  parcel(const parcel& other) : text{other.text} { call(where::copy); }
  parcel(parcel&&) = default;
  parcel& operator=(parcel&&) = default;
  void save(auto& ar) const {
    call(where::save);
    ar(text);
  }
  void load(auto& ar) {
    ar(text);
    call(where::load);
  }
};
/// Cannot be copied, so it is encoded for a replay.
struct letter {
  std::unique_ptr<int> value{};

  void save(auto& ar) const {
    call(where::save);
    ar(value ? *value : 0);
  }
  void load(auto& ar) {
    int read = 0;
    ar(read);
    value = std::make_unique<int>(read);
  }
};
struct fail {};
struct fetch {};
struct count {};

struct clerk {
  using protocol = cairn::protocol<parcel, letter, fail, fetch, count>;
  parcel last{};
  int handled = 0;
  cairn::ref<clerk> other{};
  void serialize(auto& ar) { ar(last, handled, other); }

  void on(parcel what) {
    ++handled;
    if (what.text == "fail") throw std::runtime_error{"it does"};
  }
  void on(letter) { ++handled; }
  void on(fail) { throw std::runtime_error{"it does"}; }
  cairn::task<int> on(count) {
    if (other) {
      auto got = co_await other.ask<fetch>().as_result();
      if (!got) co_return -static_cast<int>(got.code());
    }
    co_return handled;
  }
  parcel on(fetch) { return parcel{"fetched"}; }
};

struct visitor {
  using protocol = cairn::protocol<fail, count>;
  using persistence = cairn::ephemeral;
  visitor() { call(where::construct); }
  void on(fail) { throw std::runtime_error{"it does"}; }
  int on(count) { return 7; }
};

using all = cairn::actors<clerk, visitor>;

struct found {
  std::vector<int> answers{};
};

/// `M` goes wrong at `it`; the others, and where it says so `it` too, go on.
template <class A, class M, class... Args>
cairn::task<int> disturb(cairn::root& root, found* to, where what, int calls, Args... args) {
  auto top = root.supervise("top");
  auto it = top.spawn<A>("it");
  auto calm = top.spawn<clerk>("calm");
  to->answers.push_back(co_await it.template ask<count>());
  good_calls = calls;
  bad = what;
  it.template tell<M>(args...);
  auto after = co_await it.template ask<count>().as_result();
  bad = where::nowhere;
  to->answers.push_back(after ? *after : -static_cast<int>(after.code()));
  root.resume(it);
  to->answers.push_back(co_await it.template ask<count>());
  to->answers.push_back(co_await calm.ask<count>());
  co_await root.checkpoint();
  co_return 0;
}

template <class A, class M, class... Args>
std::vector<int> disturbed(bench& on, where what, int calls, Args... args) {
  bad = where::nowhere;
  found answers;
  fixture::crash<all>(
      on, [&](cairn::root& root) { return disturb<A, M>(root, &answers, what, calls, args...); });
  return answers.answers;
}

constexpr int failed = -static_cast<int>(errc::failed);

}  // namespace throwing

TEST_CASE("a message that cannot be copied for a replay becomes a dead letter") {
  using namespace throwing;
  bench on;
  SECTION("its copy throws") {
    CHECK(disturbed<clerk, parcel>(on, where::copy, 0, std::string{"a"}) ==
          std::vector<int>{0, 0, 0, 0});
  }
  SECTION("it is encoded, and its serialize throws") {
    // The base needs no encoding: it stands since the question before.
    CHECK(disturbed<clerk, letter>(on, where::save, 0) == std::vector<int>{0, 0, 0, 0});
  }
  INFO(on.told.text());
  const auto dead = on.told.of(event_kind::dead_letter, "it");
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].letter.code == errc::misuse);
  CHECK(dead[0].letter.text.find("could not be copied for a replay") != std::string::npos);
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("a message that cannot be copied again is given up without a second try") {
  using namespace throwing;
  bench on;
  CHECK(disturbed<clerk, parcel>(on, where::copy, 1, std::string{"fail"}) ==
        std::vector<int>{0, 0, 0, 0});
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::failed, "it") == 1);
  CHECK(on.told.count(event_kind::given_up, "it") == 1);
  const auto dead = on.told.of(event_kind::dead_letter, "it");
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].letter.code == errc::failed);
}

TEST_CASE("an answer that cannot be copied for a replay is a failure of its ask") {
  using namespace throwing;
  bad = where::nowhere;
  bench on;
  found answers;
  fixture::crash<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top_task, found* to) -> cairn::task<int> {
      auto top = top_task.supervise("top");
      auto other = top.spawn<clerk>("other");
      auto it = top.spawn<clerk>("it", parcel{}, 3, other);
      good_calls = 0;
      bad = where::copy;
      to->answers.push_back(co_await it.ask<count>());
      bad = where::nowhere;
      to->answers.push_back(co_await it.ask<count>());
      co_return 0;
    }(root, &answers);
  });
  INFO(on.told.text());
  CHECK(answers.answers == std::vector<int>{failed, 3});
}

TEST_CASE("what throws while an actor is restarted suspends that actor alone") {
  using namespace throwing;
  bench on;
  SECTION("the state's load") {
    const auto got = disturbed<clerk, fail>(on, where::load, 0);
    CHECK(got[1] == failed);
    CHECK(got.back() == 0);
  }
  SECTION("an ephemeral actor's constructor; who resumes it tries again") {
    CHECK(disturbed<visitor, fail>(on, where::construct, 0) == std::vector<int>{7, failed, 7, 0});
  }
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended, "it") >= 1);
  CHECK(on.told.count(event_kind::suspended, "calm") == 0);
}

TEST_CASE("a serialize that throws what is no std::exception suspends its actor alone") {
  using namespace throwing;
  bench on;
  found answers;
  bad = where::nowhere;
  fixture::crash<all>(on, [&](cairn::root& root) {
    return [](cairn::root& top_task, found* to) -> cairn::task<int> {
      auto top = top_task.supervise("top");
      auto it = top.spawn<clerk>("it");
      auto calm = top.spawn<visitor>("calm");
      (void)co_await it.ask<count>();
      good_calls = 0;
      bad = where::save;
      co_await top_task.checkpoint();
      auto after = co_await it.ask<count>().as_result();
      to->answers.push_back(after ? *after : -static_cast<int>(after.code()));
      to->answers.push_back(co_await calm.ask<count>());
      bad = where::nowhere;
      top_task.resume(it);
      to->answers.push_back(co_await it.ask<count>());
      it.stop();
      bad = where::save;
      it.tell<parcel>("late");  // its dead letter has no payload
      co_await top_task.checkpoint();
      bad = where::nowhere;
      co_return 0;
    }(root, &answers);
  });
  INFO(on.told.text());
  CHECK(answers.answers == std::vector<int>{failed, 7, 0});
  CHECK(on.told.count(event_kind::suspended, "it") == 1);
  const auto dead = on.told.of(event_kind::dead_letter, "it");
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].letter.payload.empty());
}

namespace throwing {

struct work {};
struct worked {};

int starts_to_fail = 0;
fixture::faults planned;

/// What its `on_start` asks for leads nowhere, and must not move what its handlers are given.
struct opener {
  using protocol = cairn::protocol<work, worked>;
  std::string name{};
  int done = 0;
  void serialize(auto& ar) { ar(name, done); }

  void on_start(cairn::context<opener>& self) {
    self.send_after<worked>(std::chrono::hours{1});
    (void)self.sleep(std::chrono::hours{1});
    if (starts_to_fail > 0 && starts_to_fail-- > 0) throw std::runtime_error{""};
  }
  cairn::task<int> on(work, cairn::context<opener>& self) {
    for (int at = 1; at <= 3; ++at) {
      co_await self.sleep(std::chrono::nanoseconds{0});
      planned.check(at);
      ++done;
    }
    co_return done;
  }
  int on(worked) const { return done; }
};

}  // namespace throwing

TEST_CASE("what on_start asks for does not disturb the replay of suspended handlers") {
  using namespace throwing;
  planned.clear();
  planned.plan(1, 1);
  planned.plan(2, 1);
  planned.plan(3, 1);
  bench on;
  int done = 0;
  fixture::crash<cairn::actors<opener>>(on, [&](cairn::root& root) {
    return [](cairn::root& top_task, int* to) -> cairn::task<int> {
      auto it = top_task.supervise("top").spawn<opener>("it");
      auto answer = it.ask<work>();
      *to = co_await std::move(answer);
      co_return 0;
    }(root, &done);
  });
  INFO(on.told.text());
  CHECK(done == 3);
  CHECK(on.told.count(event_kind::restarted, "it") == 3);
  CHECK(on.told.count(event_kind::diverged) == 0);
}

TEST_CASE("an on_start that throws without a text has failed") {
  using namespace throwing;
  planned.clear();
  starts_to_fail = 7;  // two tries before each restart that counts, and one is too many
  bench on;
  fixture::crash<cairn::actors<opener>>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top").spawn<opener>("it");
    auto answer = co_await it.ask<worked>().as_result();
    CHECK(answer.code() == errc::failed);
    root.resume(it);
    const int after = co_await it.ask<worked>();
    CHECK(after == 0);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::failed, "it") == 7);
  CHECK(on.told.count(event_kind::suspended, "it") == 1);
}
