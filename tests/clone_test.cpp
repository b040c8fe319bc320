// Two systems go on from the same snapshot, apart; and one begins from an older one.
#include <cairn/clone.hpp>

#include <asio/use_future.hpp>
#include <cairn/journal.hpp>
#include <future>
#include <vector>

#include "runtime/fixture.hpp"

namespace cloning {

using cairn::errc;
using fixture::bench;
using namespace std::chrono_literals;

struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct waited {};
struct sum {
  using protocol = cairn::protocol<add, waited>;
  std::int64_t total = 0;
  void serialize(auto& ar) { ar(total); }
  cairn::task<std::int64_t> on(add what, cairn::context<sum>& self) {
    if (what.value < 0) co_await self.sleep(1h);  // suspended at the cut
    total += what.value;
    co_return total;
  }
  std::int64_t on(waited) const { return total; }
};
using actors = cairn::actors<sum>;

inline cairn::ref<sum> one_of(cairn::root& top) { return top.supervise("all").spawn<sum>("one"); }

/// Adds and commits, once for each value.
inline void add_up(const bench& on, cairn::memory_store& store, std::vector<int> values,
                   std::string savepoint = {}) {
  bench other;
  other.store = store;
  other.clock = on.clock;
  fixture::crash<actors>(other, [&](cairn::root& top) -> cairn::task<int> {
    auto one = one_of(top);
    for (const int each : values) {
      (void)co_await one.ask<add>(each);
      co_await top.checkpoint();
    }
    if (!savepoint.empty()) co_await top.savepoint(savepoint);
    co_return 0;
  });
}

inline std::int64_t total_in(cairn::memory_store& store) {
  bench other;
  other.store = store;
  std::int64_t found = 0;
  fixture::crash<actors>(other, [&](cairn::root& top) -> cairn::task<int> {
    found = co_await one_of(top).ask<waited>();
    co_return 0;
  });
  return found;
}

template <class Call>
errc code_of(Call&& call) {
  try {
    call();
  } catch (const cairn::error& why) {
    return why.code();
  }
  return errc::ok;
}

inline std::vector<cairn::snapshot_info> snapshots(cairn::memory_store store) {
  return store.open({.read_only = true}).snapshots;
}

}  // namespace cloning

TEST_CASE("a clone goes on from a savepoint, and its source as if there were none") {
  using namespace cloning;
  bench on;
  add_up(on, on.store, {1, 2}, "here");
  add_up(on, on.store, {4});
  const auto before = snapshots(on.store);
  cairn::memory_store copy;
  const auto number = cairn::clone(on.store, "here", copy);
  CHECK(snapshots(on.store) == before);
  REQUIRE(snapshots(copy).size() == 1);
  CHECK(snapshots(copy)[0].number == number);

  add_up(on, copy, {10});
  add_up(on, on.store, {20});
  CHECK(total_in(copy) == 13);
  CHECK(total_in(on.store) == 27);

  cairn::memory_store third;  // an epoch by its number
  CHECK(cairn::clone(on.store, snapshots(on.store).back().number, third) ==
        snapshots(on.store).back().number);
  CHECK(total_in(third) == 27);
}

TEST_CASE("a running system is cloned with its suspended handlers, timers and messages") {
  using namespace cloning;
  bench on;
  cairn::memory_store now;
  cairn::memory_store then;
  fixture::crash<actors>(on, [&](cairn::root& top) -> cairn::task<int> {
    auto one = one_of(top);
    (void)co_await one.ask<add>(1);
    co_await top.savepoint("early");
    one.tell<add>(-3);
    one.tell<add>(10);
    co_await top.clone("", now);
    co_await top.clone("early", then);
    auto asked = top.clone("never", cairn::memory_store{}).as_result();
    const auto refused = co_await std::move(asked);
    CHECK(refused.code() == errc::not_found);
    on.clock.advance(2h);
    const auto total = co_await one.ask<add>(0);
    CHECK(total == 8);
    co_return 0;
  });
  CHECK(total_in(then) == 1);
  bench apart;
  apart.store = now;
  const auto how = fixture::crash<actors>(apart, [&](cairn::root& top) -> cairn::task<int> {
    auto one = one_of(top);
    apart.clock.advance(2h);
    const auto total = co_await one.ask<add>(100);
    CHECK(total == 108);
    co_return 0;
  });
  CHECK(how.restored.suspended_handlers == 1);
  CHECK(how.restored.messages == 1);
  CHECK(how.restored.timers == 1);
}

TEST_CASE("a clone that cannot be made leaves a store without a snapshot") {
  using namespace cloning;
  bench on;
  add_up(on, on.store, {1}, "here");
  cairn::memory_store copy;
  CHECK(code_of([&] { cairn::clone(on.store, "elsewhere", copy); }) == errc::not_found);
  CHECK(code_of([&] { cairn::clone(on.store, cairn::epoch{99}, copy); }) == errc::not_found);
  CHECK(snapshots(copy).empty());
  CHECK(code_of([&] { cairn::clone(on.store, "here", on.store); }) == errc::locked);
  cairn::clone(on.store, "here", copy);
  CHECK(code_of([&] { cairn::clone(on.store, "here", copy); }) == errc::misuse);
  CHECK(total_in(copy) == 1);
}

