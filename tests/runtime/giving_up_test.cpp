// Messages that cannot be given up, because nothing could be kept of what came before them.
#include <atomic>
#include <cstdint>

#include "fixture.hpp"

namespace giving_up {

using cairn::event_kind;
using fixture::bench;

fixture::faults planned;
std::atomic<bool> refuses{false};

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct slow {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct twice {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct report {};

struct doubler {
  using protocol = cairn::protocol<twice>;
  int asked = 0;
  void serialize(auto& ar) { ar(asked); }
  int on(twice what) {
    ++asked;
    return 2 * what.value;
  }
};

/// Its state does not serialize from a failure until somebody mends it.
struct brittle {
  using protocol = cairn::protocol<add, slow, report>;
  std::int64_t total = 0;
  cairn::ref<doubler> helper{};
  void save(auto& ar) const {
    if (refuses) throw std::runtime_error{"no words for it"};
    ar(total, helper);
  }
  void load(auto& ar) { ar(total, helper); }

  void on(add what) {
    total += what.value;
    refuses = refuses || what.value == 2;
    planned.check(what.value);
  }
  cairn::task<> on(slow what) {
    const int twice_that = co_await helper.ask<twice>(what.value);
    total += twice_that;
    refuses = true;
    planned.check(what.value);
  }
  std::int64_t on(report) const { return total; }
};

}  // namespace giving_up

TEST_CASE("a message whose state does not serialize when it is given up is not given up") {
  // Found by the simulation's workload "moods", seed 28: the system ended.
  using namespace giving_up;
  planned.plan(2, 2);
  planned.plan(30, 2);
  bench on;
  fixture::crash<cairn::actors<brittle, doubler>>(on, [](cairn::root& top) -> cairn::task<int> {
    auto all = top.supervise("all");
    auto helper = all.spawn<doubler>("helper");
    auto one = all.spawn<brittle>("one", brittle{.helper = helper});
    one.tell<add>(1);
    for (int round = 0; round < 2; ++round) {
      round == 0 ? one.tell<add>(2) : one.tell<slow>(30);
      while (!refuses) (void)co_await helper.ask<twice>(0);
      auto asked = one.ask<report>().as_result();
      const auto told = co_await std::move(asked);
      CHECK(told.code() == cairn::errc::failed);
      refuses = false;
      top.resume(one);
    }
    const auto total = co_await one.ask<report>();
    CHECK(total == 1 + 2 + 60);
    co_return 0;
  });
  CHECK(on.told.count(event_kind::given_up) == 0);
  CHECK(on.told.count(event_kind::suspended, "one") == 2);
}
