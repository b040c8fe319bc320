// SQLite opened and every row read; in ms.
#include "../with/sqlite.hpp"

namespace bench {

double load(const settings& how) {
  const temporary_directory place{how.directory};
  {
    database closed{place};
    (void)closed.put_all(crowd_of(how));
  }
  const double began = now_ns();
  database all{place};
  const std::uint64_t bytes = all.read_all();
  const double took = now_ns() - began;
  require(bytes == crowd_of(how) * state_bytes, "rows are missing");
  return took / 1e6;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sqlite", {{"recovery-1000000", "ms", when::always, &load}});
}
