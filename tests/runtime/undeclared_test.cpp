// A supervisor below another that the next program does not declare: it sleeps, and holds up
// nobody.
#include <cairn/supervisor.hpp>

#include "supervising.hpp"

namespace undeclared {

using namespace tending;

const cairn::supervisor_options whole_house{.strategy = cairn::one_for_all};

cairn::task<int> with_room(cairn::root& root) {
  auto house = root.supervise("house", whole_house);
  auto near = house.spawn<member>("near", "near");
  near.tell<work>(1);
  auto far = house.supervise("room").spawn<member>("far", "far");
  far.tell<work>(1);
  (void)co_await far.ask<look>();
  (void)co_await near.ask<look>();
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> without_room(cairn::root& root, bench* with) {
  auto house = root.supervise("house", whole_house);
  auto near = house.spawn<member>("near", "near");
  near.tell<work>(-2);
  const int sum = co_await near.ask<look>();  // once the group has been restarted
  CHECK(sum == -1);
  CHECK(with->told.count(event_kind::restarted, "far") == 0);
  house.stop();
  auto gone = co_await near.ask<look>().as_result();
  while (gone) gone = co_await near.ask<look>().as_result();  // first it is not yet told
  CHECK(gone.code() == errc::stopped);
  const auto has_stopped = [&](const char* who) {
    return with->told.count(event_kind::stopped, who) != 0;
  };
  while (!has_stopped("house") || !has_stopped("room") || !has_stopped("far")) {
    co_await root.checkpoint();
  }
  co_return 0;
}

TEST_CASE("a supervisor that is not declared again neither holds up the group nor outlives it") {
  planned.plan(-2, 1);
  bench on;
  fixture::crash<all>(on, &with_room);
  fixture::crash<all>(on, [&](cairn::root& root) { return without_room(root, &on); });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::undeclared, "room") == 1);
  CHECK(on.told.count(event_kind::restarted, "near") == 1);
  // Their places are free.
  fixture::crash<all>(on, &with_room);
}

}  // namespace undeclared
