// Time, failures, births, stops, and the process's death, driven by a probe.
#include <memory>
#include <string>
#include <vector>

#include <cairn/file_store.hpp>
#include <cairn/testing/faults.hpp>

#include "../catch.hpp"
#include "bank.hpp"

namespace probe_life_tests {

using namespace bank;
using cairn::errc;
using cairn::event_kind;
using cairn::testing::from;
using cairn::testing::from_outside;
using cairn::testing::to;

namespace {

std::size_t count(const bank::probe& p, event_kind kind) {
  std::size_t found = 0;
  for (const auto& each : p.events()) found += each.kind == kind ? 1 : 0;
  return found;
}

}  // namespace

TEST_CASE("what is sent after a while waits when it is due") {
  bank::probe p;
  const auto tina = p.spawn<teller>("tina");
  p.inject<remind>(tina);
  p.advance(2999ms);
  p.disallow<reminder>(tina);
  p.advance(1ms);
  p.expect<reminder>(from(tina).to(tina));
  CHECK(p.state(tina).diary == "born;reminded;");
  p.advance(1h);
  p.expect<reminder>(tina);
  p.disallow<reminder>(tina);  // the next one counts from now
  const auto before = p.now();
  CHECK(p.run_for(9s) == 3);
  CHECK(p.now() - before == 9s);
}

TEST_CASE("who sleeps goes on when it has slept, one sleep after the other") {
  bank::probe p;
  const auto tina = p.spawn<teller>("tina");
  auto napped = p.inject<nap>(tina);
  p.advance(1s);
  CHECK(p.state(tina).diary == "born;slept;");
  p.advance(10s);
  CHECK(p.state(tina).diary == "born;slept;awake;");
  CHECK(napped.arrived());
}

TEST_CASE("an ask whose message is not delivered in time fails") {
  bank::probe p{{.configure = [](cairn::options& chosen) { chosen.ask_timeout = 20s; }}};
  const auto alice = p.spawn<account>("alice", account{50});
  const auto bob = p.spawn<account>("bob");
  const auto tina = p.spawn<teller>("tina");
  auto done = p.inject<transfer>(tina, alice, bob, 30);
  p.advance(19s);
  CHECK_FALSE(done.arrived());
  p.advance(1s);
  CHECK_FALSE(done.value());
  CHECK(count(p, event_kind::timed_out) == 1);
  p.expect<withdraw>(alice);  // it has only not been answered
  CHECK(p.state(alice).cents == 20);
  CHECK(p.waiting() == "nothing waits");  // nobody awaits its answer
}

TEST_CASE("a run is done at once, and its result handed over") {
  bank::probe p;
  const auto tina = p.spawn<teller>("tina");
  CHECK(p.ask<audit>(tina) == 42);
  CHECK(p.state(tina).diary == "born;audited;");
}

TEST_CASE("a turn that is told to fail has had no effect, and is tried again") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{50});
  const auto tina = p.spawn<teller>("tina");
  p.fail_next(tina);
  auto paid = p.inject<pay>(tina, alice, 5);
  CHECK(paid.code() == errc::ok);
  CHECK(count(p, event_kind::restarted) == 1);
  p.expect<deposit>(alice);
  p.disallow<deposit>(alice);  // the turn that failed has sent nothing
  p.inject<pay>(tina, alice, 5);
  CHECK(count(p, event_kind::failed) == 1);
}

TEST_CASE("a turn that fails as often as it is tried is given up") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{50});
  p.fail_next(alice, 2);
  const auto failed = p.inject<deposit>(alice, 5);
  CHECK(failed.code() == errc::failed);
  CHECK(p.state(alice).cents == 50);
  CHECK(count(p, event_kind::given_up) == 1);
  REQUIRE(p.dead_letters().size() == 1);
  CHECK(p.dead_letters()[0].message == "bank::deposit");
  CHECK(p.dead_letters()[0].text == "fail_next");
  p.inject<deposit>(alice, 5);
  CHECK(p.state(alice).cents == 55);
}

TEST_CASE("a suspended handler's next turn can be told to fail, once or for good") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice", account{50});
  const auto bob = p.spawn<account>("bob");
  const auto tina = p.spawn<teller>("tina");
  auto done = p.inject<transfer>(tina, alice, bob, 30);
  p.expect<withdraw>(alice);
  p.fail_next(tina);
  p.expect<std::int64_t>(tina);
  CHECK(count(p, event_kind::restarted) == 1);
  CHECK(p.state(tina).diary == "born;transfer;left 20;");
  p.expect<deposit>(bob);
  p.disallow<deposit>(bob);
  p.fail_next(tina, 2);
  p.expect<void>(tina);
  CHECK(done.code() == errc::failed);
  CHECK(p.state(tina).diary == "born;transfer;left 20;");  // completed turns stand
  CHECK(p.state(bob).cents == 30);
  CHECK(count(p, event_kind::given_up) == 1);
}

