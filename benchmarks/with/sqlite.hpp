// What SQLite's benchmarks share: as many rows as there are actors, 64 bytes each, in WAL mode with
// a sync for each transaction.
#pragma once

#include <array>
#include <memory>

#include <sqlite3.h>

#include "../common.hpp"
#include "../sizes.hpp"

namespace bench {

[[nodiscard]] inline std::uint64_t crowd_of(const settings& how) {
  return how.quick ? quick_actors : many_actors;
}

class database {
 public:
  explicit database(const temporary_directory& place) {
    sqlite3* made = nullptr;
    const int code = sqlite3_open((place.path() + "/store").c_str(), &made);
    all_.reset(made);
    require(code == SQLITE_OK, "sqlite3_open");
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
        "CREATE TABLE IF NOT EXISTS actors (id INTEGER PRIMARY KEY, state BLOB)");
    put_ = prepare("INSERT OR REPLACE INTO actors VALUES (?, ?)");
  }

  void run(const char* text) {
    require(sqlite3_exec(all_.get(), text, nullptr, nullptr, nullptr) == SQLITE_OK,
            sqlite3_errmsg(all_.get()));
  }
  /// A changed state of this actor.
  void put(std::uint64_t actor) {
    ++state_[0];
    sqlite3_bind_int64(put_.get(), 1, static_cast<sqlite3_int64>(actor));
    sqlite3_bind_blob(put_.get(), 2, state_.data(), state_bytes, SQLITE_STATIC);
    require(sqlite3_step(put_.get()) == SQLITE_DONE, sqlite3_errmsg(all_.get()));
    sqlite3_reset(put_.get());
  }
  /// Everyone has changed: one transaction. Milliseconds.
  double put_all(std::uint64_t actors) {
    const double began = now_ns();
    run("BEGIN");
    for (std::uint64_t each = 0; each < actors; ++each) put(each);
    run("COMMIT");
    return (now_ns() - began) / 1e6;
  }
  /// The bytes of all states.
  [[nodiscard]] std::uint64_t read_all() {
    const auto rows = prepare("SELECT state FROM actors");
    std::uint64_t bytes = 0;
    while (sqlite3_step(rows.get()) == SQLITE_ROW) {
      bytes += static_cast<std::uint64_t>(sqlite3_column_bytes(rows.get(), 0));
    }
    return bytes;
  }

 private:
  struct closer {
    void operator()(sqlite3* gone) const noexcept { sqlite3_close_v2(gone); }
    void operator()(sqlite3_stmt* gone) const noexcept { sqlite3_finalize(gone); }
  };
  using statement = std::unique_ptr<sqlite3_stmt, closer>;

  [[nodiscard]] statement prepare(const char* text) {
    sqlite3_stmt* made = nullptr;
    require(sqlite3_prepare_v2(all_.get(), text, -1, &made, nullptr) == SQLITE_OK,
            sqlite3_errmsg(all_.get()));
    return statement{made};
  }

  std::unique_ptr<sqlite3, closer> all_;
  statement put_;
  std::array<std::uint64_t, state_bytes / 8> state_{};
};

}  // namespace bench
