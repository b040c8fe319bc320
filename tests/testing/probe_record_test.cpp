// What a suspended handler was handed, from one process to the next and the one after: driven by a
// probe, which keeps answers in flight. And rows of messages, one by one.
#include <cstdint>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "bank.hpp"  // compiled together with what probes the bank

namespace recorded {

using namespace std::chrono_literals;

/// An answer whose class has a version.
struct quote {
  int cents = 0;
  std::string text{};
  void serialize(auto& ar, std::uint32_t version) {
    ar(cents);
    if (version > 1) ar(text);
  }
};
struct look_up {
  int what = 0;
  void serialize(auto& ar) { ar(what); }
};
struct shop {
  using protocol = cairn::protocol<look_up>;
  int asked = 0;
  void serialize(auto& ar) { ar(asked); }
  quote on(look_up what) {
    ++asked;
    return {what.what, "no small text, so that its bytes are not the object's own"};
  }
};

struct buy {};
struct doze {
  int times = 0;
  void serialize(auto& ar) { ar(times); }
};
struct look {};
struct buyer {
  using protocol = cairn::protocol<buy, doze, look>;
  cairn::ref<shop> from{};
  int spent = 0;
  std::string said{};
  void serialize(auto& ar) { ar(from, spent, said); }
  cairn::task<> on(buy) {
    quote first = co_await from.ask<look_up>(5);
    quote second = co_await from.ask<look_up>(7);
    spent = first.cents + second.cents;
    said = first.text;
  }
  cairn::task<> on(doze what, cairn::context<buyer>& self) {
    for (int at = 0; at < what.times; ++at) co_await self.sleep(1ms);
    spent = what.times;
  }
  int on(look) const { return spent; }
};

struct number {
  std::uint32_t value = 0;
  void serialize(auto& ar) { ar(value); }
};
struct push {
  int times = 0;
  void serialize(auto& ar) { ar(times); }
};
/// Its state is no plain bytes: what it consumes is logged.
struct ledger {
  using protocol = cairn::protocol<number>;
  std::vector<std::uint32_t> all{};
  void serialize(auto& ar) { ar(all); }
  void on(number what) { all.push_back(what.value); }
};
struct pusher {
  using protocol = cairn::protocol<push>;
  cairn::ref<ledger> to{};
  void serialize(auto& ar) { ar(to); }
  void on(push what) {
    for (int at = 0; at < what.times; ++at) to.tell<number>(static_cast<std::uint32_t>(at));
  }
};

using probe = cairn::testing::probe<cairn::actors<shop, buyer, ledger, pusher>>;

}  // namespace recorded

CEREAL_CLASS_VERSION(recorded::quote, 2)

namespace recorded {

TEST_CASE("an answer that was in flight in one snapshot is read back from the next one's log") {
  probe p;
  auto seller = p.spawn<shop>("shop");
  auto one = p.spawn<buyer>("buyer", seller);
  p.inject<buy>(one);
  p.expect<look_up>(seller);
  p.checkpoint();  // with the answer on its way
  p.restart();
  seller = p.spawn<shop>("shop");
  one = p.spawn<buyer>("buyer");
  p.expect<quote>(one, [](const quote& what) { return what.cents == 5; });
  p.checkpoint();  // with the answer in the log of a handler that waits for another one
  p.restart();
  seller = p.spawn<shop>("shop");
  one = p.spawn<buyer>("buyer");
  p.run();
  CHECK(p.state(one).spent == 12);
  CHECK(p.state(one).said.starts_with("no small text"));
}

TEST_CASE("what a handler may be handed is counted alike before and after a crash") {
  constexpr std::size_t bound = std::size_t{64} * 1024;
  probe p{{.configure = [](cairn::options& chosen) { chosen.max_history = bound; }}};
  auto one = p.spawn<buyer>("buyer");
  p.inject<doze>(one, 500);
  p.advance(450ms);
  p.checkpoint();  // some 100 bytes a sleep
  p.restart();
  one = p.spawn<buyer>("buyer");
  p.advance(60ms);
  CHECK(p.ask<look>(one) == 500);
}

TEST_CASE("a handler that is handed too much is given up after a crash as before it") {
  constexpr std::size_t bound = std::size_t{32} * 1024;
  probe p{{.configure = [](cairn::options& chosen) { chosen.max_history = bound; }}};
  auto one = p.spawn<buyer>("buyer");
  p.inject<doze>(one, 500);
  p.advance(250ms);
  p.checkpoint();
  p.restart();
  one = p.spawn<buyer>("buyer");
  p.advance(1s);
  CHECK(p.ask<look>(one) == 0);
}

TEST_CASE("each message of a row is delivered, and counted, once") {
  probe p;
  const auto to = p.spawn<ledger>("ledger");
  const auto from = p.spawn<pusher>("pusher", to);
  constexpr int many = 300;  // several times as many as a base's log holds
  p.inject<push>(from, many);
  CHECK(p.run(many) == many);
  CHECK(p.state(to).all.size() == many);
  CHECK(p.state(to).all.back() == many - 1);
}

}  // namespace recorded
