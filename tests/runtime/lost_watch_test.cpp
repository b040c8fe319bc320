// Who watches an ephemeral actor hears of its end, once, also where it was lost with the process.
#include "fixture.hpp"

namespace losing {

using fixture::bench;
using namespace std::chrono_literals;

struct look {};
struct nap {};
struct wake {};
struct open_desk {
  int count = 0;
  void serialize(auto& ar) { ar(count); }
};
struct watch {};
struct unwatch {};
struct close_desk {};

struct desk {
  using protocol = cairn::protocol<look>;
  using persistence = cairn::ephemeral;
  int on(look) const { return 1; }
};

/// Watches ephemeral actors, and writes down what it hears of them.
struct keeper {
  using protocol =
      cairn::protocol<open_desk, watch, unwatch, close_desk, nap, wake, look, cairn::stopped>;
  std::vector<cairn::ref<desk>> all{};
  std::string heard{};
  void serialize(auto& ar) { ar(all, heard); }

  void on(open_desk what, cairn::context<keeper>& self) {
    for (int at = 0; at < what.count; ++at) {
      all.push_back(self.spawn<desk>("desk " + std::to_string(all.size())));
      self.watch(all.back());
    }
  }
  void on(watch, cairn::context<keeper>& self) { self.watch(all.back()); }
  void on(unwatch, cairn::context<keeper>& self) { self.unwatch(all.back()); }
  void on(close_desk) { all.back().stop("closed"); }
  /// What comes meanwhile waits.
  cairn::task<> on(nap, cairn::context<keeper>& self) {
    self.watch(self.spawn<desk>("of the night"));
    co_await self.sleep(1h);
  }
  void on(wake) {}
  void on(cairn::stopped what) { heard += what.reason + ";"; }
  std::string on(look) const { return heard; }
};

using all = cairn::actors<keeper, desk>;
constexpr const char* lost = "lost in a restart of the process;";

cairn::ref<keeper> keeper_of(cairn::root& root) {
  return root.supervise("top").spawn<keeper>("keeper");
}

/// Who waits for what the actors have sent each other until now.
cairn::task<void> settle(cairn::root& root) {
  for (int at = 0; at < 20; ++at) co_await root.sleep(0ns);  // a step of the only worker each
}

/// Runs `first` until it has committed, and dies. What the next process hears, and the one after.
std::string heard_after(bench& on, const std::function<void(cairn::ref<keeper>)>& first) {
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto it = keeper_of(root);
    first(it);
    co_await settle(root);
    co_await root.checkpoint();
    co_return 0;
  });
  std::string heard;
  for (int again = 0; again < 2; ++again) {
    fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
      auto it = keeper_of(root);
      on.clock.advance(2h);  // whoever naps wakes
      co_await settle(root);
      heard = co_await it.ask<look>();
      co_await root.checkpoint();
      co_return 0;
    });
  }
  return heard;
}

TEST_CASE("the end of a watched ephemeral actor that died with the process is told once") {
  bench on;
  SECTION("of each") {
    const auto heard = heard_after(on, [](auto it) { it.template tell<open_desk>(2); });
    CHECK(heard == std::string{lost} + lost);
  }
  SECTION("that was watched twice") {
    const auto heard = heard_after(on, [](auto it) {
      it.template tell<open_desk>(1);
      it.template tell<watch>();
    });
    CHECK(heard == lost);
  }
  SECTION("not where it is not watched any more") {
    const auto heard = heard_after(on, [](auto it) {
      it.template tell<open_desk>(2);
      it.template tell<unwatch>();
    });
    CHECK(heard == lost);
  }
  SECTION("that a suspended handler watches") {
    CHECK(heard_after(on, [](auto it) { it.template tell<nap>(); }) == lost);
  }
}

TEST_CASE("the end of a watched ephemeral actor that had stopped before a crash is told once") {
  bench on;
  SECTION("and was told of before") {
    const auto heard = heard_after(on, [](auto it) {
      it.template tell<open_desk>(1);
      it.template tell<close_desk>();
    });
    CHECK(heard == "closed;");
  }
  SECTION("and the notice was in flight") {
    std::string heard = heard_after(on, [](auto it) {
      it.template tell<open_desk>(1);
      it.template tell<close_desk>();
      it.template tell<nap>();
    });
    CHECK(heard == std::string{"closed;"} + lost);  // the desk of the night
  }
}

TEST_CASE("a lost watch waits for its watcher over two crashes") {
  bench on;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    keeper_of(root).tell<open_desk>(1);
    co_await settle(root);
    co_await root.checkpoint();
    co_return 0;
  });
  for (int again = 0; again < 2; ++again) {  // the watcher is not declared
    fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
      co_await root.checkpoint();
      co_return 0;
    });
  }
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto it = keeper_of(root);
    const std::string heard = co_await it.ask<look>();
    CHECK(heard == lost);
    co_return 0;
  });
}

TEST_CASE("the end of a watched ephemeral actor that a rollback took is told") {
  bench on;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto it = keeper_of(root);
    if (root.restored()) {
      const std::string heard = co_await it.ask<look>();
      CHECK(heard == "lost in a rollback;");
      co_return 0;
    }
    it.tell<open_desk>(1);
    co_await settle(root);
    co_await root.checkpoint();
    co_await root.rollback();
    co_return 1;
  });
}

}  // namespace losing
