// A program whose store the tests of cairn-store change: `program DIR write`, then `program DIR
// read`; `write few` keeps one dead letter.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <fmt/core.h>
#include <cairn/cairn.hpp>

namespace shop {

struct add {
  int value = 0;
  bool bad = false;
  void serialize(auto& ar) { ar(value, bad); }
};
struct total {};
struct hold {
  int value = 0;
  void serialize(auto& ar) { ar(value); }
};

/// Throws at what is bad, in a program that does not know better.
inline bool knows_better = false;
/// Dies of writing an unlucky sum.
inline bool dies = false;

struct till {
  using protocol = cairn::protocol<add, total, hold>;
  std::int64_t sum = 0;
  void serialize(auto& ar) {
    if (dies && sum == 13) {
      std::signal(SIGSEGV, SIG_DFL);
      (void)std::raise(SIGSEGV);
    }
    ar(sum);
  }
  void on_birth(cairn::context<till>& self) {
    self.send_after<add>(std::chrono::hours{1}, 0, false);  // a timer in its record
  }
  void on(add what) {
    if (what.bad && !knows_better) throw std::domain_error{"bad " + std::to_string(what.value)};
    sum += what.value;
  }
  std::int64_t on(total) const { return sum; }
  cairn::task<> on(hold what, cairn::context<till>& self) {
    sum += what.value;
    co_await self.sleep(std::chrono::hours{1000});
  }
};

cairn::task<std::string> state_of(cairn::ref<till> one) {
  auto asked = one.ask<total>().as_result();
  const auto found = co_await std::move(asked);
  if (!found) co_return "suspended";
  co_return std::to_string(found.value());
}

/// Three letters, one suspended actor, two savepoints.
cairn::task<int> write(cairn::root& root) {
  auto mild = root.supervise("mild", {.intensity = {.restarts = 100}, .attempts = 0});
  auto strict = root.supervise("strict", {.intensity = {.restarts = 0}});
  auto one = mild.spawn<till>("one");
  auto two = strict.spawn<till>("two");
  one.tell<add>(1, false);
  (void)co_await one.ask<total>();
  co_await root.savepoint("early");
  for (int at = 10; at < 13; ++at) one.tell<add>(at, true);
  two.tell<add>(100, true);
  two.tell<add>(1000, false);
  (void)co_await one.ask<total>();
  const auto state = co_await state_of(two);
  if (state != "suspended") co_return 1;
  co_await root.savepoint("late");
  co_return 0;
}

/// What there is, and what becomes of it where letters are delivered again.
cairn::task<int> read(cairn::root& root) {
  const auto kept = co_await root.dead_letters();
  std::string letters;
  for (const auto& each : kept.letters) letters += " " + std::to_string(raw(each.id));
  auto one = root.supervise("mild").spawn<till>("one");
  auto two = root.supervise("strict").spawn<till>("two");
  const auto first = co_await state_of(one);
  const auto second = co_await state_of(two);
  for (const auto& each : kept.letters) co_await root.deliver_again(each.id);
  const auto third = co_await state_of(one);
  fmt::print("letters{}; one {}; two {}; then one {}\n", letters, first, second, third);
  co_return 0;
}

/// The latest snapshot is a savepoint: there is no orderly end after it.
cairn::task<int> write_kept(cairn::root& root) {
  auto one = root.supervise("mild").spawn<till>("one");
  one.tell<add>(1, false);
  co_await root.checkpoint();
  one.tell<add>(2, false);
  co_await root.savepoint("end");
  std::_Exit(0);
}

/// A suspended actor whose name is neither UTF-8 nor one line, and a letter of another.
cairn::task<int> write_names(cairn::root& root) {
  auto mild = root.supervise("mild", {.attempts = 0});
  auto strict = root.supervise("strict", {.intensity = {.restarts = 0}});
  auto one = mild.spawn<till>("b\xff\nc");
  auto two = strict.spawn<till>("a\xff\nb");
  one.tell<add>(10, true);
  two.tell<add>(100, true);
  (void)co_await one.ask<total>();
  const auto state = co_await state_of(two);
  co_return state == "suspended" ? 0 : 1;
}

/// Two handlers that have not ended: one of an actor, and one of a supervisor that is stopping a
/// child.
cairn::task<int> write_held(cairn::root& root) {
  auto one = root.supervise("mild").spawn<till>("one");
  one.tell<add>(1, false);
  one.tell<hold>(100);
  one.tell<add>(2, false);
  constexpr std::chrono::hours ever{1000};
  auto busy = root.supervise("busy");
  busy.with({.shutdown = ever}).spawn<till>("one").tell<hold>(100);
  busy.stop();
  co_await root.sleep(std::chrono::milliseconds{1});
  co_return 0;
}

/// Once it is given up.
cairn::task<int> read_held(cairn::root& root) {
  const auto state = co_await state_of(root.supervise("mild").spawn<till>("one"));
  const auto kept = co_await root.dead_letters();
  fmt::print("one {}, letters {}: {}\n", state, kept.letters.size(),
             kept.letters.empty() ? "" : kept.letters[0].letter.message);
  co_return 0;
}

/// Comes to what it dies of in each process.
cairn::task<int> write_deadly(cairn::root& root) {
  auto one = root.supervise("mild").spawn<till>("one");
  if (!root.restored()) one.tell<add>(1, false);
  co_await root.checkpoint();
  one.tell<add>(12, false);
  const auto state = co_await state_of(one);
  co_await root.checkpoint();
  fmt::print("one {}\n", state);
  co_return 0;
}

}  // namespace shop

int main(int count, char** words) {
  const std::string what = count == 3 ? words[2] : "";
  shop::knows_better = what == "read";
  shop::dies = what == "write deadly";
  cairn::options chosen;
  chosen.store = cairn::file_store{count > 1 ? words[1] : ""};
  chosen.epoch = {.every = {}, .messages = 0, .bytes = 0};
  chosen.workers = 1;
  if (what == "write few") chosen.dead_letters = 1;
  chosen.on_event = [](const cairn::event&) {};
  chosen.rest = {};
  const auto app = what == "read"          ? &shop::read
                   : what == "write kept"  ? &shop::write_kept
                   : what == "write names" ? &shop::write_names
                   : what == "write held"  ? &shop::write_held
                   : what == "read held"   ? &shop::read_held
                   : shop::dies            ? &shop::write_deadly
                                           : &shop::write;
  return cairn::run<cairn::actors<shop::till>>(app, std::move(chosen));
}
