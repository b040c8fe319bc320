// Several actors send to one that counts. ns per message; `fanin-2`: across two threads.
#include "../with/fanin_rotor.hpp"

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rotor",
                 {{"fanin-8", "ns", when::always, &fan_in<nothing, 8>},
                  {"fanin-100", "ns", when::always, &fan_in<nothing, 100>},
                  {"fanin-2", "ns", when::always, &fan_in<nothing, 8, 2>}});
}
