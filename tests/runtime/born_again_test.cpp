// A permanent actor that has stopped itself is born again, whatever there is room for in its
// mailbox, and takes no room from its messages by that.
#include <stdexcept>
#include <string>

#include <cairn/supervisor.hpp>

#include "fixture.hpp"

namespace born_again {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct item {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct end {};
struct show {};
struct nap {};
struct fail {};

/// Its diary says what it has lived through.
template <class Self>
struct phoenix {
  using protocol = cairn::protocol<item, end, show>;
  std::string diary{};
  void serialize(auto& ar) { ar(diary); }
  void on_birth(cairn::context<Self>&) { diary += "born "; }
  void on(item what) { diary += std::to_string(what.value) + " "; }
  void on(end, cairn::context<Self>& self) { self.stop("of its own"); }
  std::string on(show) const { return diary; }
};
struct drops_newest : phoenix<drops_newest> {
  static constexpr cairn::mailbox_options mailbox{.capacity = 3};
};
struct drops_oldest : phoenix<drops_oldest> {
  static constexpr cairn::mailbox_options mailbox{.capacity = 3,
                                                  .when_full = cairn::overflow::drop_oldest};
};

/// Has room for one.
struct narrow {
  using protocol = cairn::protocol<item, show>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 1};
  std::string diary{};
  void serialize(auto& ar) { ar(diary); }
  void on_birth(cairn::context<narrow>&) { diary += "born "; }
  void on(item what) { diary += std::to_string(what.value) + " "; }
  std::string on(show) const { return diary; }
};

struct guest {
  using protocol = cairn::protocol<nap, fail>;
  int naps = 0;
  void serialize(auto& ar) { ar(naps); }
  cairn::task<> on(nap, cairn::context<guest>& self) {
    co_await self.sleep(1h);
    ++naps;
  }
  void on(fail) { throw std::domain_error{"hopeless"}; }
};

using all = cairn::actors<drops_newest, drops_oldest, narrow, guest>;

using fixture::come_to_rest;

/// Its supervisor, which decides about a group, is stopping a room, and that takes an hour. So long
/// the actor that has stopped itself stands before its birth.
template <class A>
cairn::task<cairn::ref<A>> enter(cairn::root& root) {
  const auto rules =
      cairn::supervisor_options{.strategy = cairn::one_for_all}.on<std::domain_error>(cairn::stop);
  const auto house = root.supervise("house", rules);
  auto made = house.with({.restart = cairn::permanent}).template spawn<A>("it");
  const auto room =
      house.supervise("room", cairn::supervisor_options{}.on<std::domain_error>(cairn::escalate));
  if (root.restored()) co_return made;
  room.with({.shutdown = 10h}).template spawn<guest>("sleeper").template tell<nap>();
  room.template spawn<guest>("hopeless").template tell<fail>();
  co_await come_to_rest(root);
  made.template tell<item>(-1);
  made.template tell<end>();
  co_await come_to_rest(root);
  co_return made;
}
/// Ten are sent to it meanwhile, and one more in each process but the last.
template <class A>
cairn::task<int> overflow_before_birth(cairn::root& root, bench* on, std::size_t crashes) {
  const auto it = co_await enter<A>(root);
  const auto lives = on->told.count(event_kind::restored);
  const int from = lives == 0 ? 0 : 20;
  const int count = lives == 0 ? 10 : lives < crashes ? 1 : 0;
  for (int value = from; value < from + count; ++value) it.template tell<item>(value);
  co_await come_to_rest(root);
  auto asked = it.template ask<show>().as_result();
  const auto answer = co_await std::move(asked);
  CHECK(answer.code() == errc::mailbox_full);
  if (lives < crashes) {
    co_await root.checkpoint();
    co_return 0;
  }
  on->clock.advance(1h);
  co_await come_to_rest(root);
  const std::string diary = co_await it.template ask<show>();
  CHECK(diary == "born 0 1 2 ");
  co_return 0;
}
template <class A>
void check_overflow(std::size_t crashes) {
  INFO(crashes << " crashes");
  bench on;
  for (std::size_t run = 0; run <= crashes; ++run) {
    fixture::crash<all>(
        on, [&](cairn::root& top) { return overflow_before_birth<A>(top, &on, crashes); });
  }
  INFO(on.told.text());
  const auto asks = crashes + 1;
  const auto letters = asks + 7 + (crashes == 2 ? 1 : 0);
  CHECK(on.told.count(event_kind::dead_letter, "it") == letters);
  CHECK(on.told.count(event_kind::restarted, "it") == 1);
}

TEST_CASE("who is born again is so before its messages, and takes no room from them") {
  const std::size_t crashes = GENERATE(0U, 1U, 2U);
  check_overflow<drops_newest>(crashes);
  check_overflow<drops_oldest>(crashes);
}

TEST_CASE("what is sent to a newborn has all the room that there is") {
  bench on;
  fixture::crash<all>(on, [](cairn::root& root) -> cairn::task<int> {
    const auto it = root.supervise("top").spawn<narrow>("it");
    it.tell<item>(1);
    co_await come_to_rest(root);
    const std::string diary = co_await it.ask<show>();
    CHECK(diary == "born 1 ");
    co_return 0;
  });
  CHECK(on.told.count(event_kind::dead_letter) == 0);
}

TEST_CASE("who has stopped itself too often, and is resumed, is born before its messages") {
  bench on;
  const bool crashes = GENERATE(false, true);
  const auto app = [&](cairn::root& top) {
    return [](cairn::root& root, bool restarts) -> cairn::task<int> {
      const auto door = root.supervise("top", {.intensity = {.restarts = 0}});
      const auto it = door.with({.restart = cairn::permanent}).spawn<drops_newest>("it");
      if (!root.restored()) {
        co_await come_to_rest(root);
        it.tell<item>(1);
        it.tell<end>();
        it.tell<item>(2);
        co_await come_to_rest(root);
        it.tell<item>(3);
        it.tell<item>(4);
        it.tell<item>(5);
        co_await come_to_rest(root);
        co_await root.checkpoint();
        if (restarts) co_return 0;
      }
      door.resume();
      co_await come_to_rest(root);
      const std::string diary = co_await it.ask<show>();
      CHECK(diary == "born 2 3 4 ");
      co_return 0;
    }(top, crashes);
  };
  fixture::crash<all>(on, app);
  if (crashes) fixture::crash<all>(on, app);
  CHECK(on.told.count(event_kind::suspended, "it") == 1);
  CHECK(on.told.count(event_kind::dead_letter) == 1);
}

}  // namespace born_again
