// Two translation units that both include all of cairn: what one defines twice does not link.
#include <cstdio>

#include "counter.hpp"

namespace {

cairn::task<int> count(cairn::root& root) {
  auto one = root.supervise("top").spawn<counter>("one", 10);
  one.tell<add>(32);
  co_await root.checkpoint();
  co_return co_await one.ask<total>();
}

}  // namespace

int main() {
  const int here = cairn::run<cairn::actors<counter>>(count);
  const int elsewhere = count_elsewhere();
  std::printf("cairn %s: %d and %d\n", cairn::version_text.data(), here, elsewhere);
  return here == 42 && elsewhere == 3 ? 0 : 1;
}
