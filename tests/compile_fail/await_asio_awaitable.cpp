// expect: a handler awaits what cairn can record
#include <asio/awaitable.hpp>
#include <coroutine>

#include "cairn/message.hpp"
#include "cairn/task.hpp"

asio::awaitable<int> read_elsewhere();

struct ping {};
struct actor {
  using protocol = cairn::protocol<ping>;
  int count = 0;
  void serialize(auto& archive) { archive(count); }
  cairn::task<> on(ping) { co_await read_elsewhere(); }
};
