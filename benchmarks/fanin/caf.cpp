// Several actors send to one that counts. ns per message.
#include "../with/fanin_caf.hpp"

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "caf",
                 {{"fanin-8", "ns", when::always, &fan_in<nothing, 8>},
                  {"fanin-100", "ns", when::always, &fan_in<nothing, 100>},
                  {"fanin-2", "ns", when::always, &fan_in<nothing, 8, 2>}});
}
