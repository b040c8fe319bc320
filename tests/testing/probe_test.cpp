// Every verb of a probe, what it says where it fails, and its misuse.
#include <cairn/testing/probe.hpp>

#include <memory>
#include <string>

#include "../catch.hpp"
#include "bank.hpp"

namespace probe_tests {

using namespace bank;
using cairn::errc;
using cairn::event_kind;
using cairn::testing::from;
using cairn::testing::from_outside;
using cairn::testing::to;

TEST_CASE("an injected message is handled when inject returns") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{5});
  p.inject<deposit>(alice, 100);
  CHECK(p.state(alice).cents == 105);
  CHECK(p.ask<balance>(alice) == 105);
  const auto left = p.inject<withdraw>(alice, 5);
  CHECK(left.arrived());
  CHECK(left.code() == errc::ok);
  CHECK(left.value() == 100);
  p.ask<deposit>(alice, 1);
  CHECK(p.waiting() == "nothing waits");
}

TEST_CASE("what actors send each other waits until the test delivers it") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{50});
  const auto bob = p.spawn<account>("bob");
  const auto tina = p.spawn<teller>("tina");
  auto done = p.inject<transfer>(tina, alice, bob, 30);
  CHECK_FALSE(done.arrived());
  CHECK(p.state(alice).cents == 50);

  p.expect<withdraw>(from(tina).to(alice), [](const withdraw& what) { return what.cents == 30; });
  CHECK(p.state(alice).cents == 20);
  CHECK(p.state(tina).diary == "born;transfer;");

  p.expect<std::int64_t>(from(alice).to(tina), [](std::int64_t left) { return left == 20; });
  CHECK(p.state(tina).diary == "born;transfer;left 20;");
  CHECK(p.state(bob).cents == 0);
  CHECK(p.waits<deposit>(bob));

  p.expect<deposit>(bob);
  CHECK_FALSE(done.arrived());
  p.expect<void>(from(bob).to(tina));
  CHECK(done.value());
  CHECK(p.waiting() == "nothing waits");
}

TEST_CASE("the test decides which sender came first, and nothing else") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  const auto one = p.spawn<teller>("one");
  const auto two = p.spawn<teller>("two");
  p.inject<pay>(one, alice, 1);
  p.inject<pay>(one, alice, 2);
  p.inject<pay>(two, alice, 10);
  alice.tell<deposit>(100);
  const auto is = [](std::int64_t cents) {
    return [cents](const deposit& what) { return what.cents == cents; };
  };
  CHECK_FALSE(p.allow<deposit>(from(one).to(alice), is(2)));  // it comes after the first
  p.expect<deposit>(from(two).to(alice), is(10));
  CHECK(p.state(alice).cents == 10);
  p.expect<deposit>(from_outside().to(alice), is(100));
  p.expect<deposit>(from(one).to(alice), is(1));
  p.expect<deposit>(to(alice), is(2));
  CHECK(p.state(alice).cents == 113);
}

TEST_CASE("an injected message comes before what waits") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  const auto tina = p.spawn<teller>("tina");
  p.inject<pay>(tina, alice, 10);
  CHECK(p.ask<balance>(alice) == 0);
  p.expect<deposit>(from(tina).to(alice));
  CHECK(p.ask<balance>(alice) == 10);
}

TEST_CASE("a stop waits for what was sent before it, and then for nothing") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  const auto tina = p.spawn<teller>("tina");
  p.inject<pay>(tina, alice, 10);
  alice.stop();
  alice.tell<deposit>(1);
  CHECK_FALSE(p.allow<deposit>(from_outside().to(alice)));  // the stop comes before it
  CHECK(p.waiting() ==
        "waiting:\n  alice: bank::deposit from tina; stop from outside; "
        "bank::deposit from outside");
  CHECK(p.lives(alice));
  p.expect<deposit>(from(tina).to(alice));
  CHECK_FALSE(p.lives(alice));
  tina.stop();
  CHECK_FALSE(p.lives(tina));
  REQUIRE(p.dead_letters().size() == 1);
  CHECK(p.dead_letters()[0].code == errc::stopped);
}

TEST_CASE("expect says what was expected and what waits instead") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{50});
  const auto bob = p.spawn<account>("bob");
  const auto tina = p.spawn<teller>("tina");
  CHECK(failure_of([&] { p.expect<deposit>(from(tina).to(alice)); }) ==
        "expected bank::deposit from tina to alice, but none waits\nnothing waits");

  p.inject<pay>(tina, alice, 5);
  const std::string waits = "\nwaiting:\n  alice: bank::deposit from tina";
  CHECK(failure_of([&] { p.expect<balance>(alice); }) ==
        "expected bank::balance to alice, but next is bank::deposit from tina" + waits);
  CHECK(failure_of([&] { p.expect<deposit>(from(bob).to(alice)); }) ==
        "expected bank::deposit from bob to alice, but none waits" + waits);
  CHECK(failure_of([&] { p.expect<deposit>(alice, [](const deposit&) { return false; }); }) ==
        "expected bank::deposit to alice, but the next one does not hold what it should" + waits);
  CHECK(p.state(alice).cents == 50);
  p.expect<deposit>(alice);

  (void)p.inject<transfer>(tina, alice, bob, 30);
  CHECK(failure_of([&] { p.expect<void>(tina); }) ==
        "expected an answer without a value to tina, but it is in its handler of bank::transfer, "
        "which awaits bank::withdraw of alice\n"
        "waiting:\n"
        "  alice: bank::withdraw from tina\n"
        "  tina, in its handler of bank::transfer, which awaits bank::withdraw of alice: nothing");
  p.expect<withdraw>(alice);
  CHECK(failure_of([&] { p.expect<cairn::failure>(tina); }) ==
        "expected a failure to tina, but next is answer to bank::withdraw from alice\n"
        "waiting:\n"
        "  tina, in its handler of bank::transfer, which awaits bank::withdraw of alice: "
        "answer to bank::withdraw from alice");
  p.inject<close_account>(bob);
  CHECK(failure_of([&] {
          p.expect<deposit>(bob);
        }).starts_with("expected bank::deposit to bob, but it is stopped\n"));
}

