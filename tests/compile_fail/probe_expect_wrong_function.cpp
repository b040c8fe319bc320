// expect: write \[\]\(const message& what\)
#include <cairn/testing/probe.hpp>

struct deposit {
  int cents = 0;
  void serialize(auto& ar) { ar(cents); }
};
struct account {
  using protocol = cairn::protocol<deposit>;
  int cents = 0;
  void serialize(auto& ar) { ar(cents); }
  void on(deposit what) { cents += what.cents; }
};

void test(cairn::testing::probe<cairn::actors<account>>& p, const cairn::ref<account>& alice) {
  p.expect<deposit>(alice, [](deposit& what) { return what.cents == 1; });
}
