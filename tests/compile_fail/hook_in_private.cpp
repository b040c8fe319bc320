// expect: on_start would never be called
#include "cairn/actor.hpp"

struct ping {};
class actor {
 public:
  using protocol = cairn::protocol<ping>;
  using persistence = cairn::ephemeral;
  void on(ping) {}

 private:
  void on_start(cairn::context<actor>&) {}
};

static_assert(cairn::detail::check_hooks<actor>());
