// expect: a closure here must be trivially destructible
#include <string>

#include "cairn/context.hpp"

struct actor {
  using protocol = cairn::protocol<>;
};

void go(cairn::context<actor>& self, const std::string& text) {
  (void)self.run("length", [text] { return text.size(); });
}
