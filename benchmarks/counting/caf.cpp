// One actor sends, another one counts. ns per message.
#include "../with/fanin_caf.hpp"

int main(int count, char** words) {
  return bench::main_of(count, words, "caf",
                        {{"counting", "ns", bench::when::always, &bench::fan_in<1>}});
}
