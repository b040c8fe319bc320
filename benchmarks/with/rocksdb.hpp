// What RocksDB's benchmarks share: as many keys as there are actors, 64 bytes each.
#pragma once

#include <array>
#include <memory>

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include "../common.hpp"
#include "../sizes.hpp"

namespace bench {

[[nodiscard]] inline std::uint64_t crowd_of(const settings& how) {
  return how.quick ? quick_actors : many_actors;
}

inline void check_status(const rocksdb::Status& status) { require(status.ok(), status.ToString()); }

[[nodiscard]] inline std::unique_ptr<rocksdb::DB> open_database(const temporary_directory& place) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.IncreaseParallelism(1);
  rocksdb::DB* made = nullptr;
  check_status(rocksdb::DB::Open(options, place.path() + "/store", &made));
  return std::unique_ptr<rocksdb::DB>{made};
}

/// A changed state of this actor.
inline void put(rocksdb::WriteBatch& batch, std::uint64_t actor) {
  static std::array<std::uint64_t, state_bytes / 8> state{};
  ++state[0];
  check_status(batch.Put({reinterpret_cast<const char*>(&actor), sizeof actor},
                         {reinterpret_cast<const char*>(state.data()), state_bytes}));
}

inline void write(rocksdb::DB& to, rocksdb::WriteBatch& batch) {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  check_status(to.Write(synced, &batch));
}

/// Everyone has changed: one batch. Milliseconds.
inline double write_all(rocksdb::DB& to, std::uint64_t actors) {
  const double began = now_ns();
  rocksdb::WriteBatch batch;
  for (std::uint64_t each = 0; each < actors; ++each) put(batch, each);
  write(to, batch);
  return (now_ns() - began) / 1e6;
}

[[nodiscard]] inline std::unique_ptr<rocksdb::DB> filled(const temporary_directory& place,
                                                         std::uint64_t actors) {
  auto made = open_database(place);
  (void)write_all(*made, actors);
  return made;
}

}  // namespace bench
