// Before a snapshot at rest nothing begins that comes from outside, by a ref, an ask or a journal,
// and what comes once it is cut waits until it is committed. What handlers wait for comes in.
#include <algorithm>
#include <asio/use_future.hpp>
#include <cairn/asio.hpp>
#include <cairn/journal.hpp>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "by_hand.hpp"

namespace taking_in {

using namespace std::chrono_literals;
using cairn::event_kind;
using played::by_hand;

struct begin {};
struct word {
  std::string text{};
  void serialize(auto& ar) { ar(text); }
};
struct look {};

int looks_at_holes = 0;

struct digger {
  using protocol = cairn::protocol<begin, look>;
  int holes = 0;
  void serialize(auto& ar) { ar(holes); }
  cairn::task<void> on(begin, cairn::context<digger>& self) {
    holes += co_await self.run("dig", [] { return 1; });
  }
  int on(look) const {
    ++looks_at_holes;
    return holes;
  }
};

/// What it hears is seen by the test at once.
std::vector<std::string> heard;

struct listener {
  using protocol = cairn::protocol<word, look>;
  std::vector<std::string> words{};
  void serialize(auto& ar) { ar(words); }
  void on(word what) {
    heard.push_back(what.text);
    words.push_back(std::move(what.text));
  }
  std::vector<std::string> on(look) {
    heard.push_back("look");
    return words;
  }
};
using all = cairn::actors<digger, listener>;

struct crew {
  cairn::ref<digger> it{};
  cairn::ref<listener> ear{};
  cairn::journal<listener> port{};
};
crew declare(cairn::root& root) {
  const auto top = root.supervise("top");
  crew made{.it = top.spawn<digger>("it"), .ear = top.spawn<listener>("ear")};
  made.port = cairn::journal<listener>{root, "words", made.ear};
  return made;
}

/// A system at rest but for one handler, which waits for what a test does when it likes.
struct rest_by_hand {
  fixture::bench on{};
  by_hand hand{};
  crew who{};

  cairn::options options(unsigned workers) {
    heard.clear();
    looks_at_holes = 0;
    on.workers = workers;
    auto chosen = on.options();
    chosen.rest = std::chrono::hours{1};
    chosen.schedulers = [&](cairn::seats of) { return std::make_unique<by_hand::seat>(hand, of); };
    return chosen;
  }
  void start(cairn::system<all>& running, bool keeps) {
    running.start([this, keeps](cairn::root& root) { return live(root, this, keeps); });
    hand.until_quiet();
    post("before");  // the journal's thread goes on once this one has come
    REQUIRE(who.it.where().where->busy());
    REQUIRE(heard == std::vector<std::string>{"before"});
    heard.clear();
    on.clock.advance(1s);
    hand.until_quiet();
    if (keeps) return;
    running.inner().request_last_epoch([](const cairn::detail::epoch_end&) {});
    hand.until_quiet();
  }
  static cairn::task<int> live(cairn::root& root, rest_by_hand* here, bool keeps) {
    here->who = declare(root);
    here->who.it.tell<begin>();
    co_await root.sleep(1s);
    if (keeps) co_await root.savepoint("kept", cairn::at_rest);
    co_return 0;
  }
  /// Returns when it is durable and on its way.
  void post(const char* text) {
    auto posted = who.port.async_post<word>(asio::use_future, text);
    while (posted.wait_for(0s) != std::future_status::ready) hand.until_quiet();
    posted.get();
    hand.until_quiet();
  }
  void until_written() {
    for (int times = 0; times < 100; ++times) {
      for (unsigned at = 0; at < hand.workers; ++at) hand.step(at);
    }
  }
};

/// What the listener of the next process has heard when a last word comes.
std::vector<std::string> next_life(fixture::bench& on) {
  std::promise<crew> made;
  auto chosen = on.options();
  cairn::system<all> running{std::move(chosen)};
  running.start([&](cairn::root& root) -> cairn::task<int> {
    made.set_value(declare(root));
    co_return 0;
  });
  const crew who = made.get_future().get();
  who.port.async_post<word>(asio::use_future, "last").get();
  for (;;) {
    auto words = cairn::async_ask<look>(who.ear, asio::use_future).get();
    if (!words.empty() && words.back() == "last") return words;
  }
}

TEST_CASE("what comes from outside waits until a snapshot at rest is cut, or is committed") {
  const bool keeps = GENERATE(true, false);
  rest_by_hand here;
  using words = std::vector<std::string>;
  {
    cairn::system<all> running{here.options(GENERATE(1U, 2U))};
    here.start(running, keeps);
    auto& told = here.on.told;
    REQUIRE(told.count(event_kind::epoch_begun) == 0);
    here.who.ear.tell<word>("told");
    auto asked = cairn::async_ask<look>(here.who.ear, asio::use_future);
    here.post("posted");
    CHECK(heard.empty());
    CHECK(told.count(event_kind::epoch_begun) == 0);

    (void)here.hand.steps.at(cairn::seats::runs)(0);
    here.hand.until_quiet();
    CHECK_FALSE(here.who.it.where().where->busy());  // an answer is taken in
    CHECK(heard.empty());
    for (int looks = 0; looks < 2; ++looks) {  // at what was counted the time before
      here.on.clock.advance(1s);
      here.until_written();
    }
    CHECK(told.count(event_kind::epoch_begun) == 1);
    CHECK(told.count(event_kind::unfinished) == 0);
    auto late = cairn::async_ask<look>(here.who.it, asio::use_future);
    here.who.ear.tell<word>("late");
    const auto before = heard;
    here.until_written();
    CHECK(told.count(event_kind::committed) == 0);
    CHECK(looks_at_holes == 0);
    CHECK(heard == before);
    here.hand.until_quiet();
    CHECK(told.count(event_kind::committed) == 1);
    CHECK(looks_at_holes == 1);
    std::sort(heard.begin(), heard.end());  // they have several senders
    CHECK(heard == words{"late", "look", "posted", "told"});
    CHECK(asked.get() == words{"before", "told"});
    CHECK(late.get() == 1);
  }
  heard.clear();
  // What it held of it was mail. What came later was in none, but for what a journal keeps.
  CHECK(next_life(here.on) == words{"before", "told", "posted", "last"});
  CHECK(heard[0] == "told");
  CHECK(heard[1] == "look");
}

}  // namespace taking_in
