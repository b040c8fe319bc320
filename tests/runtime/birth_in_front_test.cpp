// The hook of a birth that waits in front of a full mailbox stays there, whatever is to be dropped:
// also where it has failed, and in the next process.
#include <stdexcept>

#include <cairn/supervisor.hpp>

#include "fixture.hpp"

namespace birth_in_front {

using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

struct item {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct show {};

bool hard = true;

struct late_born {
  using protocol = cairn::protocol<item, show>;
  static constexpr cairn::mailbox_options mailbox{.capacity = 3,
                                                  .when_full = cairn::overflow::drop_oldest};
  std::string diary{};
  void serialize(auto& ar) { ar(diary); }
  void on_birth(cairn::context<late_born>&) {
    if (hard) throw std::runtime_error{"a hard birth"};
    diary += "born ";
  }
  void on(item what) { diary += std::to_string(what.value) + " "; }
  std::string on(show) const { return diary; }
};

using all = cairn::actors<late_born>;

cairn::task<> settle(cairn::root& root) {
  for (int at = 0; at < 20; ++at) co_await root.sleep(0ns);
}
cairn::ref<late_born> enter(cairn::root& root) {
  const cairn::supervisor_options patient{.attempts = 9, .backoff = {.first = 60s, .jitter = 0}};
  return root.supervise("top", patient).spawn<late_born>("one");
}
void send_too_much(cairn::ref<late_born> to, int from) {
  for (int value = from; value < from + 10; ++value) to.tell<item>(value);
}

/// What it has handled then. The mailbox holds three behind the birth; where what is exempt from
/// the bound stands in front, the newest goes.
cairn::task<std::string> be_born(cairn::root& root, cairn::ref<late_born> one, const bench* on) {
  hard = false;
  on->clock.advance(60s);
  co_await settle(root);
  std::string found = co_await one.ask<show>();
  co_return found;
}

TEST_CASE(
    "a birth that has failed, and waits to be tried again, is not what a full mailbox drops") {
  bench on;
  hard = true;
  std::string diary;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto one = enter(root);
    co_await settle(root);
    CHECK(on.told.count(event_kind::failed, "one") == 1);
    send_too_much(one, 0);
    co_await settle(root);
    diary = co_await be_born(root, one, &on);
    co_return 0;
  });
  CHECK(diary == "born 0 1 2 ");
  CHECK(on.told.count(event_kind::dead_letter) == 7);
}

TEST_CASE("a birth that a snapshot gives back is not what a full mailbox drops either") {
  bench on;
  hard = true;
  std::string diary;
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto one = enter(root);
    co_await settle(root);
    send_too_much(one, 0);
    co_await settle(root);
    co_await root.checkpoint();
    co_return 0;
  });
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto one = enter(root);
    send_too_much(one, 10);
    co_await settle(root);
    diary = co_await be_born(root, one, &on);
    co_return 0;
  });
  CHECK(diary == "born 0 1 2 ");
  CHECK(on.told.count(event_kind::dead_letter) == 17);
}

}  // namespace birth_in_front
