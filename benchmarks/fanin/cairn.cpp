// Several actors send to one that counts. ns per message; `fanin-2`: eight senders pinned to one
// worker, the counter to another.
#include "../with/fanin_cairn.hpp"

int main(int count, char** words) {
  using namespace bench;
  std::vector<measurement> all;
  add_rows(all, "fanin-8", &fan_in<nothing, plain, 8>, &fan_in<nothing, owning, 8>);
  add_rows(all, "fanin-100", &fan_in<nothing, plain, 100>, &fan_in<nothing, owning, 100>);
  add_twins(all, "fanin-2", &fan_in<nothing, plain, 8, true>, &fan_in<nothing, owning, 8, true>,
            when::always);
  return main_of(count, words, "cairn", all);
}
