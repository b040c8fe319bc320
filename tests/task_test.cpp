#include <cairn/task.hpp>

#include <stdexcept>
#include <string>

#include "catch.hpp"

namespace {

cairn::task<int> number(int value, int* begun) {
  ++*begun;
  co_return value;
}
cairn::task<std::string> text(int* begun) {
  const int first = co_await number(4, begun);
  const int second = co_await number(2, begun);
  co_return std::to_string(10 * first + second);
}
cairn::task<> throws() {
  throw std::domain_error{"inside"};
  co_return;
}
cairn::task<std::string> catches() {
  try {
    co_await throws();
  } catch (const std::domain_error& why) {
    co_return why.what();
  }
  co_return "nothing";
}

struct counted {
  explicit counted(int* at) : alive{at} { ++*alive; }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { --*alive; }
  int* alive;
};

/// Never goes on: its frame is destroyed where it stands.
struct forever {
  using cairn_awaitable = void;
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  void await_resume() const noexcept {}
};
cairn::task<> inner(int* alive) {
  const counted one{alive};
  co_await forever{};
}
cairn::task<> outer(int* alive) {
  const counted one{alive};
  co_await inner(alive);
}

}  // namespace

TEST_CASE("a task begins when it is driven and gives its result to who awaits it") {
  int begun = 0;
  auto started = text(&begun);
  CHECK(begun == 0);
  auto frame = std::move(started).release();
  frame.resume();
  REQUIRE(frame.done());
  CHECK(begun == 2);
  CHECK(frame.promise<cairn::task<std::string>::promise_type>().take() == "42");
}

TEST_CASE("an exception goes to who awaits the task") {
  auto frame = catches().release();
  frame.resume();
  CHECK(frame.promise<cairn::task<std::string>::promise_type>().take() == "inside");
  auto alone = throws().release();
  alone.resume();
  CHECK_THROWS_AS(alone.promise<cairn::task<>::promise_type>().take(), std::domain_error);
}

TEST_CASE("destroying a suspended task destroys every frame below it") {
  int alive = 0;
  {
    auto frame = outer(&alive).release();
    frame.resume();
    CHECK_FALSE(frame.done());
    CHECK(alive == 2);
  }
  CHECK(alive == 0);
}
