// expect: two messages of a protocol share a type_name
#include "cairn/actor.hpp"

struct counter {
  using protocol = cairn::protocol<long, long long>;
  void on(long) {}
  void on(long long) {}
};

void describe(cairn::detail::registry& types) { cairn::actors<counter>::describe(types); }
