// expect: on_birth would never be called: write void on_birth
#include "cairn/actor.hpp"

struct ping {};
struct actor {
  using protocol = cairn::protocol<ping>;
  using persistence = cairn::ephemeral;
  void on(ping) {}
  void on_birth() {}
};

static_assert(cairn::detail::check_hooks<actor>());
