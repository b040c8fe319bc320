// What every benchmark shares, whoever the contender: arguments, pacing, and the line of JSON that
// each measurement prints. Nothing here knows of actors.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace bench {

/// How a program was called.
struct settings {
  bool quick = false;
  bool growth = false;               ///< points of curves are asked for
  std::string directory = ".";       ///< where stores are made, and removed again
  std::chrono::nanoseconds least{};  ///< how long a game lasts that counts
};

/// A benchmark that measures nothing is worse than none: what must hold is checked in every run.
inline void require(bool holds, std::string_view what) {
  if (!holds) throw std::runtime_error{"wrong result: " + std::string{what}};
}

[[nodiscard]] inline double now_ns() {
  return std::chrono::duration<double, std::nano>{
      std::chrono::steady_clock::now().time_since_epoch()}
      .count();
}

/// Plays a game with more and more rounds until it lasts long enough. The shorter games before warm
/// everything up.
class pace {
 public:
  /// Rounds are a multiple of `unit`.
  explicit pace(const settings& how, std::uint64_t first, std::uint64_t unit = 1)
      : least_{static_cast<double>(how.least.count())},
        unit_{unit},
        rounds_{(first + unit - 1) / unit * unit} {}

  [[nodiscard]] bool goes_on() const noexcept { return took_ < least_; }
  [[nodiscard]] std::uint64_t rounds() const noexcept { return rounds_; }
  /// The game of `rounds()` has taken this long.
  void took(double ns) {
    require(ns > 0, "a game took no time");
    took_ = ns;
    played_ = rounds_;
    if (!goes_on()) return;
    const double more = std::clamp(1.2 * least_ / ns, 1.5, 20.0);
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(rounds_) * more);
    rounds_ = (wanted + unit_ - 1) / unit_ * unit_;
  }
  [[nodiscard]] double per_round() const { return took_ / static_cast<double>(played_); }

 private:
  double least_;
  std::uint64_t unit_;
  std::uint64_t rounds_;
  std::uint64_t played_ = 1;
  double took_ = 0;
};

/// Started by who begins a game, stopped by whoever sees its end, on any thread.
class stopwatch {
 public:
  void start() {
    over_.store(false, std::memory_order_relaxed);  // nobody plays yet
    began_ = now_ns();
  }
  void stop() {
    ended_ = now_ns();
    over_.store(true, std::memory_order_release);  // pairs with is_over()
  }
  [[nodiscard]] bool is_over() const noexcept {
    return over_.load(std::memory_order_acquire);  // pairs with stop()
  }
  /// Precondition: it is over.
  [[nodiscard]] double ns() const noexcept { return ended_ - began_; }

 private:
  std::atomic<bool> over_{true};
  double began_ = 0;
  double ended_ = 0;
};
inline stopwatch timing;

/// What one actor of a contender has counted; read when the watch has stopped.
struct alignas(64) tally {
  std::uint64_t count = 0;
};

