// RocksDB opened and every key read, checksums verified; in ms.
#include "../with/rocksdb.hpp"

namespace bench {

double load(const settings& how) {
  const temporary_directory place{how.directory};
  {
    const auto closed = filled(place, crowd_of(how));
  }
  const double began = now_ns();
  const auto all = open_database(place);
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  const std::unique_ptr<rocksdb::Iterator> each{all->NewIterator(options)};
  std::uint64_t found = 0;
  for (each->SeekToFirst(); each->Valid(); each->Next()) found += each->value().size();
  const double took = now_ns() - began;
  require(found == crowd_of(how) * state_bytes, "keys are missing");
  return took / 1e6;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "rocksdb", {{"recovery-1000000", "ms", when::always, &load}});
}
