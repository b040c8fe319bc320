// What a supervisor decides about an exception, by its type.
#include <cairn/supervisor.hpp>

#include <new>
#include <stdexcept>
#include <string>

#include "fixture.hpp"

namespace deciding {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct work {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct late {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct look {};

int calls = 0;  // of the failing turn

void fail(int value) {
  if (value < 0) ++calls;
  if (value == -1) throw std::out_of_range{"an error in logic"};
  if (value == -2) throw std::bad_alloc{};
  if (value == -3) throw std::runtime_error{"an error at run time"};
  if (value == -4) throw 4;
}

struct keeper {
  using protocol = cairn::protocol<work, late, look>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on(work what) {
    sum += what.value;
    fail(what.value);
  }
  cairn::task<> on(late what, cairn::context<keeper>& self) {
    co_await self.sleep(0ns);
    sum += what.value;
    fail(what.value);
  }
  int on(look) const { return sum; }
};
struct fleeting {
  using protocol = cairn::protocol<work, look>;
  using persistence = cairn::ephemeral;
  int sum = 0;
  void on(work what) {
    sum += what.value;
    fail(what.value);
  }
  int on(look) const { return sum; }
};

using all = cairn::actors<keeper, fleeting>;

cairn::supervisor_options rules() {
  return cairn::supervisor_options{.intensity = {.restarts = 1, .within = 1h}, .attempts = 2}
      .on<std::bad_alloc>(cairn::stop)
      .on<std::logic_error>(cairn::resume)
      .on<int>(cairn::suspend);
}

struct outcome {
  int calls = 0;
  std::string sum{};  ///< or why there is no answer
};

template <class A, class M>
cairn::task<int> fail_once(cairn::root& root, int value, outcome* to) {
  auto it = root.supervise("top", rules()).spawn<A>("it");
  it.template tell<work>(5);
  it.template tell<M>(value);
  it.template tell<work>(2);
  for (int at = 0; at < 50; ++at) co_await root.sleep(0ns);  // a step of the only worker each
  const auto sum = co_await it.template ask<look>().as_result();
  to->sum = sum ? std::to_string(*sum) : std::string{to_string(sum.code())};
  co_await root.checkpoint();
  co_return 0;
}

template <class A, class M = work>
outcome after(bench& on, int value) {
  calls = 0;
  outcome found;
  fixture::crash<all>(on, [&](cairn::root& root) { return fail_once<A, M>(root, value, &found); });
  found.calls = calls;
  return found;
}

template <class M>
void check_persistent() {
  bench on;
  SECTION("the first rule that fits counts, also for what derives from its type") {
    const auto found = after<keeper, M>(on, -1);
    CHECK(found.calls == 1);  // resumed: not tried again
    CHECK(found.sum == "7");
    CHECK(on.told.count(event_kind::restarted) == 0);
    CHECK(on.told.count(event_kind::dead_letter, "it") == 1);
  }
  SECTION("stop") {
    const auto found = after<keeper, M>(on, -2);
    CHECK(found.calls == 1);
    CHECK(found.sum == "stopped");
    CHECK(on.told.count(event_kind::stopped, "it") == 1);
    CHECK(on.told.count(event_kind::dead_letter) == 3);  // its message, and the two behind
    const auto again =
        fixture::crash<all>(on, [](cairn::root&) -> cairn::task<int> { co_return 0; });
    CHECK(again.restored.actors ==
          2);  // the supervisor, and who keeps the letter  // the supervisor
  }
  SECTION("no rule fits: restart, and tried as often as declared") {
    const auto found = after<keeper, M>(on, -3);
    CHECK(found.calls == 3);
    CHECK(found.sum == "7");
    CHECK(on.told.count(event_kind::restarted, "it") == 2);
  }
  SECTION("suspend, for what is no std::exception") {
    const auto found = after<keeper, M>(on, -4);
    CHECK(found.calls == 1);
    CHECK(found.sum == "failed");
    CHECK(on.told.count(event_kind::suspended, "it") == 1);
  }
}

TEST_CASE("a supervisor decides by the type of the exception") { check_persistent<work>(); }
TEST_CASE("and so it does where a handler throws after it was suspended") {
  check_persistent<late>();
}

TEST_CASE("resumed failures do not count as restarts") {
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top", rules()).spawn<keeper>("it");
    for (int at = 0; at < 10; ++at) it.tell<work>(-1);
    it.tell<work>(3);
    const int sum = co_await it.ask<look>();
    CHECK(sum == 3);
    co_return 0;
  });
  CHECK(on.told.count(event_kind::suspended) == 0);
}

TEST_CASE("an ephemeral actor resumes as the failing turn left it, and restarts afresh") {
  bench on;
  CHECK(after<fleeting>(on, -1).sum == "6");
  CHECK(after<fleeting>(on, -3).sum == "2");
  CHECK(after<fleeting>(on, -2).sum == "stopped");
  CHECK(after<fleeting>(on, -4).sum == "failed");
}

}  // namespace deciding
