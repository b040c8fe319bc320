#include "counter.hpp"

namespace {

cairn::task<int> count(cairn::root& root) {
  auto one = root.supervise("top").spawn<counter>("one");
  one.tell<add>(1);
  one.tell<add>(2);
  co_return co_await one.ask<total>();
}

}  // namespace

int count_elsewhere() { return cairn::run<cairn::actors<counter>>(count); }
