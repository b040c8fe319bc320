// expect: on_commit would never be called: write void on_commit
#include "cairn/actor.hpp"

struct ping {};
struct actor final {
  using protocol = cairn::protocol<ping>;
  using persistence = cairn::ephemeral;
  void on(ping) {}
  void on_commit(int) {}
};

static_assert(cairn::detail::check_hooks<actor>());