TEST_CASE("a function that returns nothing checks for itself") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  alice.tell<deposit>(3);
  std::int64_t seen = 0;
  p.expect<deposit>(alice, [&](const deposit& what) { seen = what.cents; });
  CHECK(seen == 3);
}

TEST_CASE("allow handles the next one where it is as described, and else nothing") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  CHECK_FALSE(p.allow<deposit>(alice));
  alice.tell<deposit>(3);
  CHECK_FALSE(p.allow<balance>(alice));
  CHECK_FALSE(p.allow<deposit>(alice, [](const deposit& what) { return what.cents == 4; }));
  CHECK(p.state(alice).cents == 0);
  CHECK(p.allow<deposit>(alice));
  CHECK(p.state(alice).cents == 3);
}

TEST_CASE("disallow looks at the whole mailbox") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{50});
  const auto tina = p.spawn<teller>("tina");
  p.disallow<deposit>(alice);
  alice.tell<balance>();
  p.inject<pay>(tina, alice, 5);
  p.disallow<withdraw>(alice);
  p.disallow<deposit>(from_outside().to(alice));
  p.disallow<deposit>(alice, [](const deposit& what) { return what.cents == 6; });
  CHECK(failure_of([&] { p.disallow<deposit>(alice); }) ==
        "there is bank::deposit to alice\n"
        "waiting:\n  alice: bank::balance from outside; bank::deposit from tina");
  CHECK(failure_of([&] {
          p.disallow<deposit>(from(tina).to(alice));
        }).starts_with("there is bank::deposit from tina to alice\n"));
  (void)p.inject<transfer>(tina, alice, alice, 5);
  tina.tell<remind>();
  CHECK_FALSE(p.allow<remind>(tina));  // its handler has not ended
  CHECK(failure_of([&] { p.disallow<remind>(tina); }) != "no failure");
}

TEST_CASE("run delivers everything and counts it, up to a bound") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{50});
  const auto bob = p.spawn<account>("bob");
  const auto tina = p.spawn<teller>("tina");
  auto done = p.inject<transfer>(tina, alice, bob, 30);
  CHECK(p.run() == 4);  // two asks, two answers
  CHECK(done.value());
  CHECK(p.run() == 0);
  for (int each = 0; each < 12; ++each) alice.tell<deposit>(1);
  CHECK(failure_of([&] { p.run(1); }) ==
        "not done after 1 messages; waiting:\n  alice: bank::deposit from outside; "
        "bank::deposit from outside; bank::deposit from outside; bank::deposit from outside; "
        "bank::deposit from outside; bank::deposit from outside; bank::deposit from outside; "
        "bank::deposit from outside; bank::deposit from outside; bank::deposit from outside; "
        "and 1 more");
  CHECK(p.run(11) == 11);
  CHECK(p.state(alice).cents == 32);
}

TEST_CASE("an ask that fails is expected as a failure") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{50});
  const auto bob = p.spawn<account>("bob");
  const auto tina = p.spawn<teller>("tina");
  auto done = p.inject<transfer>(tina, alice, bob, 51);
  p.expect<withdraw>(alice);
  CHECK_FALSE(p.allow<std::int64_t>(tina));
  p.expect<cairn::failure>(from(alice).to(tina), [](const cairn::failure& why) {
    return why.code == errc::failed && why.text == "not enough";
  });
  CHECK_FALSE(done.value());
  CHECK(p.dead_letters().back().message == "bank::withdraw");
}

TEST_CASE("an answer says why there is no value") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  const auto bob = p.spawn<account>("bob");
  const auto tina = p.spawn<teller>("tina");
  auto failed = p.inject<deposit>(alice, -1);
  CHECK(failed.code() == errc::failed);
  std::string text;
  try {
    failed.value();
  } catch (const cairn::ask_error& why) {
    text = why.what();
  }
  CHECK(text == "ask of bank::deposit: failed: negative deposit");

  auto open = p.inject<transfer>(tina, alice, bob, 1);
  CHECK(failure_of([&] { (void)open.value(); }) == "bank::transfer has not been answered yet");
  CHECK(failure_of([&] { (void)open.code(); }) == "bank::transfer has not been answered yet");
  tina.stop();
  CHECK_FALSE(open.arrived());  // a stop waits for the handler's end
  p.run();
  CHECK(open.code() == errc::ok);
  CHECK(p.inject<remind>(tina).code() == errc::stopped);
}

TEST_CASE("ask and inject say what keeps the actor") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{50});
  const auto tina = p.spawn<teller>("tina");
  const std::string waits =
      "tina, in its handler of bank::transfer, which awaits bank::withdraw of alice: nothing";
  CHECK(failure_of([&] { (void)p.ask<transfer>(tina, alice, alice, 1); }) ==
        "tina has not answered bank::transfer: it is in its handler of bank::transfer, which "
        "awaits bank::withdraw of alice\n"
        "waiting:\n  alice: bank::withdraw from tina\n  " +
            waits);
  CHECK(failure_of([&] { p.inject<remind>(tina); }) ==
        "cannot inject bank::remind to tina: it is in its handler of bank::transfer, which awaits "
        "bank::withdraw of alice\n"
        "waiting:\n  alice: bank::withdraw from tina\n  " +
            waits);
}

}  // namespace probe_tests
