// One actor sends, another one counts. ns per message.
#include "../with/fanin_rotor.hpp"

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rotor", {{"counting", "ns", when::always, &fan_in<1>}});
}