/// Waits on a thread that nothing else runs on.
inline void wait_until_over() {
  while (!timing.is_over()) std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

/// Which runs a measurement is part of.
enum class when : std::uint8_t {
  always,
  full,    ///< not with --quick
  named,   ///< only where it is asked for: it takes many minutes
  growth,  ///< with --growth, and then nothing else: a point of a curve that the plots show
};

/// One number that a program measures.
struct measurement {
  std::string workload;
  std::string unit;
  when in = when::always;
  std::function<double(const settings&)> measure;
};

/// The middle one; of an even number the upper.
[[nodiscard]] inline double quantile(std::vector<double> all, double at) {
  require(!all.empty(), "nothing was measured");
  std::sort(all.begin(), all.end());
  const auto place = static_cast<std::size_t>(at * static_cast<double>(all.size()));
  return all[std::min(place, all.size() - 1)];
}

/// Bytes of memory that the process uses. Linux: proc(5), statm.
[[nodiscard]] inline double resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  double pages = 0, resident = 0;
  statm >> pages >> resident;
  require(resident > 0, "/proc/self/statm cannot be read");
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// A directory of this name that is not there yet, removed at the end.
class temporary_directory {
 public:
  explicit temporary_directory(const std::string& within) : path_{within + "/bench-XXXXXX"} {
    if (mkdtemp(path_.data()) == nullptr) {
      throw std::runtime_error{"cannot make a directory in " + within};
    }
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

inline constexpr std::string_view usage =
    "usage: %s [--quick | --growth] [--list] [--directory DIR] [WORKLOAD...]\n"
    "Prints {\"workload\",\"contender\",\"unit\",\"value\"} for each workload, or for all.\n";

inline int refuse_arguments(const char* program, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", program, why.c_str());
  std::fprintf(stderr, usage.data(), program);
  return 2;
}

/// What the command line asks for.
struct request {
  settings how;
  bool list = false;
  std::vector<std::string> chosen;
};

/// Measures and prints. Returns the exit code.
inline int measure_one(const char* program, std::string_view contender, const measurement& one,
                       settings how) {
  const bool epochs = one.workload.ends_with("+epochs");  // some of them shall lie in a game
  const bool brief = how.quick || how.growth;
  how.least = std::chrono::milliseconds{brief ? (epochs ? 330 : 120) : (epochs ? 800 : 500)};
  try {
    const double value = one.measure(how);
    std::printf(
        "{\"workload\": \"%s\", \"contender\": \"%.*s\", \"unit\": \"%s\", \"value\": %.6g}\n",
        one.workload.c_str(), static_cast<int>(contender.size()), contender.data(),
        one.unit.c_str(), value);
    std::fflush(stdout);
    return 0;
  } catch (const std::exception& why) {
    std::fprintf(stderr, "%s: %s: %s\n", program, one.workload.c_str(), why.what());
    return 1;
  }
}

/// The same in a process of its own: what one measurement leaves in the allocator is no matter of
/// the next.
inline int measure_apart(const char* program, std::string_view contender, const measurement& one,
                         const settings& how) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) std::_Exit(measure_one(program, contender, one, how));
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) != child) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/// What is measured where no workload is named.
[[nodiscard]] inline bool belongs(when in, const settings& how) noexcept {
  if (how.growth) return in == when::growth;
  return in == when::always || (in == when::full && !how.quick);
}

/// The main function of every benchmark.
inline int main_of(int count, char** words, std::string_view contender,
                   const std::vector<measurement>& all) {
  request asked;
  for (int at = 1; at < count; ++at) {
    const std::string word = words[at];
    if (word == "--help") return std::printf(usage.data(), words[0]), 0;
    if (word == "--quick") {
      asked.how.quick = true;
    } else if (word == "--growth") {
      asked.how.growth = true;
    } else if (word == "--list") {
      asked.list = true;
    } else if (word == "--directory" && at + 1 < count) {
      asked.how.directory = words[++at];
    } else if (word.starts_with("-")) {
      return refuse_arguments(words[0], "unknown argument '" + word + "'");
    } else if (std::none_of(all.begin(), all.end(),
                            [&](const measurement& one) { return one.workload == word; })) {
      return refuse_arguments(words[0], "unknown workload '" + word + "'");
    } else {
      asked.chosen.push_back(word);
    }
  }
  if (asked.how.quick && asked.how.growth) {
    return refuse_arguments(words[0], "--quick and --growth together");
  }
  int code = 0;
  for (const measurement& one : all) {
    const auto& names = asked.chosen;
    const bool named = std::find(names.begin(), names.end(), one.workload) != names.end();
    if (names.empty() ? !belongs(one.in, asked.how) : !named) continue;
    if (asked.list) {
      std::printf("%s\n", one.workload.c_str());
    } else if (names.size() == 1) {
      return measure_one(words[0], contender, one, asked.how);
    } else {
      code = std::max(code, measure_apart(words[0], contender, one, asked.how));
    }
  }
  return code;
}

}  // namespace bench
