// expect: on_start would never be called, or be a coroutine
#include "cairn/actor.hpp"

struct ping {};
struct actor {
  using protocol = cairn::protocol<ping>;
  using persistence = cairn::ephemeral;
  void on(ping) {}
  void on_start() {}
};

static_assert(cairn::detail::check_hooks<actor>());
