// What the next process makes of what the one before has said of its actors, and done to them.
#include <optional>
#include <stdexcept>

#include "supervising.hpp"

namespace next_run {

using namespace tending;

using said = std::optional<cairn::child_options>;

cairn::ref<member> spawn_it(const cairn::supervisor& door, const said& what) {
  return what ? door.with(*what).spawn<member>("it", "it") : door.spawn<member>("it", "it");
}

cairn::task<int> only_spawn(cairn::root& root, said what) {
  (void)spawn_it(root.supervise("top"), what);
  co_await root.checkpoint();
  co_return 0;
}

/// Whether it is there again once it has stopped itself. `late`: it is awake when it is spawned.
cairn::task<int> end_it(cairn::root& root, said what, bool late, errc* to) {
  auto door = root.supervise("top");
  if (late) co_await root.checkpoint();
  auto it = spawn_it(door, what);
  it.tell<end>();
  auto left = co_await it.ask<look>().as_result();
  *to = left.code();
  co_return 0;
}

errc end_of(const said& first, const said& second, bool late = false) {
  bench on;
  errc found{};
  fixture::crash<all>(on, [&](cairn::root& root) { return only_spawn(root, first); });
  fixture::crash<all>(on, [&](cairn::root& root) { return end_it(root, second, late, &found); });
  return found;
}

/// Busy, so that what is said of it waits.
cairn::task<int> say_behind_a_nap(cairn::root& root, said what, bool begins) {
  auto it = spawn_it(root.supervise("top"), what);
  if (begins) it.tell<nap>(1);
  co_await root.sleep(0ns);
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> go_back_once(cairn::root& root, int* begun, errc* to) {
  auto it = spawn_it(root.supervise("top"), cairn::child_options{.restart = cairn::permanent});
  if (++*begun == 1) {
    co_await root.checkpoint();
    co_await root.rollback();
  }
  it.tell<end>();
  auto left = co_await it.ask<look>().as_result();
  *to = left.code();
  co_return 0;
}

cairn::supervisor_options suspending() {
  return cairn::supervisor_options{}.on<std::runtime_error>(cairn::suspend);
}

/// All of them fail.
cairn::task<int> suspend_all_of(cairn::root& root, int count) {
  auto door = root.supervise("top", suspending());
  for (int at = 0; at < count; ++at) {
    const auto name = std::to_string(at);
    auto one = door.spawn<member>(name, name);
    one.tell<work>(5);
    auto none = co_await one.ask<look>().as_result();
    CHECK(none.code() == errc::failed);
  }
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> resume_first(cairn::root& root) {
  auto one = root.supervise("top", suspending()).spawn<member>("0", "0");
  root.resume(one);
  const int sum = co_await one.ask<look>();
  CHECK(sum == 5);
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> nothing(cairn::root&) { co_return 0; }

}  // namespace next_run

TEST_CASE("what a program says of a child holds for its own run") {
  using namespace next_run;
  const cairn::child_options permanent{.restart = cairn::permanent};
  CHECK(end_of(permanent, permanent) == errc::ok);
  CHECK(end_of(permanent, {}) == errc::stopped);
  CHECK(end_of(permanent, {}, true) == errc::stopped);
  CHECK(end_of(permanent, cairn::child_options{.restart = cairn::temporary}) == errc::stopped);
  CHECK(end_of({}, {}) == errc::stopped);
}

TEST_CASE("what an earlier run has said, and the child has not heard yet, does not hold either") {
  using namespace next_run;
  const cairn::child_options permanent{.restart = cairn::permanent};
  bench on;
  errc found{};
  fixture::crash<all>(on, [](cairn::root& root) { return say_behind_a_nap(root, {}, true); });
  fixture::crash<all>(on,
                      [&](cairn::root& root) { return say_behind_a_nap(root, permanent, false); });
  fixture::crash<all>(on, [&](cairn::root& root) {
    on.clock.advance(2h);  // the nap ends
    return end_it(root, {}, false, &found);
  });
  CHECK(found == errc::stopped);
}

TEST_CASE("what a program says of a child holds over a rollback") {
  using namespace next_run;
  bench on;
  int begun = 0;
  errc found{};
  fixture::crash<all>(on, [&](cairn::root& root) { return go_back_once(root, &begun, &found); });
  CHECK(begun == 2);
  CHECK(found == errc::ok);
}

TEST_CASE("who comes back suspended is named, until it is resumed") {
  using namespace next_run;
  bench on;
  planned.plan(5, 1000);
  fixture::crash<all>(on, [](cairn::root& root) { return suspend_all_of(root, 1); });
  planned.clear();
  const auto told = [&] { return on.told.of(event_kind::restored).back().what.text; };
  fixture::crash<all>(on, [](cairn::root& root) { return resume_first(root); });
  CHECK(told().starts_with("2 actors, 1 of them suspended (0), "));
  CHECK(on.told.count(event_kind::suspended) == 1);  // not once more
  fixture::crash<all>(on, [](cairn::root& root) { return nothing(root); });
  CHECK(told().starts_with("2 actors, 0 of them suspended, "));
}

TEST_CASE("of many that come back suspended some are named, and all are counted") {
  using namespace next_run;
  bench on;
  planned.plan(5, 1000);
  fixture::crash<all>(on, [](cairn::root& root) { return suspend_all_of(root, 11); });
  planned.clear();
  fixture::crash<all>(on, [](cairn::root& root) { return nothing(root); });
  const auto text = on.told.of(event_kind::restored).back().what.text;
  CHECK(text.starts_with("12 actors, 11 of them suspended (0, 1, "));
  CHECK(text.find(", …), ") != std::string_view::npos);
}
