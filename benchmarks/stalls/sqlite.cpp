// Who writes to SQLite waits for the whole transaction; in us.
#include "../with/sqlite.hpp"

namespace bench {

double stall(const settings& how) {
  const temporary_directory place{how.directory};
  database all{place};
  (void)all.put_all(crowd_of(how));
  std::vector<double> us;
  for (int at = 0; at < 3; ++at) us.push_back(1000 * all.put_all(crowd_of(how)));
  return quantile(us, 0.5);
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "sqlite", {{"stall-all", "us", when::always, &stall}});
}
