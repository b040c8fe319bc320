// One coroutine sends, another one counts. ns per message.
#include "../with/fanin_tmc.hpp"

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "tmc", {{"counting", "ns", when::always, &fan_in<1>}});
}