TEST_CASE("the turn that follows a sleep or a run can be told to fail") {
  bank::probe p;
  const auto tina = p.spawn<teller>("tina");
  auto napped = p.inject<nap>(tina);
  p.fail_next(tina);
  p.advance(1s);
  CHECK(count(p, event_kind::restarted) == 1);
  CHECK(p.state(tina).diary == "born;slept;");
  p.advance(1s);
  CHECK(napped.code() == errc::ok);
  p.fail_next(tina, 2);  // the turn that begins the run, and its second try
  CHECK(p.inject<audit>(tina).code() == errc::failed);
}

TEST_CASE("an ephemeral actor that is told to fail begins afresh") {
  bank::probe p;
  const auto carl = p.spawn<clerk>("carl");
  (void)p.inject<nap>(carl);
  p.advance(1min);
  CHECK(p.ask<balance>(carl) == 1);
  auto napped = p.inject<nap>(carl);
  p.fail_next(carl);
  p.advance(1min);
  CHECK(napped.code() == errc::failed);
  CHECK(p.ask<balance>(carl) == 0);
  p.fail_next(carl);
  CHECK(p.inject<balance>(carl).code() == errc::failed);
}

TEST_CASE("more failures than the supervisor takes suspend the actor") {
  bank::probe p{{.supervision = {.intensity = {.restarts = 0, .within = 1s}}}};
  const auto alice = p.spawn<account>("alice", account{50});
  p.fail_next(alice);
  (void)p.inject<deposit>(alice, 5);
  CHECK(count(p, event_kind::suspended) == 1);
  alice.tell<deposit>(1);
  CHECK(failure_of([&] {
          p.expect<deposit>(alice);
        }).starts_with("expected bank::deposit to alice, but it is suspended\nwaiting:\n"));
  CHECK(p.inject<balance>(alice).code() == errc::failed);
  p.as_root([&](cairn::root& root) { root.resume(alice); });
  p.run();
  CHECK(p.state(alice).cents == 51);
}

TEST_CASE("watchers are told of stops, children are found by their path") {
  bank::probe p;
  const auto tina = p.spawn<teller>("tina");
  p.inject<hire>(tina, "till");
  const auto till = p.find<account>("tina/till");
  p.expect<deposit>(from(tina).to(till));
  CHECK(p.state(till).cents == 7);
  p.inject<mind>(tina, till);
  p.inject<close_account>(till);
  CHECK_FALSE(p.lives(till));
  p.expect<cairn::stopped>(from(till).to(tina));
  CHECK(p.state(tina).diary == "born;gone: closed;");
  CHECK(failure_of([&] { (void)p.state(till); }) == "tina/till is stopped: it has no state");
  CHECK(failure_of([&] { p.fail_next(till); }) == "tina/till is stopped: it has no next turn");
  CHECK(failure_of([&] { (void)p.find<account>("tina/till"); }) ==
        "there is no bank::account \"tina/till\"");
  CHECK(failure_of([&] { (void)p.find<account>("tina"); }) ==
        "there is no bank::account \"tina\", but one of type bank::teller");
}

TEST_CASE("the test declares supervisors of its own as the root task") {
  bank::probe p;
  auto branch =
      p.as_root([](cairn::root& root) { return root.supervise("branch", {.attempts = 0}); });
  const auto alice =
      p.as_root([&](cairn::root&) { return branch.spawn<account>("alice", account{50}); });
  CHECK(p.find<account>("branch/alice") == alice);
  p.fail_next(alice);
  CHECK(p.inject<deposit>(alice, 5).code() == errc::failed);  // it is not tried again
  CHECK_THROWS_AS(p.as_root([](cairn::root& root) { (void)root.supervise("branch"); }),
                  cairn::error);
  CHECK_THROWS_AS((void)p.spawn<account>("a/b"), cairn::error);
  CHECK(p.ask<balance>(alice) == 50);
}

TEST_CASE("a restart keeps what was committed, messages on their way and suspended handlers") {
  bank::probe p;
  auto alice = p.spawn<account>("alice", account{50});
  auto bob = p.spawn<account>("bob");
  auto tina = p.spawn<teller>("tina");
  (void)p.spawn<clerk>("carl");
  auto done = p.inject<transfer>(tina, alice, bob, 30);
  bob.tell<deposit>(1);
  p.expect<withdraw>(alice);
  p.checkpoint();
  p.expect<std::int64_t>(tina);
  p.expect<deposit>(from(tina).to(bob));
  CHECK(p.state(bob).cents == 30);

  p.restart();
  CHECK(done.code() == errc::stopped);
  alice = p.spawn<account>("alice");  // as in a program: it is there
  bob = p.find<account>("bob");
  tina = p.find<teller>("tina");
  CHECK(p.state(alice).cents == 20);
  CHECK(p.state(bob).cents == 0);
  CHECK(p.state(tina).diary == "born;transfer;");
  CHECK(failure_of([&] { (void)p.find<clerk>("carl"); }) == "there is no bank::clerk \"carl\"");
  CHECK(p.waiting() ==
        "waiting:\n"
        "  bob: bank::deposit from outside\n"
        "  tina, in its handler of bank::transfer, which awaits bank::withdraw of alice: "
        "answer to bank::withdraw from alice");
  p.expect<std::int64_t>(from(alice).to(tina), [](std::int64_t left) { return left == 20; });
  p.expect<deposit>(from(tina).to(bob));
  p.expect<deposit>(from_outside().to(bob));
  p.expect<void>(tina);
  CHECK(p.state(tina).diary == "born;transfer;left 20;done;");
  CHECK(p.state(bob).cents == 31);
}

