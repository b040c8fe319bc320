// The examples of the pages in docs/: they stand here word for word, and do what the pages say.
#include <asio/use_future.hpp>
#include <atomic>
#include <cairn/asio.hpp>
#include <cairn/cairn.hpp>
#include <cairn/journal.hpp>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"

using namespace std::chrono_literals;

namespace docs_error {
// docs/error.md
cairn::result<int> half(int of) {
  if (of % 2 != 0) return cairn::failure{cairn::errc::rejected, "an odd number"};
  return of / 2;
}

std::string said(int of) {
  const auto got = half(of);
  return got ? std::to_string(*got) : got.why().text;
}
// end
}  // namespace docs_error

TEST_CASE("docs: results") {
  CHECK(docs_error::said(8) == "4");
  CHECK(docs_error::said(7) == "an odd number");
}

namespace docs_clock {
// docs/clock.md
/// A millisecond passes whenever somebody looks.
struct restless_clock final : cairn::clock {
  [[nodiscard]] std::chrono::nanoseconds steady() const override {
    return 1ms * looks_.fetch_add(1, std::memory_order_relaxed);  // a figure
  }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::time_point{std::chrono::hours{500'000}};
  }

 private:
  mutable std::atomic<std::int64_t> looks_{1};
};

void use_it(cairn::options& chosen) { chosen.clock = std::make_unique<restless_clock>(); }
// end
}  // namespace docs_clock

namespace {

/// Epochs on demand only, and no time that a test would wait for.
cairn::options over(cairn::memory_store store) {
  cairn::options chosen;
  chosen.store = std::move(store);
  chosen.epoch = {.every = 0ms, .messages = 0, .bytes = 0};
  chosen.workers = 1;
  chosen.ask_timeout = 1000h;
  chosen.on_event = [](const cairn::event&) {};
  docs_clock::use_it(chosen);
  return chosen;
}

template <class... As>
int outcome(cairn::application app, cairn::options chosen = over({})) {
  cairn::system<cairn::actors<As...>> all{std::move(chosen)};
  all.start(std::move(app));
  all.wait();
  return all.stop().code;
}

}  // namespace

namespace docs_actor {
// docs/actor.md
struct tick {};
struct ticks {};

struct counter {
  using protocol = cairn::protocol<tick, ticks>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 100};
  std::uint64_t seen = 0;
  void serialize(auto& ar) { ar(seen); }

  void on_birth(cairn::context<counter>&) { seen = 40; }  // once in its life
  void on(tick) { ++seen; }
  std::uint64_t on(ticks) const { return seen; }
};

using all = cairn::actors<counter>;
// end

cairn::task<int> app(cairn::root& root) {
  auto one = root.supervise("shelf").spawn<counter>("one");
  one.tell<tick>();
  co_return static_cast<int>(co_await one.ask<ticks>());
}
}  // namespace docs_actor

TEST_CASE("docs: an actor is born once, also over a crash") {
  const cairn::memory_store store;
  CHECK(outcome<docs_actor::counter>(docs_actor::app, over(store)) == 41);
  CHECK(outcome<docs_actor::counter>(docs_actor::app, over(store)) == 42);
}

namespace docs_context {
// docs/context.md
struct measure {
  int grams = 0;
  void serialize(auto& ar) { ar(grams); }
};

int price_of(int grams) { return 2 * grams; }  // stands for a file, a socket, a library

struct scales {
  using protocol = cairn::protocol<measure>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }

  cairn::task<int> on(measure what, cairn::context<scales>& self) {
    co_await self.sleep(3ms);  // the actor suspends, its worker does not wait
    const int price = co_await self.run("price", &price_of, what.grams);
    sum += price;
    if (sum > 100) self.stop("sold out");
    co_return sum;
  }
};
// end

cairn::task<int> app(cairn::root& root) {
  auto scales_1 = root.supervise("shop").spawn<scales>("scales");
  const int first = co_await scales_1.ask<measure>(10);
  const int second = co_await scales_1.ask<measure>(50);
  auto third = co_await scales_1.ask<measure>(1).as_result();
  co_return first == 20 && third.code() == cairn::errc::stopped ? second : -1;
}
}  // namespace docs_context

