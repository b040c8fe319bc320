// expect: a handler takes its message by value
#include "cairn/message.hpp"

struct ping {};
struct actor {
  using protocol = cairn::protocol<ping>;
  void on(const ping&) {}
};

static_assert(cairn::detail::check_handlers<actor>());
