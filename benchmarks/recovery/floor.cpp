// The bare machine: as many bytes as the actors' records have, read and checksummed; in ms.
#include <fcntl.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../with/floor.hpp"

namespace bench {

template <std::uint32_t Actors, bool Cold>
double reading(const settings& how) {
  const temporary_directory place{how.directory};
  const std::string name = place.path() + "/file";
  const std::size_t actors = how.quick ? std::min(Actors, quick_actors) : Actors;
  {
    std::ofstream made{name, std::ios::binary};
    const std::string one(record_bytes, 'x');
    for (std::size_t at = 0; at < actors; ++at) made << one;
    require(made.flush().good(), "a file cannot be written");
  }
  const int file = open(name.c_str(), O_RDONLY);
  require(file >= 0 && fdatasync(file) == 0, "the file cannot be opened");
  if (Cold) require(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0, "posix_fadvise");
  std::vector<char> piece(1U << 20U);
  std::size_t bytes = 0;
  std::uint64_t sums = 0;
  const double began = now_ns();
  for (;;) {
    const auto got = read(file, piece.data(), piece.size());
    require(got >= 0, "the file cannot be read");
    if (got == 0) break;
    bytes += static_cast<std::size_t>(got);
    for (std::size_t at = 0; at < static_cast<std::size_t>(got); at += record_bytes) {
      const std::size_t left = static_cast<std::size_t>(got) - at;
      sums += XXH3_64bits(piece.data() + at, std::min(record_bytes, left));
    }
  }
  keep(sums);
  const double took = now_ns() - began;
  close(file);
  require(bytes == actors * record_bytes, "bytes are missing");
  return took / 1e6;
}

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "floor",
                 {{"recovery-100", "ms", when::always, &reading<100, false>},
                  {"recovery-1000000", "ms", when::always, &reading<many_actors, false>},
                  {"recovery-1000000-cold", "ms", when::always, &reading<many_actors, true>},
                  {"recovery-of-100", "ms", when::growth, &reading<100, false>},
                  {"recovery-of-1000", "ms", when::growth, &reading<1'000, false>},
                  {"recovery-of-10000", "ms", when::growth, &reading<10'000, false>},
                  {"recovery-of-100000", "ms", when::growth, &reading<100'000, false>},
                  {"recovery-of-1000000", "ms", when::growth, &reading<many_actors, false>}});
}
