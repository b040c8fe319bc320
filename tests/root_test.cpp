// The process dies and the next one goes on: what a program finds again, and what it may refuse.
#include <cairn/root.hpp>

#include "runtime/fixture.hpp"

namespace recovering {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

std::vector<std::string> seen;

struct put {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct later {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct grow {
  int depth = 0;
  void serialize(auto& ar) { ar(depth); }
};
struct ask_echo {};
struct watch_it {};
struct stop_it {};
struct show {};
struct say {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};

/// Takes an hour to answer.
struct echo {
  using protocol = cairn::protocol<say>;
  using persistence = cairn::ephemeral;
  cairn::task<int> on(say what, cairn::context<echo>& self) {
    co_await self.sleep(1h);
    co_return what.value;
  }
};

struct tree {
  using protocol =
      cairn::protocol<put, later, grow, ask_echo, watch_it, stop_it, show, say, cairn::stopped>;
  std::string diary{};
  cairn::ref<tree> child{};
  cairn::ref<echo> voice{};
  void serialize(auto& ar) { ar(diary, child, voice); }

  void on(put what) { diary += std::to_string(what.value) + ";"; }
  void on(later what, cairn::context<tree>& self) { self.send_after<put>(1h, what.value); }
  void on(grow what, cairn::context<tree>& self) {
    child = self.spawn<tree>("child");
    child.tell<put>(what.depth);
    if (what.depth > 0) child.tell<grow>(what.depth - 1);
  }
  cairn::task<void> on(ask_echo, cairn::context<tree>& self) {
    voice = self.spawn<echo>("voice");
    auto answer = co_await voice.ask<say>(5).as_result();
    diary += (answer ? "answer" : std::string{to_string(answer.code())}) + ";";
  }
  void on(watch_it, cairn::context<tree>& self) { self.watch(child); }
  void on(stop_it) { child.stop("enough"); }
  void on(say what) { voice.tell<say>(what.value); }
  void on(cairn::stopped what) {
    diary += "stopped " + what.reason + (what.id == child.id() ? " child;" : " other;");
  }
  cairn::task<std::string> on(show) {
    std::string all = diary;
    if (child) {
      auto below = co_await child.ask<show>().as_result();
      all += "[" + (below ? *below : std::string{to_string(below.code())}) + "]";
    }
    co_return all;
  }
};

using all = cairn::actors<tree, echo>;

cairn::ref<tree> top_of(cairn::root& root) { return root.supervise("top").spawn<tree>("it"); }

template <class M, class... Args>
fixture::outcome first_run(bench& on, Args... args) {
  seen.clear();
  return fixture::crash<all>(on, [=](cairn::root& root) {
    return [](cairn::root& top, Args... with) -> cairn::task<int> {
      auto it = top_of(top);
      it.template tell<M>(with...);
      for (int at = 0; at < 3; ++at) co_await top.checkpoint();
      it.template tell<put>(99);  // lost: no commit follows
      co_return 0;
    }(root, args...);
  });
}
template <class M>
cairn::task<int> then(cairn::root& root, const fixture::hand_clock* clock, bool send) {
  auto it = top_of(root);
  if (send) it.template tell<M>();
  co_await root.checkpoint();
  clock->advance(2h);
  co_await root.checkpoint();
  seen.push_back(co_await it.ask<show>());
  co_return 0;
}
template <class M = show>
fixture::outcome next_run(bench& on, bool send = false) {
  return fixture::crash<all>(
      on, [&on, send](cairn::root& root) { return then<M>(root, &on.clock, send); });
}

TEST_CASE("actors spawned at run time come back with their states and names") {
  bench on;
  first_run<grow>(on, 3);
  const auto how = next_run(on);
  CHECK(how.restored.actors == 6);  // the supervisor, the top one and four below
  CHECK(seen == std::vector<std::string>{"[3;[2;[1;[0;]]]]"});
}

TEST_CASE("a message sent for later arrives once over a crash") {
  bench on;
  first_run<later>(on, 7);
  const auto how = next_run(on);
  CHECK(how.restored.timers == 1);
  next_run(on);
  CHECK(seen == std::vector<std::string>{"7;", "7;"});
}

TEST_CASE("an ask that waits for an ephemeral actor ends with interrupted over a crash") {
  bench on;
  first_run<ask_echo>(on);
  next_run(on);
  CHECK(seen == std::vector<std::string>{"interrupted;"});
}

TEST_CASE("a ref to who did not survive leads to a dead letter") {
  bench on;
  first_run<ask_echo>(on);
  seen.clear();
  next_run<say>(on, true);
  CHECK(seen == std::vector<std::string>{"interrupted;"});
  const auto letters = on.told.of(event_kind::dead_letter);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.message == "recovering::say");
}

TEST_CASE("a watch holds over a crash, and who was stopped stays stopped") {
  bench on;
  first_run<grow>(on, 0);
  next_run<watch_it>(on, true);
  seen.clear();
  next_run<stop_it>(on, true);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0] == "stopped enough child;[stopped]");
  fixture::finish<all>(on, [&](cairn::root& root) { return then<show>(root, &on.clock, false); });
  const auto how = next_run(on);
  CHECK(seen[2] == "stopped enough child;[stopped]");
  CHECK(how.restored.actors == 2);
}

