// Each matcher says yes, says no, and says what it looked for.
#include "../catch.hpp"

#include <cairn/testing/catch_matchers.hpp>

#include <string>

#include "bank.hpp"

namespace catch_matchers_tests {

using namespace bank;
using cairn::errc;
using cairn::event_kind;
using cairn::testing::from;
using cairn::testing::has_events;
using cairn::testing::is_dead_letter;
using cairn::testing::waits_for;

TEST_CASE("a matcher tells whether a message waits") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  const auto tina = p.spawn<teller>("tina");
  CHECK_THAT(p, !waits_for<deposit>(alice));
  p.inject<pay>(tina, alice, 1);
  CHECK_THAT(p, waits_for<deposit>(alice) && waits_for<deposit>(from(tina).to(alice)));
  CHECK_FALSE(waits_for<deposit>(from(alice).to(alice)).match(p));
  CHECK_FALSE(waits_for<deposit>(tina).match(p));
  CHECK_FALSE(waits_for<balance>(alice).match(p));
  CHECK(waits_for<deposit>(alice).toString() == "waits for bank::deposit to alice");
  CHECK(Catch::Detail::stringify(p) == "waiting:\n  alice: bank::deposit from tina");
}

TEST_CASE("a matcher counts events") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  CHECK_THAT(p, !has_events(event_kind::restarted));
  CHECK_THAT(p, has_events(event_kind::restarted, 0));
  p.fail_next(alice);
  p.inject<deposit>(alice, 1);
  CHECK_THAT(p, has_events(event_kind::restarted) && has_events(event_kind::restarted, 1));
  CHECK_FALSE(has_events(event_kind::restarted, 2).match(p));
  CHECK(has_events(event_kind::restarted).toString() == "has events of kind restarted");
  CHECK(has_events(event_kind::failed, 2).toString() == "has 2 events of kind failed");
}

TEST_CASE("a matcher looks at a dead letter") {
  bank::probe p;
  const auto alice = p.spawn<account>("alice");
  p.inject<deposit>(alice, -1);
  REQUIRE(p.dead_letters().size() == 1);
  const auto& letter = p.dead_letters().back();
  CHECK_THAT(letter, is_dead_letter<deposit>());
  CHECK_THAT(letter, is_dead_letter<deposit>(errc::failed));
  CHECK_THAT(letter, !is_dead_letter<deposit>(errc::stopped));
  CHECK_THAT(letter, !is_dead_letter<balance>());
  CHECK(is_dead_letter<deposit>(errc::failed).toString() ==
        "is a dead letter of bank::deposit, failed");
  CHECK(Catch::Detail::stringify(letter) == "bank::deposit to alice (failed: negative deposit)");
}

}  // namespace catch_matchers_tests