TEST_CASE("what was posted and not consumed goes with a clone, what was consumed does not") {
  using namespace cloning;
  cairn::memory_store store;
  cairn::memory_store copy;
  /// Posts, and ends orderly where a total is awaited.
  const auto run_on = [](cairn::memory_store& over, int posted, int until) {
    bench on;
    on.store = over;
    cairn::system<actors> running{on.options()};
    std::promise<cairn::journal<sum>> made;
    running.start([&](cairn::root& top) -> cairn::task<int> {
      auto one = one_of(top);
      made.set_value(cairn::journal<sum>{top, "orders", one});
      co_await top.until_stopped();
      std::int64_t total = 0;
      while (total < until) total = co_await one.ask<waited>();
      co_return static_cast<int>(total);
    });
    const auto port = made.get_future().get();
    if (posted != 0) port.async_post<add>(asio::use_future, posted).get();
    running.request_stop();
    running.wait();
    return until != 0 ? running.stop().code : 0;
  };
  CHECK(run_on(store, 1, 1) == 1);
  CHECK(run_on(store, 2, 0) == 0);  // durable, and in no snapshot
  cairn::clone(store, snapshots(store).back().number, copy);
  CHECK(run_on(copy, 0, 3) == 3);
  CHECK(run_on(copy, 10, 13) == 13);
  cairn::memory_store again;  // of what has consumed all
  cairn::clone(copy, snapshots(copy).back().number, again);
  CHECK(run_on(again, 10, 23) == 23);
  CHECK(run_on(again, 0, 23) == 23);
  CHECK(run_on(store, 0, 3) == 3);
}

TEST_CASE("a system begins from an older epoch, and then the later ones are gone") {
  using namespace cloning;
  bench on;
  add_up(on, on.store, {1, 2, 4});
  const auto before = snapshots(on.store);
  REQUIRE(before.size() == 3);
  auto chosen = on.options();
  chosen.as_of = before[1].number;
  fixture::crash<actors>(std::move(chosen), [&](cairn::root& top) -> cairn::task<int> {
    const auto total = co_await one_of(top).ask<waited>();
    CHECK(total == 3);
    co_return 0;
  });
  CHECK(snapshots(on.store) == before);  // nothing was committed

  chosen = on.options();
  chosen.as_of = before[0].number;
  fixture::crash<actors>(std::move(chosen), [&](cairn::root& top) -> cairn::task<int> {
    const auto total = co_await one_of(top).ask<add>(10);
    CHECK(total == 11);
    co_await top.checkpoint();
    co_return 0;
  });
  const auto after = snapshots(on.store);
  REQUIRE(after.size() == 2);
  CHECK(after[0] == before[0]);
  CHECK(after[1].number > before[2].number);  // no number is given twice
  CHECK(total_in(on.store) == 11);

  chosen = on.options();
  chosen.as_of = before[1].number;
  CHECK(code_of([&] { cairn::system<actors>{std::move(chosen)}; }) == errc::not_found);
  CHECK(total_in(on.store) == 11);
}

TEST_CASE("who begins from an older epoch is told of the savepoints after it") {
  using namespace cloning;
  bench on;
  add_up(on, on.store, {1});
  fixture::crash<actors>(on, [&](cairn::root& top) -> cairn::task<int> {
    co_await top.savepoint("later");
    co_return 0;
  });
  CHECK(on.told.count(cairn::event_kind::store_warning) == 0);
  auto chosen = on.options();
  chosen.as_of = snapshots(on.store).front().number;
  fixture::crash<actors>(std::move(chosen), [](cairn::root&) -> cairn::task<int> { co_return 0; });
  CHECK(on.told.count(cairn::event_kind::store_warning) == 1);
  CHECK(on.told.text().find("are gone with the next commit: 'later' (epoch ") != std::string::npos);
}

TEST_CASE("an older epoch than one whose outputs have left takes the operator's word") {
  using namespace cloning;
  cairn::memory_store store;
  const auto write = [&](cairn::epoch number, bool releases) {
    store.begin(number);
    store.commit(releases);
  };
  store.open();
  write(cairn::epoch{1}, false);
  write(cairn::epoch{2}, false);
  write(cairn::epoch{3}, true);
  write(cairn::epoch{4}, false);
  store.close();
  const auto open = [&](cairn::store_options how) {
    cairn::memory_store again = store;
    return again.open(how).latest.value_or(cairn::epoch{});
  };
  CHECK(open({.as_of = cairn::epoch{3}}) == cairn::epoch{3});
  CHECK(code_of([&] { open({.as_of = cairn::epoch{2}}); }) == errc::misuse);
  CHECK(open({.accept_older = true, .as_of = cairn::epoch{2}}) == cairn::epoch{2});
  CHECK(code_of([&] { open({.as_of = cairn::epoch{1}}); }) == errc::not_found);
  CHECK(open({}) == cairn::epoch{4});
}

TEST_CASE("an opening names what it leaves behind, until that is gone") {
  cairn::memory_store store;
  store.open();
  for (const auto number : {cairn::epoch{1}, cairn::epoch{2}, cairn::epoch{3}}) {
    store.begin(number);
    store.commit();
  }
  store.keep(cairn::epoch{2}, "two");
  const auto all = store.list();
  store.close();
  const auto left_behind = [&](cairn::store_options how) {
    cairn::memory_store again = store;
    return again.open(how).left_behind;
  };
  CHECK(left_behind({}).empty());
  CHECK(left_behind({.as_of = cairn::epoch{3}}).empty());
  CHECK(left_behind({.read_only = true, .as_of = cairn::epoch{2}}) == std::vector{all[2]});
  CHECK(left_behind({.as_of = cairn::epoch{1}}) == std::vector{all[1], all[2]});
  CHECK(all[1].name == "two");

  cairn::memory_store back = store;
  back.open({.as_of = cairn::epoch{1}});
  back.begin(cairn::epoch{4});
  back.commit();
  back.close();
  CHECK(left_behind({}).empty());
}
