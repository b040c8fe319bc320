// A probe and what few actors do: births that ask, answers in another order, full mailboxes, hooks.
#include <cairn/testing/probe.hpp>

#include <string>

#include "../catch.hpp"
#include "bank.hpp"

namespace odd {

using namespace std::chrono_literals;

struct name {};
struct greet {};
struct fill {};
struct spin {};
struct look {};

struct child;

struct parent {
  using protocol = cairn::protocol<name, greet>;
  std::string diary{};
  void serialize(auto& ar) { ar(diary); }
  std::string on(name) const { return "parent"; }
  void on(greet, cairn::context<parent>& self);
};

/// Asks for its parent's name when it is born, and starts after that.
struct child {
  using protocol = cairn::protocol<name, greet>;
  cairn::ref<parent> of{};
  std::string diary{};
  int starts = 0;
  void serialize(auto& ar) { ar(of, diary); }
  cairn::task<> on_birth(cairn::context<child>&) {
    diary += "born;";
    auto called = co_await of.ask<name>();
    diary += called + ";";
  }
  void on_start(cairn::context<child>&) { ++starts; }
  std::string on(name) const { return diary; }
  void on(greet) { diary += "greeted;"; }
};

void parent::on(greet, cairn::context<parent>& self) {
  self.spawn<child>("child", self.ref()).tell<greet>();
}
/// Has room for one.
struct cup {
  using protocol = cairn::protocol<look>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 1};
  int seen = 0;
  void serialize(auto& ar) { ar(seen); }
  int on(look) { return ++seen; }
};
struct both {
  cairn::ref<cup> one{};
  cairn::ref<cup> two{};
  void serialize(auto& ar) { ar(one, two); }
};
struct filler {
  using protocol = cairn::protocol<fill, spin, both>;
  cairn::ref<cup> into{};
  int sent = 0;
  int commits = 0;
  void serialize(auto& ar) { ar(into, sent, commits); }
  cairn::task<> on(fill) {
    for (int each = 0; each < 2; ++each) {
      co_await into.send<look>();
      ++sent;
    }
  }
  cairn::task<> on(spin, cairn::context<filler>& self) {
    for (;;) co_await self.sleep(0s);
  }
  cairn::task<int> on(both of) {
    auto one = of.one.ask<look>();
    auto two = of.two.ask<look>();
    const int second = co_await std::move(two);
    const int first = co_await std::move(one);
    co_return 10 * first + second;
  }
  void on_commit(cairn::epoch) { ++commits; }
};

using probe = cairn::testing::probe<cairn::actors<parent, child, cup, filler>>;

}  // namespace odd

using cairn::errc;
using cairn::testing::from;

TEST_CASE("a child is born and started before it is given what waits") {
  odd::probe p;
  const auto parent = p.spawn<odd::parent>("parent");
  p.inject<odd::greet>(parent);
  const auto child = p.find<odd::child>("parent/child");
  CHECK(p.state(child).diary == "born;");
  CHECK(p.state(child).starts == 0);
  CHECK_FALSE(p.allow<odd::greet>(child));  // it waits for its parent's name
  p.expect<odd::name>(from(child).to(parent));
  p.fail_next(child);
  p.expect<std::string>(from(parent).to(child));
  CHECK(p.state(child).diary == "born;parent;");
  CHECK(p.state(child).starts == 1);
  p.expect<odd::greet>(from(parent).to(child));
  CHECK(p.ask<odd::name>(child) == "born;parent;greeted;");
  p.checkpoint();
  p.restart();
  CHECK(p.state(p.find<odd::child>("parent/child")).starts == 1);
}

TEST_CASE("a failure is no text, though it has one") {
  odd::probe p;
  const auto parent = p.spawn<odd::parent>("parent");
  const auto child = p.spawn<odd::child>("child", odd::child{parent});
  p.fail_next(parent, 2);
  p.expect<odd::name>(parent);
  CHECK_FALSE(p.allow<std::string>(child));
  p.expect<cairn::failure>(child);  // its birth fails
  CHECK(p.state(child).diary == "born;");
  CHECK(p.waiting() == "nothing waits");
}

