// One actor sends, another one counts. ns per message.
#include "../with/fanin_cairn.hpp"

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_rows(all, "counting", &fan_in<nothing, plain, 1>, &fan_in<nothing, owning, 1>);
  add_both(all, "counting-64B", &fan_in<bytes<56>, plain, 1>, when::full);
  add_both(all, "counting-1024B", &fan_in<bytes<1016>, plain, 1>, when::full);
  add_both(all, "counting-string", &fan_in<std::string, plain, 1>, when::full);
  add_both(all, "counting-string-owning", &fan_in<std::string, owning, 1>, when::full);
  add_both(all, "counting-vector", &fan_in<numbers, plain, 1>, when::full);
  return main_of(count, words, "cairn", all);
}
