// What the next process makes of what the one before has said of its actors.
#include <optional>

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

TEST_CASE("what a program says of a child holds over a rollback") {
  using namespace next_run;
  bench on;
  int begun = 0;
  errc found{};
  fixture::crash<all>(on, [&](cairn::root& root) { return go_back_once(root, &begun, &found); });
  CHECK(begun == 2);
  CHECK(found == errc::ok);
}