TEST_CASE("what waits stays hidden from an actor that starts") {
  odd::probe p;
  const auto parent = p.spawn<odd::parent>("parent");
  (void)p.spawn<odd::child>("child", odd::child{parent});
  p.run();
  p.find<odd::child>("child").tell<odd::greet>();
  p.checkpoint();
  p.restart();
  const auto child = p.find<odd::child>("child");
  CHECK(p.state(child).starts == 1);
  CHECK(p.state(child).diary == "born;parent;");
  p.expect<odd::greet>(child);
  CHECK(p.state(child).diary == "born;parent;greeted;");
}

TEST_CASE("the test decides in which order asks are answered") {
  odd::probe p;
  const auto one = p.spawn<odd::cup>("one");
  const auto two = p.spawn<odd::cup>("two", odd::cup{5});
  const auto filler = p.spawn<odd::filler>("filler");
  auto all = p.inject<odd::both>(filler, one, two);
  p.expect<odd::look>(two);
  p.expect<odd::look>(one);
  CHECK_FALSE(p.allow<int>(from(one).to(filler), [](int seen) { return seen == 6; }));
  p.expect<int>(from(one).to(filler));  // not yet awaited: kept
  CHECK_FALSE(all.arrived());
  p.fail_next(filler);
  p.expect<int>(from(two).to(filler));
  CHECK(all.value() == 16);
}

TEST_CASE("an answer that is not delivered in time comes too late") {
  odd::probe p;
  const auto one = p.spawn<odd::cup>("one");
  const auto two = p.spawn<odd::cup>("two");
  const auto filler = p.spawn<odd::filler>("filler");
  auto all = p.inject<odd::both>(filler, one, two);
  p.expect<odd::look>(one);
  p.expect<odd::look>(two);
  CHECK(p.waits<int>(from(one).to(filler)));
  p.advance(std::chrono::seconds{5});
  CHECK(all.code() == errc::failed);
  CHECK(p.waiting() == "nothing waits");
}

TEST_CASE("a full mailbox is full for a probe too") {
  odd::probe p;
  const auto cup = p.spawn<odd::cup>("cup");
  const auto filler = p.spawn<odd::filler>("filler", odd::filler{cup});
  cup.tell<odd::look>();
  CHECK(p.inject<odd::look>(cup).code() == errc::mailbox_full);
  auto filled = p.inject<odd::fill>(filler);
  CHECK(p.state(filler).sent == 0);
  p.expect<odd::look>(cup);  // makes room
  p.expect<void>(from(cup).to(filler));
  CHECK(p.state(filler).sent == 1);
  CHECK(p.run() == 3);
  CHECK(filled.arrived());
  CHECK(p.state(cup).seen == 3);
}

TEST_CASE("a commit is told at once") {
  odd::probe p;
  const auto filler = p.spawn<odd::filler>("filler");
  p.checkpoint();
  CHECK(p.state(filler).commits == 1);
  CHECK(p.waiting() == "nothing waits");
}

TEST_CASE("a handler that never ends by itself is told of") {
  odd::probe p{{.most_steps = 1000}};
  const auto filler = p.spawn<odd::filler>("filler");
  CHECK(bank::failure_of([&] { p.inject<odd::spin>(filler); }) ==
        "handlers that wait for nobody do not end; waiting:\n"
        "  filler, in its handler of odd::spin, which awaits sleep: nothing");
}

TEST_CASE("a restart that cannot open its store leaves a probe that says so") {
  bool open = true;
  odd::probe p{{.configure = [&](cairn::options&) {
    if (!open) throw cairn::error{errc::locked, "locked"};
  }}};
  const auto cup = p.spawn<odd::cup>("cup");
  open = false;
  CHECK_THROWS_AS(p.restart(), cairn::error);
  CHECK(bank::failure_of([&] { p.run(); }) == "nothing runs: restart() has failed");
  CHECK(bank::failure_of([&] { (void)p.find<odd::cup>("cup"); }) ==
        "nothing runs: restart() has failed");
  CHECK(bank::failure_of([&] { (void)p.lives(cup); }) == "nothing runs: restart() has failed");
}
