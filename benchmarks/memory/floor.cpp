// The bare machine: what the allocator adds to 64 bytes, and what a million pointers take.
#include "../with/floor.hpp"

namespace bench {

template <std::size_t Objects>
double idle(const settings& how) {
  using state = std::array<std::uint64_t, 8>;
  const std::size_t count = how.quick ? std::min<std::size_t>(Objects, 100'000) : Objects;
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
  using namespace bench;
  return main_of(count, words, "floor",
                 {{"idle-bytes", "bytes", when::always, &idle<1'000'000>},
                  {"idle-bytes-of-1000", "bytes", when::growth, &idle<1'000>},
                  {"idle-bytes-of-10000", "bytes", when::growth, &idle<10'000>},
                  {"idle-bytes-of-100000", "bytes", when::growth, &idle<100'000>},
                  {"idle-bytes-of-1000000", "bytes", when::growth, &idle<1'000'000>}});
}
