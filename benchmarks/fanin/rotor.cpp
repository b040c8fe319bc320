// Several actors send to one that counts. ns per message.
#include "../with/fanin_rotor.hpp"

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rotor",
                 {{"fanin-8", "ns", when::always, &fan_in<8>},
                  {"fanin-100", "ns", when::always, &fan_in<100>}});
}
