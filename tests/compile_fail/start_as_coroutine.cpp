// expect: on_start would never be called, or be a coroutine
#include "cairn/actor.hpp"

struct ping {};
struct actor {
  using protocol = cairn::protocol<ping>;
  using persistence = cairn::ephemeral;
  void on(ping) {}
  cairn::task<> on_start(cairn::context<actor>&) { co_return; }
};

static_assert(cairn::detail::check_hooks<actor>());
