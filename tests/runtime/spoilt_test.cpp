// Values that cannot be written: nothing of them is in a snapshot, so nobody handles them either.
#include <atomic>
#include <stdexcept>
#include <string>

#include "fixture.hpp"

namespace spoilt {

using cairn::errc;
using cairn::event_kind;
using fixture::bench;
using namespace std::chrono_literals;

/// Whether `fragile` can be written now.
std::atomic<bool> broken{false};

struct fragile {
  int value = 0;
  void save(auto& ar) const {
    if (broken.load(std::memory_order_relaxed)) throw std::runtime_error{"cannot be written"};
    ar(value);
  }
  void load(auto& ar) { ar(value); }
};
struct add {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct wait_for {};
struct open_gate {};
struct get {};
struct show {};

/// Answers once it has been opened.
struct gate {
  using protocol = cairn::protocol<wait_for, open_gate, get>;
  bool is_open = false;
  void serialize(auto& ar) { ar(is_open); }
  cairn::task<int> on(wait_for, cairn::context<gate>& self) {
    co_await self.sleep(1h);
    co_return 1;
  }
  void on(open_gate) {}
  fragile on(get) const { return {7}; }
};

struct clerk {
  using protocol = cairn::protocol<fragile, add, wait_for, get, show>;
  cairn::ref<gate> at{};
  std::string diary{};
  void serialize(auto& ar) { ar(at, diary); }
  void on(fragile what) { diary += "fragile " + std::to_string(what.value) + ";"; }
  void on(add what) { diary += std::to_string(what.value) + ";"; }
  cairn::task<> on(wait_for) { (void)co_await at.ask<wait_for>(); }
  cairn::task<> on(get) {
    const auto got = co_await at.ask<get>();
    (void)co_await at.ask<wait_for>();
    diary += "got " + std::to_string(got.value) + ";";
  }
  std::string on(show) const { return diary; }
};

using all = cairn::actors<gate, clerk>;

struct office {
  cairn::ref<gate> at{};
  cairn::ref<clerk> it{};
};
office office_of(cairn::root& root) {
  auto top = root.supervise("top");
  auto at = top.spawn<gate>("gate");
  return {at, top.spawn<clerk>("it", at)};
}

cairn::task<int> keep_it_waiting(cairn::root& root, const bench* on) {
  auto in = office_of(root);
  in.it.tell<wait_for>();
  in.it.tell<add>(1);
  in.it.tell<fragile>(2);
  in.it.tell<add>(3);
  broken.store(true, std::memory_order_relaxed);  // one worker: the tasks' own thread
  co_await root.checkpoint();
  broken.store(false, std::memory_order_relaxed);
  co_await root.checkpoint();
  on->clock.advance(2h);
  CHECK(co_await in.it.ask<show>() == "1;3;");
  co_return 0;
}

TEST_CASE("a message that cannot be written for a snapshot becomes a dead letter") {
  bench on;
  broken = false;
  fixture::crash<all>(on, [&](cairn::root& root) { return keep_it_waiting(root, &on); });
  INFO(on.told.text());
  const auto letters = on.told.of(event_kind::dead_letter, "it");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].letter.message == "spoilt::fragile");
  CHECK(letters[0].letter.code == errc::misuse);
  CHECK(on.told.count(event_kind::suspended) == 0);
  // And so it is in the snapshot, where it was in flight.
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto in = office_of(root);
    on.clock.advance(2h);
    CHECK(co_await in.it.ask<show>() == "1;3;");
    co_return 0;
  });
}

cairn::task<int> hold_what_breaks(cairn::root& root, const bench* on) {
  auto in = office_of(root);
  in.it.tell<get>();
  for (int at = 0; at < 20; ++at) co_await root.sleep(0ns);  // it holds the fragile answer now
  broken.store(true, std::memory_order_relaxed);
  const auto first = co_await root.checkpoint().as_result();
  CHECK(first.code() == errc::io);
  if (!first) CHECK(first.why().text.find("cannot be written") != std::string::npos);
  CHECK(on->told.count(event_kind::suspended, "it") == 1);
  broken.store(false, std::memory_order_relaxed);
  co_await root.checkpoint();
  root.resume(in.it);
  on->clock.advance(2h);
  CHECK(co_await in.it.ask<show>() == "got 7;");
  co_return 0;
}

TEST_CASE("an epoch is abandoned where what a handler was handed cannot be written") {
  bench on;
  broken = false;
  fixture::crash<all>(on, [&](cairn::root& root) { return hold_what_breaks(root, &on); });
  INFO(on.told.text());
  CHECK(on.told.count(event_kind::abandoned) == 1);
  CHECK(on.told.count(event_kind::dead_letter) == 0);
  fixture::crash<all>(on, [&](cairn::root& root) -> cairn::task<int> {
    auto in = office_of(root);
    root.resume(in.it);
    on.clock.advance(2h);
    CHECK(co_await in.it.ask<show>() == "got 7;");
    co_return 0;
  });
}

}  // namespace spoilt
