// expect: give self.run what has a name
#include <string>

#include "cairn/context.hpp"

struct note {
  std::string text;
};
struct actor {
  using protocol = cairn::protocol<>;
};

std::size_t length(note what) { return what.text.size(); }

void go(cairn::context<actor>& self) { (void)self.run("length", &length, note{"a text"}); }
