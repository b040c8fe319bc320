// expect: the protocol lists a message without a handler
#include "cairn/message.hpp"

struct ping {};
struct actor {
  using protocol = cairn::protocol<ping>;
};

static_assert(cairn::detail::check_handlers<actor>());
