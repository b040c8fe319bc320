// The bare machine: what the allocator adds to 64 bytes, and what a million pointers take.
#include "../with/floor.hpp"

namespace bench {

double idle(const settings& how) {
  using state = std::array<std::uint64_t, 8>;
  const std::size_t count = how.quick ? 100'000 : 1'000'000;
  const double before = resident_bytes();
  std::vector<std::unique_ptr<state>> all;
  all.reserve(count);
  while (all.size() < count) all.push_back(std::make_unique<state>());
  for (auto& each : all) keep(each);
  const double bytes =
      (resident_bytes() - before) / static_cast<double>(count) - double{sizeof(state)};
  require(bytes > 0, "objects take no memory");
  return bytes;
}

}  // namespace bench

int main(int count, char** words) {
  return bench::main_of(count, words, "floor",
                        {{"idle-bytes", "bytes", bench::when::always, &bench::idle}});
}
