// expect: a handler takes its message as it is
#include "cairn/message.hpp"

struct ping {};
struct actor {
  using protocol = cairn::protocol<ping>;
  void on(ping&&) {}
};

static_assert(cairn::detail::check_handlers<actor>());
