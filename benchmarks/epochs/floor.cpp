// The bare machine: bytes appended to a file and one fdatasync, for as many bytes as the records of
// the dirty actors have. For all of them also cereal alone; `epoch-all` is the slower of the two.
#include <fcntl.h>

#include <sstream>

#include <cereal/archives/binary.hpp>
#include <cereal/types/array.hpp>

#include "../with/floor.hpp"

namespace bench {

class appended_file {
 public:
  explicit appended_file(const settings& how)
      : place_{how.directory},
        file_{open((place_.path() + "/file").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600)} {
    require(file_ >= 0, "a file cannot be made");
  }
  appended_file(const appended_file&) = delete;
  appended_file& operator=(const appended_file&) = delete;
  ~appended_file() { close(file_); }

  /// In pieces of 1 MiB at most.
  void append(std::size_t bytes) {
    static const std::vector<char> piece(1U << 20U, 'x');
    while (bytes > 0) {
      const auto put = write(file_, piece.data(), std::min(bytes, piece.size()));
      require(put > 0, "the file cannot be written");
      bytes -= static_cast<std::size_t>(put);
    }
  }
  void sync() { require(fdatasync(file_) == 0, "fdatasync"); }

 private:
  temporary_directory place_;
  int file_;
};

template <std::uint32_t Dirty>
double few(const settings& how) {
  appended_file file{how};
  file.append(1U << 20U);
  file.sync();
  std::vector<double> ms;
  const int epochs = Dirty >= quick_actors ? 3 : how.quick || how.growth ? 20 : 60;
  for (int at = 0; at < epochs; ++at) {
    const double began = now_ns();
    file.append(std::size_t{Dirty} * record_bytes);
    file.sync();
    ms.push_back((now_ns() - began) / 1e6);
  }
  return quantile(ms, 0.5);
}

[[nodiscard]] std::size_t actors_of(const settings& how) {
  return how.quick ? quick_actors : many_actors;
}

double disk(const settings& how) {
  std::vector<double> ms;
  for (int at = 0; at < epochs_of_all; ++at) {
    appended_file file{how};
    const double began = now_ns();
    file.append(actors_of(how) * record_bytes);
    file.sync();
    ms.push_back((now_ns() - began) / 1e6);
  }
  return quantile(ms, 0.5);
}

double cereal_alone(const settings& how) {
  using state = std::array<std::uint64_t, state_bytes / 8>;
  std::vector<state> states(actors_of(how));
  std::vector<double> ms;
  for (int at = 0; at < epochs_of_all; ++at) {
    const double began = now_ns();
    std::ostringstream bytes;
    cereal::BinaryOutputArchive archive{bytes};
    for (const state& each : states) archive(each);
    ms.push_back((now_ns() - began) / 1e6);
    require(static_cast<std::size_t>(bytes.tellp()) == states.size() * state_bytes,
            "bytes are missing");
  }
  return quantile(ms, 0.5);
}

double slower(const settings& how) { return std::max(disk(how), cereal_alone(how)); }

}  // namespace bench

int main(int count, char** words) {
  using namespace bench;
  return main_of(count, words, "floor",
                 {{"epoch-few", "ms", when::always, &few<dirty_few>},
                  {"epoch-all", "ms", when::always, &slower},
                  {"epoch-all-disk", "ms", when::full, &disk},
                  {"epoch-all-cereal", "ms", when::full, &cereal_alone},
                  {"epoch-100-of-1000000", "ms", when::growth, &few<dirty_few>},
                  {"epoch-1000-of-1000000", "ms", when::growth, &few<1'000>},
                  {"epoch-10000-of-1000000", "ms", when::growth, &few<10'000>},
                  {"epoch-100000-of-1000000", "ms", when::growth, &few<100'000>},
                  {"epoch-1000000-of-1000000", "ms", when::growth, &few<many_actors>}});
}
