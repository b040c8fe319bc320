// An ordinary actor stops once its children have: in reverse, each in the time that it has.
#include <cairn/supervisor.hpp>

#include <string>
#include <vector>

#include "supervising.hpp"

namespace stopping {

using namespace tending;

struct grow {};
struct part {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};

/// Has three children, one of which has children of its own.
struct parent {
  using protocol = cairn::protocol<grow, part, end, look>;
  std::string name{};
  cairn::ref<member> b{};
  cairn::ref<member> c{};
  int looked = 0;
  void serialize(auto& ar) { ar(name, b, c, looked); }
  void on(grow, cairn::context<parent>& self) {
    self.spawn<member>("a", "a");
    b = self.with({.shutdown = 2s}).spawn<member>("b", "b");
    c = self.with({.shutdown = 0s}).spawn<member>("c", "c");
    auto inner = self.spawn<parent>("inner", "inner");
    inner.tell<part>(2);
  }
  void on(part what, cairn::context<parent>& self) {
    for (int at = 0; at < what.value; ++at) {
      const std::string called = "part" + std::to_string(at);
      self.spawn<member>(called, called);
    }
  }
  void on(end, cairn::context<parent>& self) { self.stop("of its own"); }
  int on(look) { return ++looked; }
  void on_stop(cairn::stop_reason why) {
    if (why == cairn::stop_reason::stopped) done.add("stop " + name);
  }
};

/// The same, kept nowhere.
struct passing {
  using protocol = cairn::protocol<grow, end, look>;
  using persistence = cairn::ephemeral;
  void on(grow, cairn::context<passing>& self) {
    self.spawn<fleeting>("one");
    self.spawn<fleeting>("two");
    self.spawn<fleeting>("three");
  }
  void on(end, cairn::context<passing>& self) { self.stop("of its own"); }
  int on(look) const { return 1; }
};

using family = cairn::actors<member, parent, fleeting, passing>;

template <class A>
cairn::task<> until_stopped(cairn::ref<A> whom) {
  for (;;) {
    auto there = co_await whom.template ask<look>().as_result();
    if (there.code() == errc::stopped) co_return;
  }
}

std::vector<std::string> stopped(const bench& on) {
  std::vector<std::string> names;
  for (const auto& each : on.told.of(event_kind::stopped)) names.push_back(each.what.name);
  return names;
}

using names = std::vector<std::string>;
const names whole{"part1", "part0", "inner", "c", "b", "a", "it"};

struct world {
  cairn::ref<parent> it{};
  cairn::ref<member> b{};
  cairn::ref<member> c{};
};
/// A family, all of which is there.
cairn::task<world> move_in(cairn::root* root, bool naps) {
  auto it = root->supervise("top").spawn<parent>("it", "it");
  it.tell<grow>();
  (void)co_await it.ask<look>();
  co_await root->checkpoint();  // all is quiet
  world made{it, cairn::detail::held<parent>(*it.where().where).state.b,
             cairn::detail::held<parent>(*it.where().where).state.c};
  if (naps) {
    made.b.tell<nap>(1);
    made.c.tell<nap>(1);
  }
  co_await root->checkpoint();
  co_return made;
}

}  // namespace stopping

TEST_CASE("an actor's children stop in reverse, those below them first, and then it stops") {
  using namespace stopping;
  bench on;
  on.workers = GENERATE(1U, 3U);
  const bool by_itself = GENERATE(false, true);
  done.clear();
  fixture::crash<family>(on, [&](cairn::root& top) {
    return [](cairn::root& root, bool itself) -> cairn::task<int> {
      const world of = co_await move_in(&root, false);
      itself ? of.it.tell<end>() : of.it.stop("told so");
      co_await until_stopped(of.it);
      co_return 0;
    }(top, by_itself);
  });
  INFO(on.told.text());
  CHECK(stopped(on) == whole);
  CHECK(on.told.of(event_kind::stopped, "it").front().what.text ==
        (by_itself ? "of its own" : "told so"));
  CHECK(on.told.of(event_kind::stopped, "a").front().what.text == "its parent stopped");
}