TEST_CASE("docs: a handler sleeps, runs something outside, and stops its actor") {
  CHECK(outcome<docs_context::scales>(docs_context::app) == 120);
}

namespace docs_ref {
// docs/ref.md
struct load {
  int kilos = 0;
  void serialize(auto& ar) { ar(kilos); }
};
struct porter {
  using protocol = cairn::protocol<load>;
  int carried = 0;
  void serialize(auto& ar) { ar(carried); }
  int on(load what) { return carried += what.kilos; }
};

cairn::task<int> app(cairn::root& root) {
  auto anna = root.supervise("hall").spawn<porter>("anna");
  anna.tell<load>(1);              // leaves when this turn ends
  co_await anna.send<load>(2);     // first waits for room in the mailbox
  auto third = anna.ask<load>(3);  // both are asked now ...
  auto fourth = anna.ask<load>(4);
  const int six = co_await std::move(third);   // ... and awaited one by one
  co_return six + co_await std::move(fourth);  // 16
}
// end
}  // namespace docs_ref

TEST_CASE("docs: a ref tells, sends and asks, in order") {
  CHECK(outcome<docs_ref::porter>(docs_ref::app) == 16);
}

namespace docs_root {
// docs/root.md
struct put {
  int stones = 0;
  void serialize(auto& ar) { ar(stones); }
};

struct heap {
  using protocol = cairn::protocol<put>;
  int stones = 0;
  void serialize(auto& ar) { ar(stones); }
  int on(put some) { return stones += some.stones; }
};

cairn::task<int> app(cairn::root& root) {
  auto first = root.supervise("path").spawn<heap>("first");  // restored, if the store knows it
  if (!root.restored()) first.tell<put>(10);
  co_await root.checkpoint();  // committed from here on
  first.tell<put>(1);
  if (!root.restored()) co_await root.savepoint("before-dark");
  co_return co_await first.ask<put>(0);  // 11, and 12 when it runs again
}
// end
}  // namespace docs_root

namespace docs_store {
// docs/store.md
std::vector<std::string> savepoints_of(cairn::any_store store) {
  std::vector<std::string> names;
  store.open({.read_only = true});
  for (const cairn::snapshot_info& each : store.list()) {
    if (!each.name.empty()) names.push_back(each.name);
  }
  return names;
}
// end
}  // namespace docs_store

TEST_CASE("docs: a root task begins, commits and goes on in the next process") {
  const cairn::memory_store store;
  CHECK(outcome<docs_root::heap>(docs_root::app, over(store)) == 11);
  CHECK(docs_store::savepoints_of(store) == std::vector<std::string>{"before-dark"});
  CHECK(outcome<docs_root::heap>(docs_root::app, over(store)) == 12);
}

namespace docs_memory_store {
using docs_root::heap;
using docs_root::put;
// docs/memory_store.md
cairn::task<int> app(cairn::root& root) {
  auto stones = root.supervise("path").spawn<heap>("stones");
  stones.tell<put>(1);
  co_await root.checkpoint();
  co_return co_await stones.ask<put>(100);  // committed by an orderly end only
}

int twice(cairn::memory_store store) {
  {
    cairn::system<cairn::actors<heap>> first{{.store = store, .epoch = {.every = 0ms}}};
    first.start(app);
    first.wait();
  }  // destroyed without stop(): like a crash, and the 100 is lost
  cairn::system<cairn::actors<heap>> second{{.store = store, .epoch = {.every = 0ms}}};
  second.start(app);
  second.wait();
  return second.stop().code;  // 102
}
// end
}  // namespace docs_memory_store

TEST_CASE("docs: a memory_store survives its systems") {
  CHECK(docs_memory_store::twice({}) == 102);
}

namespace docs_file_store {
// docs/file_store.md
cairn::options kept_in(const std::string& directory) {
  cairn::options chosen;
  chosen.store = cairn::file_store{directory};
  chosen.epoch = {.every = 100ms, .retain = 5};
  chosen.lock_wait = 50ms;  // for the one who holds the store now
  return chosen;
}
// end
}  // namespace docs_file_store

