// expect: call<actor, pong>
#include "cairn/ref.hpp"

struct ping {};
struct pong {};
struct actor {
  using protocol = cairn::protocol<ping, pong>;
  void on(ping) {}
};

// What an ask of it is answered with nobody says: the compiler names the actor and the message.
void say(const cairn::ref<actor>& to) { (void)to.ask<pong>(); }