TEST_CASE("what the program has not declared stays as it is, over further epochs") {
  bench on;
  first_run<grow>(on, 1);
  for (int run = 0; run < 2; ++run) {
    fixture::finish<all>(on, [](cairn::root& root) {
      return [](cairn::root& top) -> cairn::task<int> {
        auto other = top.supervise("other").spawn<tree>("else");
        other.tell<put>(1);
        co_await top.checkpoint();
        co_await top.checkpoint();
        co_return 0;
      }(root);
    });
  }
  CHECK(on.told.count(event_kind::undeclared) >= 1);
  seen.clear();
  next_run(on);
  CHECK(seen == std::vector<std::string>{"[1;[0;]]"});
}

template <class Actors>
std::string refusal(bench& on) {
  try {
    cairn::system<Actors> never{on.options()};
  } catch (const cairn::error& why) {
    return std::string{to_string(why.code())} + ": " + why.what();
  }
  return "none";
}

/// The same actor, of a program that knows less of it.
struct changed {
  using protocol = cairn::protocol<later>;
  void serialize(auto& ar) {
    std::string diary;
    cairn::ref<echo> one, two;
    ar(diary, one, two);
  }
  void on(later) {}
};

}  // namespace recovering

template <>
inline constexpr std::string_view cairn::type_name<recovering::changed> = "recovering::tree";

namespace recovering {

TEST_CASE("an unknown type or a changed program stops the start by name, the store unchanged") {
  bench on;
  first_run<ask_echo>(on);
  const std::string type = refusal<cairn::actors<echo>>(on);
  INFO(type);
  CHECK(type.find("unknown_type: ") == 0);
  CHECK(type.find("recovering::tree") != std::string::npos);
  const std::string message = refusal<cairn::actors<echo, changed>>(on);
  INFO(message);
  CHECK(message.find("unknown_type: ") == 0);
  CHECK(message.find("recovering::tree") != std::string::npos);
  CHECK(message.find("recovering::ask_echo") != std::string::npos);
  on.version = "2";
  const std::string version = refusal<all>(on);
  INFO(version);
  CHECK(version.find("newer_schema: ") == 0);
  CHECK(version.find("recovering::tree") != std::string::npos);
  CHECK(version.find("\"2\"") != std::string::npos);
  on.version = "1";
  next_run(on);
  CHECK(seen == std::vector<std::string>{"interrupted;"});
}

cairn::task<int> keep_and_remove(cairn::root& root, cairn::memory_store copy,
                                 cairn::memory_store never) {
  auto it = top_of(root);
  it.tell<put>(1);
  co_await root.savepoint("before");
  for (int at = 0; at < 10; ++at) {
    it.tell<put>(at);
    co_await root.checkpoint();
  }
  co_await root.clone("before", copy);
  co_await root.remove_savepoint("before");
  const auto again = co_await root.remove_savepoint("before").as_result();
  CHECK(again.code() == cairn::errc::not_found);
  const auto gone = co_await root.clone("before", never).as_result();
  CHECK(gone.code() == cairn::errc::not_found);
  co_return 0;
}

TEST_CASE("a savepoint is kept as it was, until it is removed") {
  bench on;
  bench other;
  seen.clear();
  fixture::crash<all>(
      on, [&](cairn::root& root) { return keep_and_remove(root, other.store, bench{}.store); });
  next_run(on);
  next_run(other);  // begins from the savepoint
  CHECK(seen == std::vector<std::string>{"1;0;1;2;3;4;5;6;7;8;9;", "1;"});
  bool named = false;
  for (const auto& each : on.store.open({.read_only = true}).snapshots) named |= !each.name.empty();
  CHECK_FALSE(named);
}

}  // namespace recovering
