// Who writes to RocksDB waits for the whole synced batch; in us.
#include "../with/rocksdb.hpp"

namespace bench {

double stall(const settings& how) {
  const temporary_directory place{how.directory};
  const auto all = filled(place, crowd_of(how));
  std::vector<double> us;
  for (int at = 0; at < 3; ++at) us.push_back(1000 * write_all(*all, crowd_of(how)));
  return quantile(us, 0.5);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rocksdb", {{"stall-all", "us", when::always, &stall}});
}
