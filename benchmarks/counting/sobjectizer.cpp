// One agent sends, another one counts. ns per message.
#include "../with/fanin_sobjectizer.hpp"

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sobjectizer", {{"counting", "ns", when::always, &fan_in<1>}});
}
