// expect: the actor's protocol does not list this message
#include "cairn/ref.hpp"

struct ping {};
struct pong {};
struct actor {
  using protocol = cairn::protocol<ping>;
  void on(ping) {}
  int on(pong) { return 1; }
};

void say(const cairn::ref<actor>& to) { (void)to.ask<pong>(); }
