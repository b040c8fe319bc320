// One actor sends, another one counts. ns per message.
#include "../with/fanin_rotor.hpp"

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rotor",
                 {{"counting", "ns", when::always, &fan_in<nothing, 1>},
                  {"counting-64B", "ns", when::full, &fan_in<bytes<56>, 1>},
                  {"counting-1024B", "ns", when::full, &fan_in<bytes<1016>, 1>},
                  {"counting-string", "ns", when::full, &fan_in<std::string, 1>},
                  {"counting-vector", "ns", when::full, &fan_in<numbers, 1>}});
}