TEST_CASE("what was put in front is not lost in a restart, and comes once") {
  bank::probe p;
  auto alice = p.spawn<account>("alice");
  const auto tina = p.spawn<teller>("tina");
  alice.tell<deposit>(1);
  p.inject<pay>(tina, alice, 10);
  p.checkpoint();  // both are on their way
  p.expect<deposit>(from(tina).to(alice));
  p.checkpoint();
  p.inject<pay>(tina, alice, 5);  // lost: what is sent next has its place in the mailbox
  p.restart();
  alice = p.find<account>("alice");
  CHECK(p.state(alice).cents == 10);
  CHECK(p.run() == 1);
  CHECK(p.state(alice).cents == 11);
  alice.tell<deposit>(3);
  p.expect<deposit>(from_outside().to(alice));
  CHECK(p.state(alice).cents == 14);
  p.inject<deposit>(alice, 100);
  CHECK(p.state(alice).cents == 114);
}

TEST_CASE("who lives where a lost actor lived is sent to by whoever does") {
  bank::probe p;
  auto tina = p.spawn<teller>("tina");
  p.checkpoint();
  const auto lost = p.spawn<account>("lost");
  lost.tell<deposit>(1);
  lost.tell<deposit>(2);
  CHECK(p.waits<deposit>(from_outside().to(lost)));
  p.restart();
  tina = p.find<teller>("tina");
  p.inject<hire>(tina, "till");
  p.expect<deposit>(from(tina).to(p.find<account>("tina/till")));
}

TEST_CASE("an ask of who did not survive a restart is interrupted") {
  bank::probe p;
  const auto carl = p.spawn<clerk>("carl");
  auto tina = p.spawn<teller>("tina");
  (void)p.inject<ask_clerk>(tina, carl);
  p.checkpoint();
  p.restart();
  tina = p.find<teller>("tina");
  CHECK(p.state(tina).diary == "born;no clerk;");
}

TEST_CASE("refs from before a restart are refused") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  p.checkpoint();
  p.restart();
  const std::string text = "a ref from before restart(), or of another system";
  CHECK(failure_of([&] { p.inject<deposit>(alice, 1); }) == text);
  CHECK(failure_of([&] { (void)p.state(alice); }) == text);
  CHECK(failure_of([&] { p.expect<deposit>(alice); }) == text);
  CHECK(failure_of([&] { (void)p.lives(alice); }) == text);
  alice.tell<deposit>(1);
  CHECK(failure_of([&] { p.run(); }) == "something was sent through a ref from before restart()");
}

TEST_CASE("a supervisor that the test does not declare again sleeps") {
  bank::probe p;
  const auto declare = [](cairn::root& root) {
    return root.supervise("branch").spawn<account>("alice", account{50});
  };
  (void)p.as_root(declare);
  p.checkpoint();
  p.restart();
  auto alice = p.find<account>("branch/alice");
  CHECK(failure_of([&] { p.expect<deposit>(alice); })
            .starts_with("expected bank::deposit to branch/alice, but it is restored and not "
                         "declared\n"));
  CHECK(failure_of([&] { p.inject<deposit>(alice, 1); })
            .starts_with("cannot inject bank::deposit to branch/alice: it is restored and not "
                         "declared\n"));
  alice = p.as_root(declare);
  CHECK(p.ask<balance>(alice) == 50);
}

TEST_CASE("a checkpoint that fails says why") {
  cairn::testing::simulated_disk disk{1};
  bank::probe p{{.configure = [&](cairn::options& chosen) {
    chosen.store = cairn::file_store{"bank", {}, disk.mount()};
  }}};
  const auto alice = p.spawn<account>("alice");
  p.checkpoint();
  p.inject<deposit>(alice, 1);
  disk.set_faults({.no_space = 1});
  CHECK(failure_of([&] { p.checkpoint(); }).starts_with("the epoch was abandoned: "));
  disk.set_faults({});
  p.checkpoint();
  p.restart();
  CHECK(p.state(p.find<account>("alice")).cents == 1);
}

TEST_CASE("misuse is told") {
  bank::probe p;
  CHECK(failure_of([&] { p.inject<deposit>(cairn::ref<account>{}, 1); }) == "an empty ref");
  bank::probe other;
  const auto alice = other.spawn<account>("alice");
  CHECK(failure_of([&] { p.expect<deposit>(alice); }) ==
        "a ref from before restart(), or of another system");
  std::string within;
  p.as_root([&](cairn::root&) { within = failure_of([&] { p.run(); }); });
  CHECK(within == "a probe is used within a turn of its own actors");
}

}  // namespace probe_life_tests
