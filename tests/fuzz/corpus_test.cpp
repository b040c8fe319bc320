// Every input that is kept in corpus/: the seeds that `scripts/fuzz` begins with, and what it has
// found. The seeds are written into another directory by
//
//     CAIRN_SEEDS=/somewhere/new cairn_tests "the seeds of the fuzzer are written anew"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "../catch.hpp"
#include "doors.hpp"
#include "mutate.hpp"
#include "seeds.hpp"

namespace fuzz {

std::string whole(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST_CASE("the seeds of the fuzzer are written anew", "[.]") {
  const char* to = std::getenv("CAIRN_SEEDS");
  if (to == nullptr) return;
  std::filesystem::create_directories(to);
  for (const auto& [name, text] : make_seeds()) {
    std::ofstream{std::string{to} + "/" + name, std::ios::binary} << text;
  }
}

TEST_CASE("no input of the fuzzer's corpus does harm") {
  std::map<door, int> good;
  for (const auto& each :
       std::filesystem::directory_iterator{CAIRN_SOURCE_DIR "/tests/fuzz/corpus"}) {
    const auto name = each.path().filename().string();
    INFO(name);
    const auto text = whole(each.path());
    const bool taken = try_input(bytes_of(text));
    if (name.starts_with("good-")) ++good[input::read(bytes_of(text)).where];
    CHECK((taken || !name.starts_with("good-")));
    CHECK((!taken || !name.starts_with("bad-")));
  }
  CHECK(good.size() == doors);
}

TEST_CASE("any bytes are an input, and mutations keep it one") {
  const auto text = whole(CAIRN_SOURCE_DIR "/tests/fuzz/corpus/good-manifest");
  const auto good = input::read(bytes_of(text));
  CHECK(good.write() == text);
  CHECK(input::read(bytes_of(text.substr(0, text.size() - 5))).parts.size() == good.parts.size());
  CHECK(input::read({}).parts.empty());
  const auto grow = [](std::string& one, std::size_t most) {
    if (one.size() < most) one += 'x';
  };
  for (std::uint32_t seed = 1; seed < 200; ++seed) {
    auto one = good;
    mutator change{seed, grow};
    change.mutate(one, 4096);
    change.cross(one, good);
    CHECK(one.where == good.where);
    CHECK(input::read(bytes_of(one.write())).write() == one.write());
  }
}

}  // namespace fuzz
