// expect: build the message in place
#include <functional>
#include <string>

#include "cairn/ref.hpp"

struct letter {
  std::function<void()> later;
};
struct actor {
  using protocol = cairn::protocol<letter>;
  void on(letter) {}
};

void say(const cairn::ref<actor>& to, const std::string& text) {
  to.tell<letter>([text] { (void)text; });
}
