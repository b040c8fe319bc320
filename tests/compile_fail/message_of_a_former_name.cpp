// expect: two messages of a protocol share a type_name, or one has it and the other had it
#include "cairn/actor.hpp"

struct ping {};
struct pong {};
template <>
inline constexpr auto cairn::former_names<pong> = cairn::names("ping");
struct bob {
  using protocol = cairn::protocol<ping, pong>;
  void on(ping) {}
  void on(pong) {}
};

void describe(cairn::detail::registry& types) { cairn::actors<bob>::describe(types); }
