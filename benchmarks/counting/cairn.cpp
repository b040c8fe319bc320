// One actor sends, another one counts. ns per message.
#include "../with/fanin_cairn.hpp"

namespace bench {

template <class Load>
void add_load(std::vector<measurement>& to, const std::string& workload) {
  add_twins(to, workload, &fan_in<Load, plain, 1>, &fan_in<Load, owning, 1>);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_rows(all, "counting", &fan_in<nothing, plain, 1>, &fan_in<nothing, owning, 1>);
  add_load<bytes<56>>(all, "counting-64B");
  add_load<bytes<1016>>(all, "counting-1024B");
  add_load<std::string>(all, "counting-string");
  add_load<numbers>(all, "counting-vector");
  return main_of(count, words, "cairn", all);
}
