// The bare machine: a coroutine pushes a node and suspends; the node is popped, answered through
// another queue, popped, and the coroutine resumed.
#include <coroutine>

#include "../with/floor.hpp"

namespace bench {

struct frame {
  struct promise_type {
    frame get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

struct queues {
  queue asked;
  queue answered;
  node message{};
};

frame ask_all(queues& by, std::uint64_t rounds) {
  for (std::uint64_t at = 0; at < rounds; ++at) {
    by.message.value = at;
    by.asked.push(by.message);
    co_await std::suspend_always{};
    require(by.message.value == at + 1, "a wrong answer");
  }
}

double ask(const settings& how) {
  return repeat(how, 1, [](std::uint64_t rounds) {
    queues by;
    const frame asker = ask_all(by, rounds);
    asker.handle.resume();
    while (!asker.handle.done()) {
      node& taken = by.asked.pop();
      ++taken.value;
      by.answered.push(taken);
      keep(by);
      (void)by.answered.pop();
      asker.handle.resume();
    }
    asker.handle.destroy();
  });
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "floor", {{"ask", "ns", bench::when::always, &bench::ask}});
}
