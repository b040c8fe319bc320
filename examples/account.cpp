// An account that keeps its money; run it twice. The README's program, word for word.
#include <cairn/cairn.hpp>
#include <fmt/core.h>
using namespace std::chrono_literals;

struct deposit { std::int64_t cents; void serialize(auto& ar) { ar(cents); } };
struct balance {};

struct account {                                          // an actor is a plain struct
  using protocol = cairn::protocol<deposit, balance>;
  std::int64_t cents = 0;
  void serialize(auto& ar) { ar(cents); }                 // what its snapshot holds

  void on(deposit d) {                                    // a handler: plain, or a coroutine
    if (d.cents < 0) throw std::domain_error{"negative deposit"};
    cents += d.cents;
  }
  std::int64_t on(balance) { return cents; }              // what it returns answers an ask
};

cairn::task<int> app(cairn::root& root) {
  auto bank  = root.supervise("bank", {.strategy = cairn::one_for_one, .intensity = {.restarts = 3, .within = 10s}});
  auto alice = bank.spawn<account>("alice");              // restored, if the store knows bank/alice
  if (!root.restored()) alice.tell<deposit>(100);
  co_await root.checkpoint();                             // committed from here on
  alice.tell<deposit>(-1);                                // throws: restarted; the message becomes a dead letter
  fmt::print("{}\n", co_await alice.ask<balance>());      // 100
  co_return 0;
}

int main() {
  return cairn::run<cairn::actors<account>>(app, {.store = cairn::file_store{"bank.cairn"}, .epoch = {.every = 100ms}});
}
