// expect: or it is retired: one would be taken for the other
#include "cairn/actor.hpp"

struct ping {};
struct bob {
  using protocol = cairn::protocol<ping>;
  void on(ping) {}
};

using all = cairn::actors<bob, cairn::retired<"bob">>;
void describe(cairn::detail::registry& types) { all::describe(types); }
