// What `on_commit` leads to is waited for by an orderly end, however it ends itself.
#include <string>

#include "fixture.hpp"

namespace noticing {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct fetch {};
struct show {};
struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};

fixture::faults planned;

struct library {
  using protocol = cairn::protocol<fetch>;
  int given = 0;
  void serialize(auto& ar) { ar(given); }
  std::string on(fetch) {
    ++given;
    return std::string(2000, 'x');
  }
};

/// After each commit it asks, for as long as it has been told to, and then may fail.
struct reader {
  using protocol = cairn::protocol<add, show>;
  cairn::ref<library> from{};
  int wants = 0;
  int got = 0;
  int commits = 0;
  std::string state{};
  void serialize(auto& ar) { ar(from, wants, got, commits, state); }
  void on(add what) { wants = what.value; }
  int on(show) const { return got; }
  cairn::task<> on_commit(cairn::epoch) {
    ++commits;
    while (got < wants) {
      (void)co_await from.ask<fetch>();
      ++got;
      planned.check(got);
    }
  }
};

using all = cairn::actors<library, reader>;

cairn::task<int> read(cairn::root& root, int pieces) {
  auto top = root.supervise("top", {.intensity = {.restarts = 1, .within = 1h}});
  auto from = top.spawn<library>("from");
  auto it = top.spawn<reader>("it", reader{.from = from});
  it.tell<add>(pieces);
  co_await root.checkpoint();
  for (int at = 0; at < 3000; ++at) co_await root.sleep(0ns);  // a step of the only worker each
  co_return 0;
}

/// What is left to wait for after an orderly end.
std::int64_t left_after(bench& on, cairn::options chosen, int pieces) {
  cairn::system<all> running{std::move(chosen)};
  running.start([&](cairn::root& root) { return read(root, pieces); });
  running.wait();
  const auto how = running.stop();
  INFO(on.told.text());
  CHECK(how.committed);
  return running.inner().notices.load(std::memory_order_relaxed);  // nobody runs any more
}

TEST_CASE("an orderly end does not wait for a commit's handler that was given up") {
  bench on;
  planned.clear();
  auto chosen = on.options();
  SECTION("for its history") {
    chosen.max_history = 64 * 1024;
    CHECK(left_after(on, std::move(chosen), 1000) == 0);
    CHECK(on.told.of(event_kind::failed, "it").at(0).what.code == cairn::errc::history_exceeded);
  }
  SECTION("after its attempts") {
    planned.plan(5, 2);
    CHECK(left_after(on, std::move(chosen), 10) == 0);
    CHECK(on.told.count(event_kind::given_up, "it") == 1);
  }
  SECTION("with its actor suspended") {
    planned.plan(3, 2);
    planned.plan(6, 1'000'000);
    CHECK(left_after(on, std::move(chosen), 10) == 0);
    CHECK(on.told.count(event_kind::suspended, "it") == 1);
  }
  SECTION("or that ended well") {
    CHECK(left_after(on, std::move(chosen), 10) == 0);
    CHECK(on.told.count(event_kind::failed) == 0);
  }
}

}  // namespace noticing

namespace bounded {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct fetch {};
struct page {
  int size = 0;
  void serialize(auto& ar) { ar(size); }
};
struct read {
  int pages = 0;
  void serialize(auto& ar) { ar(pages); }
};
struct fill {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};

struct shelf {
  using protocol = cairn::protocol<page>;
  int given = 0;
  void serialize(auto& ar) { ar(given); }
  std::string on(page what) {
    ++given;
    return std::string(static_cast<std::size_t>(what.size), 'p');
  }
};

struct scholar {
  using protocol = cairn::protocol<read, fill>;
  cairn::ref<shelf> from{};
  std::string memory{};
  void serialize(auto& ar) { ar(from, memory); }
  void on(fill) {}
  cairn::task<int> on(read what) {
    int size = 0;
    for (int at = 0; at < what.pages; ++at) {
      const std::string got = co_await from.ask<page>(4000);
      size += static_cast<int>(got.size());
    }
    co_return size;
  }
};

using all = cairn::actors<shelf, scholar>;

TEST_CASE("what an actor consumed before does not count as the history of its next handler") {
  bench on;
  auto chosen = on.options();
  chosen.max_history = 16 * 1024;
  fixture::crash<all>(std::move(chosen), [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto from = top.spawn<shelf>("from");
    // A large state, so that its log may grow as large before there is a new base.
    auto it = top.spawn<scholar>("it", scholar{from, std::string(256 * 1024, 'm')});
    for (int at = 0; at < 1000; ++at) it.tell<fill>(at);
    const int size = co_await it.ask<read>(2);
    CHECK(size == 8000);
    co_return 0;
  });
  CHECK(on.told.count(event_kind::failed) == 0);
}

TEST_CASE("the history of a handler counts with all that its answers own") {
  bench on;
  auto chosen = on.options();
  chosen.max_history = 64 * 1024;
  fixture::crash<all>(std::move(chosen), [&](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto from = top.spawn<shelf>("from");
    auto it = top.spawn<scholar>("it", scholar{from, {}});
    auto reading = it.ask<read>(100'000);  // 16 of them are too much, and a cut sees it
    while (on.told.count(event_kind::failed) == 0) co_await root.checkpoint();
    const auto ended = co_await std::move(reading).as_result();
    CHECK(ended.code() == cairn::errc::failed);
    co_return 0;
  });
  const auto failed = on.told.of(event_kind::failed, "it");
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].what.code == cairn::errc::history_exceeded);
}

}  // namespace bounded
