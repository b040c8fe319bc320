// RocksDB keeps the same state: one synced write batch is what an epoch is to cairn. In ms.
#include "../with/rocksdb.hpp"

namespace bench {

double few(const settings& how) {
  const temporary_directory place{how.directory};
  const auto all = filled(place, crowd_of(how));
  xorshift chance;
  std::vector<double> ms;
  for (int at = 0; at < (how.quick ? 20 : 60); ++at) {
    const double began = now_ns();
    rocksdb::WriteBatch batch;
    for (std::uint32_t each = 0; each < dirty_few; ++each) {
      put(batch, chance.next() % crowd_of(how));
    }
    write(*all, batch);
    ms.push_back((now_ns() - began) / 1e6);
  }
  return quantile(ms, 0.5);
}

double all_dirty(const settings& how) {
  const temporary_directory place{how.directory};
  const auto all = filled(place, crowd_of(how));
  std::vector<double> ms;
  for (int at = 0; at < epochs_of_all; ++at) ms.push_back(write_all(*all, crowd_of(how)));
  return quantile(ms, 0.5);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(
      count, words, "rocksdb",
      {{"epoch-few", "ms", when::always, &few}, {"epoch-all", "ms", when::always, &all_dirty}});
}
