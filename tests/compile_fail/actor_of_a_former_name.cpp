// expect: two actors share a type_name, or one has it and the other had it
#include "cairn/actor.hpp"

struct ping {};
struct bob {
  using protocol = cairn::protocol<ping>;
  void on(ping) {}
};
struct ann {
  using protocol = cairn::protocol<ping>;
  void on(ping) {}
};
template <>
inline constexpr auto cairn::former_names<ann> = cairn::names("bob");

void describe(cairn::detail::registry& types) { cairn::actors<bob, ann>::describe(types); }
