// expect: two actors share a type_name
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
inline constexpr std::string_view cairn::type_name<ann> = "bob";

void describe(cairn::detail::registry& types) { cairn::actors<bob, ann>::describe(types); }
