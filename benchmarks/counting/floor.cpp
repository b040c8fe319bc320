// The bare machine: 1,000 nodes pushed to a plain queue, then popped.
#include "../with/fanin_floor.hpp"

int main(int count, char** words) {
  return bench::main_of(count, words, "floor",
                        {{"counting", "ns", bench::when::always, &bench::fan_in<1>}});
}
