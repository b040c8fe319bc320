// The README's program: what it says is what it does.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "catch.hpp"

namespace {

std::string read(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

/// Standard output of a command; standard error goes where the test's goes.
std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string all;
  char some[256];
  while (std::fgets(some, sizeof some, pipe) != nullptr) all += some;
  CHECK(::pclose(pipe) == 0);
  return all;
}

struct temporary_directory {
  temporary_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "cairn-account-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~temporary_directory() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

const std::string program = CAIRN_BINARY_DIR "/examples/account";

}  // namespace

TEST_CASE("account prints what its comments say, also when it runs again") {
  const temporary_directory here;
  const std::string run = "cd " + here.path.string() + " && " + program + " 2>/dev/null";
  // More often than the supervisor's intensity allows restarts within one run.
  for (int again = 0; again < 6; ++again) CHECK(output_of(run) == "100\n");
}

TEST_CASE("account says on standard error what became of the failing message") {
  const temporary_directory here;
  const std::string run = "cd " + here.path.string() + " && " + program + " 2>&1 >/dev/null";
  const std::string said = output_of(run);
  CHECK(said.find("negative deposit") != std::string::npos);
  CHECK(said.find("alice") != std::string::npos);
}

TEST_CASE("the README's program is examples/account.cpp") {
  const std::string readme = read(CAIRN_SOURCE_DIR "/README.md");
  const auto begin = readme.find("```cpp\n") + 7;
  const std::string shown = readme.substr(begin, readme.find("```\n", begin) - begin);
  const std::string whole = read(CAIRN_SOURCE_DIR "/examples/account.cpp");
  CHECK(whole.substr(whole.find('\n') + 1) == shown);
}