TEST_CASE("docs: a file_store has one holder at a time") {
  std::string path = (std::filesystem::temp_directory_path() / "cairn-docs-XXXXXX").string();
  REQUIRE(::mkdtemp(path.data()) != nullptr);
  const auto kept = [&] { return docs_file_store::kept_in(path + "/heap.cairn"); };
  {
    const cairn::system<cairn::actors<docs_root::heap>> holder{kept()};
    cairn::errc code{};
    try {
      const cairn::system<cairn::actors<docs_root::heap>> second{kept()};
    } catch (const cairn::error& why) {
      code = why.code();
    }
    CHECK(code == cairn::errc::locked);
  }
  CHECK(outcome<docs_root::heap>(docs_root::app, kept()) == 11);
  CHECK(outcome<docs_root::heap>(docs_root::app, kept()) == 12);
  std::filesystem::remove_all(path);
}

namespace docs_supervisor {
// docs/supervisor.md
struct divide {
  int by = 1;
  void serialize(auto& ar) { ar(by); }
};
struct divider {
  using protocol = cairn::protocol<divide>;
  int asked = 0;
  void serialize(auto& ar) { ar(asked); }
  int on(divide what) {
    ++asked;
    if (what.by == 0) throw std::domain_error{"division by zero"};
    return 100 / what.by + asked;
  }
};

cairn::task<int> app(cairn::root& root) {
  auto clerk = root.supervise("desk", {.attempts = 2}).spawn<divider>("clerk");
  clerk.tell<divide>(0);                    // tried three times, then a dead letter
  co_return co_await clerk.ask<divide>(4);  // 26: the failed one has never counted
}
// end
}  // namespace docs_supervisor

TEST_CASE("docs: a supervisor gives a bad message up and keeps the rest") {
  CHECK(outcome<docs_supervisor::divider>(docs_supervisor::app) == 26);
}

namespace docs_asio {
// docs/asio.md
struct sell {
  int cents = 0;
  void serialize(auto& ar) { ar(cents); }
};

struct till {
  using protocol = cairn::protocol<sell>;
  int sum = 0;
  void serialize(auto& ar) { ar(sum); }
  int on(sell what) { return sum += what.cents; }
};

int sell_twice(cairn::ref<till> from) {  // any thread outside
  std::future<int> first = cairn::async_ask<sell>(from, asio::use_future, 150);
  const cairn::outside_ask safe{.when = cairn::committed, .timeout = 10s};
  std::future<int> second = cairn::async_ask<sell>(from, safe, asio::use_future, 50);
  return first.get() + second.get();  // 150 + 200; the second is in the store
}
// end

// docs/journal.md
using door = std::pair<cairn::journal<till>, cairn::ref<till>>;

cairn::task<int> serve(cairn::root& root, std::promise<door>* opened) {
  auto one = root.supervise("shop").spawn<till>("till");
  opened->set_value({cairn::journal<till>{root, "sales", one}, one});
  co_await root.until_stopped();
  co_return co_await one.ask<sell>(0);
}

void sell_for_ever(const cairn::journal<till>& into) {  // any thread outside
  into.async_post<sell>(asio::use_future, 7).get();     // durable from here on
}
// end
}  // namespace docs_asio

TEST_CASE("docs: actors are asked from outside, and a journal survives a crash") {
  using namespace docs_asio;
  const cairn::memory_store store;
  for (const bool first : {true, false}) {
    auto how = over(store);
    if (!first) how.epoch.every = 1ms;
    cairn::system<cairn::actors<till>> shop{std::move(how)};
    std::promise<door> opened;
    shop.start([&](cairn::root& root) { return serve(root, &opened); });
    const auto [port, one] = opened.get_future().get();
    if (first) {
      sell_for_ever(port);
      continue;  // a crash, and no epoch has covered it
    }
    while (cairn::async_ask<sell>(one, asio::use_future, 0).get() == 0) continue;
    CHECK(sell_twice(one) == 7 + 150 + 7 + 200);
    shop.request_stop();
    shop.wait();
    CHECK(shop.stop().code == 207);
  }
}
