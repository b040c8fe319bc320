// The backoff of a supervisor that an older cairn has begun, with the state that it wrote then: the
// present one ends it, once, and counts on.
#include <cairn/supervisor.hpp>

#include <cairn/codec.hpp>
#include <cairn/detail/actor_parts.hpp>

#include "supervising.hpp"

namespace older_backoff {

using namespace tending;
using cairn::detail::restart_row;
using cairn::detail::supervisor_actor;

/// The state of a supervisor as its version 1 was written: one row, whoever was counted in it.
struct first_version {
  cairn::detail::supervision rules{};
  restart_row all{};
  void save(auto& ar, std::uint32_t /*version*/) const {
    rules.save(ar);
    ar(all.restarts, all.backoffs, all.timer, all.waiting);
  }
  void load(auto& ar, std::uint32_t /*version*/) {
    rules.load(ar);
    ar(all.restarts, all.backoffs, all.timer, all.waiting);
  }
};

}  // namespace older_backoff

CEREAL_CLASS_VERSION(older_backoff::first_version, 1)

namespace older_backoff {

/// A failure that is the matter of the one above.
struct beyond : std::runtime_error {
  beyond() : std::runtime_error{"beyond"} {}
};
struct climber {
  using protocol = cairn::protocol<work, look>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  void on(work what) {
    sum += what.value;
    try {
      planned.check(what.value);
    } catch (const std::runtime_error&) {
      throw beyond{};
    }
  }
  int on(look) const { return sum; }
};
using housed = cairn::actors<climber>;

const cairn::supervisor_options passing_up =
    cairn::supervisor_options{.attempts = 5}.on<beyond>(cairn::escalate);

/// As of whom version 1 counted all rooms together, whatever it was told.
cairn::supervisor_options rules_of(cairn::restart_strategy strategy, bool together) {
  return {.strategy = strategy,
          .intensity = {.restarts = 2, .within = 1h, .together = together},
          .backoff = {.first = 10s, .most = 1h, .jitter = 0}};
}

struct scene {
  bench* on = nullptr;
  cairn::supervisor_options rules{};
};
template <class Play>
void play(bench& on, const cairn::supervisor_options& rules, Play scene_of) {
  fixture::crash<housed>(on, [&](cairn::root& top) { return scene_of(top, scene{&on, rules}); });
}

/// Three rooms, each with somebody in it; the second has two.
struct rooms {
  cairn::ref<climber> x{};
  cairn::ref<climber> y{};
  cairn::ref<climber> other_y{};
  cairn::ref<climber> z{};
};
rooms enter(cairn::root& root, const cairn::supervisor_options& rules) {
  const auto house = root.supervise("house", rules);
  const auto second = [&] { return house.supervise("second", passing_up); };
  rooms made;
  made.x = house.supervise("first", passing_up).spawn<climber>("x");
  const auto room = second();
  made.y = room.spawn<climber>("y");
  made.other_y = room.spawn<climber>("other_y");
  made.z = house.supervise("third", passing_up).spawn<climber>("z");
  return made;
}

using fixture::come_to_rest;
cairn::task<> pass(cairn::root& root, bench* on, std::chrono::nanoseconds span) {
  co_await come_to_rest(root);
  on->clock.advance(span);
  co_await come_to_rest(root);
}
using names = std::vector<std::string>;
names told(const bench* on, event_kind kind) {
  names found;
  for (const auto& each : on->told.of(kind)) found.push_back(each.what.name);
  return found;
}
cairn::task<> fail(cairn::root& root, cairn::ref<climber> whom, int value) {
  planned.plan(value, 1);
  whom.tell<work>(value);
  co_await come_to_rest(root);
}

/// Writes the supervisor's state anew, as the latest snapshot, as version 1 would have it.
void write_as_first_version(bench& on, const cairn::supervisor_options& rules) {
  using namespace cairn::detail;
  cairn::memory_store store{on.store};
  const auto found = store.open();
  REQUIRE(found.latest);
  const cairn::epoch number = next(*found.latest);
  buffer records;
  store.read(*found.latest, [&](const cairn::record_view& each) {
    if (each.header.kind != cairn::record_kind::actor) return;
    const actor_parts parts{each.payload};
    if (parts.name != "house") return;
    REQUIRE(each.header.schema == schema_of<supervisor_actor>());
    REQUIRE(parts.log_entries == 0);
    supervisor_actor now;
    cairn::decode(now, parts.state);
    REQUIRE(now.rows.size() == 1);
    first_version before{rules, now.rows[0]};
    REQUIRE_FALSE(before.all.waiting.empty());
    buffer state;
    cairn::encode(before, state);
    buffer payload;
    parts.put_with_state(payload, state.view(), each.header.floor);
    cairn::record_header header = each.header;
    header.schema = schema_of<first_version>();
    header.epoch = number;
    append_record(records, header, payload.view());
  });
  REQUIRE(records.size() != 0);
  store.begin(number);
  store.append(records.view());
  store.commit();
}

TEST_CASE("the backoff of a group of rooms that version 1 began ends once, and counts on") {
  const auto strategy = GENERATE(cairn::one_for_all, cairn::rest_for_one);
  planned.clear();
  bench on;
  const auto rules = rules_of(strategy, false);
  play(on, rules, [](cairn::root& root, scene in) -> cairn::task<int> {
    const rooms of = enter(root, in.rules);
    co_await come_to_rest(root);
    co_await fail(root, of.y, -1);
    co_await pass(root, in.on, 6s);
    co_await root.checkpoint();
    co_return 0;
  });
  CHECK(told(&on, event_kind::restarted).empty());
  write_as_first_version(on, rules);
  play(on, rules, [](cairn::root& root, scene in) -> cairn::task<int> {
    const rooms of = enter(root, in.rules);
    co_await pass(root, in.on, 3999ms);
    CHECK(told(in.on, event_kind::restarted).empty());
    co_await pass(root, in.on, 1ms);
    auto all = names{"y", "other_y", "z"};
    if (in.rules.strategy == cairn::one_for_all) all.insert(all.begin(), "x");
    CHECK(told(in.on, event_kind::restarted) == all);
    const int sum = co_await of.y.ask<look>();
    CHECK(sum == -1);
    co_await pass(root, in.on, 10min);
    CHECK(told(in.on, event_kind::restarted).size() == all.size());
    // The next backoff in the row is twice as long, and the second restart that is allowed.
    co_await fail(root, of.y, -2);
    co_await pass(root, in.on, 19'999ms);
    CHECK(told(in.on, event_kind::restarted).size() == all.size());
    co_await pass(root, in.on, 1ms);
    CHECK(told(in.on, event_kind::restarted).size() == 2 * all.size());
    CHECK(told(in.on, event_kind::suspended).empty());
    co_await fail(root, of.y, -3);
    CHECK(told(in.on, event_kind::suspended) == names{"x", "y", "other_y", "z"});
    co_return 0;
  });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::failed) == 3);
}

