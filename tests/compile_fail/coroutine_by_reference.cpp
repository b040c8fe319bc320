// expect: a coroutine takes its message by value
#include "cairn/message.hpp"
#include "cairn/task.hpp"

struct ping {};
struct actor {
  using protocol = cairn::protocol<ping>;
  cairn::task<> on(const ping&) { co_return; }
};

static_assert(cairn::detail::check_handlers<actor>());
