// expect: build the message in place
#include <string>

#include "cairn/ref.hpp"

struct note {
  std::string text;
};
struct letter {
  note inner;
};
struct actor {
  using protocol = cairn::protocol<letter>;
  void on(letter) {}
};

void say(const cairn::ref<actor>& to) { to.tell<letter>(note{"a text"}); }
