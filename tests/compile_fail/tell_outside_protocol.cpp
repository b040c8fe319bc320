// expect: the actor's protocol does not list this message
#include "cairn/ref.hpp"

struct ping {};
struct pong {};
struct actor {
  using protocol = cairn::protocol<ping>;
  void on(ping) {}
  void on(pong) {}
};

void say(const cairn::ref<actor>& to) { to.tell<pong>(); }