TEST_CASE("each child has its own time to stop, and no more") {
  using namespace stopping;
  bench on;
  fixture::crash<family>(on, [&](cairn::root& top) {
    return [](cairn::root& root, bench* with) -> cairn::task<int> {
      const world of = co_await move_in(&root, true);
      auto watched = root.supervise("other").spawn<member>("idle", "idle");
      of.it.tell<end>();
      for (int at = 0; at < 20; ++at) (void)co_await watched.ask<look>();
      CHECK(stopped(*with) == names{"part1", "part0", "inner", "c"});  // it had no time at all
      with->clock.advance(2s - 1ns);
      for (int at = 0; at < 20; ++at) (void)co_await watched.ask<look>();
      CHECK(stopped(*with).size() == 4);
      with->clock.advance(1ns);
      co_await until_stopped(of.it);
      co_return 0;
    }(top, &on);
  });
  INFO(on.told.text());
  CHECK(stopped(on) == whole);
  CHECK(on.told.of(event_kind::stopped, "b").front().what.text ==
        "its parent stopped; it had not stopped in time");
}

TEST_CASE("a crash while children stop does not change who stops, nor when") {
  using namespace stopping;
  bench on;
  fixture::crash<family>(on, [&](cairn::root& top) {
    return [](cairn::root& root) -> cairn::task<int> {
      const world of = co_await move_in(&root, true);
      of.it.tell<end>();
      co_await root.checkpoint();
      co_await root.checkpoint();
      co_return 0;
    }(top);
  });
  CHECK(stopped(on) == names{"part1", "part0", "inner", "c"});
  fixture::crash<family>(on, [&](cairn::root& top) {
    return [](cairn::root& root, bench* with) -> cairn::task<int> {
      auto it = root.supervise("top").spawn<parent>("it", "it");
      auto idle = root.supervise("other").spawn<member>("idle", "idle");
      co_await root.checkpoint();  // all are awake
      for (int at = 0; at < 20; ++at) (void)co_await idle.ask<look>();
      CHECK(stopped(*with).size() == 4);
      with->clock.advance(2s);
      co_await until_stopped(it);
      co_return 0;
    }(top, &on);
  });
  INFO(on.told.text());
  CHECK(stopped(on) == whole);
}

TEST_CASE("what a child was given is kept: its time, after a crash, too") {
  using namespace stopping;
  bench on;
  fixture::crash<family>(on, [&](cairn::root& top) {
    return [](cairn::root& root) -> cairn::task<int> {
      (void)co_await move_in(&root, true);
      co_return 0;
    }(top);
  });
  fixture::crash<family>(on, [&](cairn::root& top) {
    return [](cairn::root& root, bench* with) -> cairn::task<int> {
      auto it = root.supervise("top").spawn<parent>("it", "it");
      auto idle = root.supervise("other").spawn<member>("idle", "idle");
      (void)co_await it.ask<look>();  // all are awake
      it.stop();
      for (int at = 0; at < 20; ++at) (void)co_await idle.ask<look>();
      CHECK(stopped(*with) == names{"part1", "part0", "inner", "c"});
      with->clock.advance(2s);
      co_await until_stopped(it);
      co_return 0;
    }(top, &on);
  });
  CHECK(stopped(on) == whole);
}

TEST_CASE("an ephemeral actor's children stop in reverse, too") {
  using namespace stopping;
  bench on;
  fixture::crash<family>(on, [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top").spawn<passing>("it");
    it.tell<grow>();
    it.tell<end>();
    co_await until_stopped(it);
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(stopped(on) == names{"three", "two", "one", "it"});
}

TEST_CASE("more children than a handler's record may hold stop at once") {
  using namespace stopping;
  bench on;
  auto chosen = on.options();
  chosen.max_history = 1024;
  fixture::crash<family>(std::move(chosen), [](cairn::root& root) -> cairn::task<int> {
    auto it = root.supervise("top").spawn<parent>("it", "it");
    it.tell<part>(5);
    it.tell<end>();
    co_await until_stopped(it);
    co_await root.checkpoint();
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(stopped(on).size() == 6);
  CHECK(stopped(on).front() == "it");
}