TEST_CASE("a backoff that rooms below one_for_one shared in version 1 ends once for each of them") {
  planned.clear();
  bench on;
  play(on, rules_of(cairn::one_for_one, true), [](cairn::root& root, scene in) -> cairn::task<int> {
    const rooms of = enter(root, in.rules);
    co_await come_to_rest(root);
    co_await fail(root, of.z, -3);
    co_await pass(root, in.on, 6s);
    co_await fail(root, of.y, -1);
    co_await root.checkpoint();
    co_return 0;
  });
  CHECK(told(&on, event_kind::failed) == names{"z", "y"});
  const auto rules = rules_of(cairn::one_for_one, false);
  write_as_first_version(on, rules);
  play(on, rules, [](cairn::root& root, scene in) -> cairn::task<int> {
    const rooms of = enter(root, in.rules);
    co_await come_to_rest(root);
    co_await fail(root, of.other_y, -2);  // comes back with its room, and does not count
    co_await pass(root, in.on, 3999ms);
    CHECK(told(in.on, event_kind::restarted).empty());
    co_await pass(root, in.on, 1ms);
    CHECK(told(in.on, event_kind::restarted) == names{"y", "other_y", "z"});
    co_await pass(root, in.on, 10min);
    CHECK(told(in.on, event_kind::restarted).size() == 3);
    // Each has one restart behind it: a second is allowed, a third is not.
    co_await fail(root, of.y, -4);
    co_await pass(root, in.on, 19'999ms);
    CHECK(told(in.on, event_kind::restarted).size() == 3);
    co_await pass(root, in.on, 1ms);
    CHECK(told(in.on, event_kind::restarted).size() == 5);
    CHECK(told(in.on, event_kind::suspended).empty());
    co_await fail(root, of.y, -5);
    CHECK(told(in.on, event_kind::suspended) == names{"y", "other_y"});
    const int sum = co_await of.z.ask<look>();
    CHECK(sum == -3);
    co_return 0;
  });
}

}  // namespace older_backoff
