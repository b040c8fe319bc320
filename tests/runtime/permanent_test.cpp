// A permanent child of a group that stops itself, or whose failure stops it.
#include <cairn/supervisor.hpp>

#include <stdexcept>

#include "supervising.hpp"

namespace permanents {

using namespace tending;

/// Of whom the second one is permanent, and begins with 5.
struct group {
  cairn::supervisor door{};
  cairn::ref<member> a{}, p{}, c{};
};
inline group spawn_group(cairn::root& root, const cairn::supervisor_options& rules) {
  group made;
  made.door = root.supervise("top", rules);
  made.a = made.door.spawn<member>("a", "a");
  made.p = made.door.with({.restart = cairn::permanent}).spawn<member>("p", "p", 5);
  made.c = made.door.spawn<member>("c", "c");
  return made;
}
using fixture::come_to_rest;
/// In the order of their spawn.
inline cairn::task<std::string> codes(group of) {
  std::string found;
  const std::vector<cairn::ref<member>> all_of{of.a, of.p, of.c};
  for (const auto& each : all_of) {
    auto asked = each.ask<look>().as_result();
    const auto answer = co_await std::move(asked);
    found += answer ? std::to_string(*answer) + " " : std::string{to_string(answer.code())} + " ";
  }
  co_return found;
}
inline std::vector<std::string> names(const bench& on, event_kind kind) {
  std::vector<std::string> found;
  for (const auto& each : on.told.of(kind)) found.push_back(each.what.name);
  return found;
}

TEST_CASE("a permanent child of a group whose failure stops it is not brought back") {
  planned.plan(-2, 1);
  bench on;
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  const auto rules = cairn::supervisor_options{.strategy = strategy, .intensity = {.restarts = 0}}
                         .on<std::runtime_error>(cairn::stop);
  fixture::crash<all>(on, [&](cairn::root& top) {
    return [](cairn::root& root, cairn::supervisor_options how) -> cairn::task<int> {
      const group of = spawn_group(root, how);
      of.p.tell<work>(1);
      co_await come_to_rest(root);
      done.clear();
      of.p.tell<work>(-2);
      of.p.tell<work>(10);
      co_await come_to_rest(root);
      const std::string now = co_await codes(of);
      CHECK(now == "0 stopped 0 ");
      co_return 0;
    }(top, rules);
  });
  INFO(on.told.text());
  CHECK(names(on, event_kind::stopped) == std::vector<std::string>{"p"});
  CHECK(on.told.of(event_kind::stopped, "p").at(0).what.text == "fault -2");
  CHECK(on.told.count(event_kind::restarted) == 0);
  CHECK(done.lines() == std::vector<std::string>{"end p"});
}

TEST_CASE("what a permanent child of a group stops itself for counts for the group, over a crash") {
  bench on;
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  const cairn::supervisor_options rules{.strategy = strategy,
                                        .intensity = {.restarts = 1, .within = 1h}};
  const auto end_once = [](cairn::root& root, cairn::supervisor_options how,
                           std::string expected) -> cairn::task<int> {
    const group of = spawn_group(root, how);
    of.p.tell<work>(1);
    of.p.tell<end>();
    co_await come_to_rest(root);
    const std::string now = co_await codes(of);
    CHECK(now == expected);
    co_await root.checkpoint();
    co_return 0;
  };
  fixture::crash<all>(on, [&](cairn::root& top) { return end_once(top, rules, "0 5 0 "); });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::suspended) == 0);
  fixture::crash<all>(
      on, [&](cairn::root& top) { return end_once(top, rules, "failed failed failed "); });
  CHECK(names(on, event_kind::suspended) == std::vector<std::string>{"a", "p", "c"});
  CHECK(on.told.of(event_kind::suspended, "c").at(0).what.text ==
        "more restarts than 1 below top; the last failure: it stopped itself: of its own");
}

}  // namespace permanents
