// The examples of the pages on testing: they stand here word for word, and do what the pages say.
#include <algorithm>
#include <cairn/cairn.hpp>
#include <cairn/testing/faults.hpp>
#include <cairn/testing/probe.hpp>
#include <cairn/testing/simulation.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "catch.hpp"

using namespace std::chrono_literals;

namespace docs_testing_faults {
struct put {};

struct heap {
  using protocol = cairn::protocol<put>;
  int stones = 0;
  void serialize(auto& ar) { ar(stones); }
  int on(put) { return ++stones; }
};

cairn::task<int> app(cairn::root& root) {
  auto stones = root.supervise("path").spawn<heap>("stones");
  const int count = co_await stones.ask<put>();
  co_await root.checkpoint();
  co_return count;
}

// docs/testing_faults.md
int life(cairn::testing::simulated_disk& disk) {
  cairn::system<cairn::actors<heap>> all{
      {.store = cairn::file_store{"stones", {}, disk.mount()}, .epoch = {.every = 0ms}}};
  all.start(app);  // puts a stone, waits for its checkpoint, returns how many there are
  all.wait();
  return all.stop().code;
}

/// Whether a promised stone is still there when the power fails at `point`.
bool keeps_its_word(std::uint64_t point) {
  cairn::testing::simulated_disk disk{point};  // the seed
  int promised = life(disk);
  disk.crash_after(point);
  const int next = life(disk);
  if (!disk.crashed()) promised = next;
  disk.crash();
  return life(disk) > promised;
}
// end
}  // namespace docs_testing_faults

namespace docs_testing_simulation {
using docs_testing_faults::app;
using docs_testing_faults::heap;
using docs_testing_faults::put;

cairn::ref<heap> pile;

cairn::task<int> serve(cairn::root& root) {
  auto made = root.supervise("path").spawn<heap>("stones");
  pile = made;
  co_await root.sleep(1h);
  co_return co_await made.ask<put>() - 1;
}

// clang-format off
// docs/testing_simulation.md
/// Whether a promised stone is still there after a power failure at some moment.
bool keeps_its_word(std::uint64_t seed) {
  cairn::testing::simulation<cairn::actors<heap>> sim{{.seed = seed}};
  sim.start(app);  // puts a stone, waits for its checkpoint, returns how many there are
  sim.run_steps(sim.chance(1000));
  const bool promised = sim.ended();
  sim.crash();
  sim.start(app);
  const int stones = sim.run().value();
  return sim.finish() && stones == (promised ? 2 : stones);
}

/// How many stones lie there after a client put three, and its network brought each twice.
int put_by_a_client(std::uint64_t seed) {
  cairn::testing::simulation<cairn::actors<heap>> sim{{.seed = seed, .outside = {.duplicated = 1}}};
  sim.start(serve);  // fills in `pile`, returns how many there are after an hour
  sim.run_until([] { return bool{pile}; });
  sim.outside([] { for (int at = 0; at < 3; ++at) pile.tell<put>(); });
  return sim.run().value();
}
// end
// clang-format on
}  // namespace docs_testing_simulation

namespace docs_testing_probe {
using docs_testing_faults::heap;
using docs_testing_faults::put;

struct carry {
  cairn::ref<heap> to{};
  void serialize(auto& ar) { ar(to); }
};

/// Says whether the heap has taken its stone.
struct carrier {
  using protocol = cairn::protocol<carry>;
  int carried = 0;
  void serialize(auto& ar) { ar(carried); }
  cairn::task<bool> on(carry what) {
    auto count = co_await what.to.ask<put>().as_result();
    if (count) ++carried;
    co_return count.has_value();
  }
};

using namespace cairn::testing;

// docs/testing_probe.md
TEST_CASE("a carrier says whether the heap has taken its stone") {
  probe<cairn::actors<heap, carrier>> p;
  const auto stones = p.spawn<heap>("stones");
  const auto carl = p.spawn<carrier>("carl");

  auto taken = p.inject<carry>(carl, stones);  // it asks the heap, and its handler is suspended
  CHECK(p.state(stones).stones == 0);          // nobody has delivered the ask
  p.expect<put>(from(carl).to(stones));
  p.expect<int>(from(stones).to(carl), [](int count) { return count == 1; });
  CHECK(taken.value());

  auto lost = p.inject<carry>(carl, stones);
  p.advance(5s);  // the ask has timed out
  CHECK_FALSE(lost.value());

  p.fail_next(carl);  // the supervisor has its turn tried again
  CHECK_FALSE(p.inject<carry>(carl, stones).arrived());
  p.run();
  CHECK(p.state(carl).carried == 2);
}
// end
}  // namespace docs_testing_probe

TEST_CASE("docs: what was promised is there after a simulated power failure") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    INFO(seed);
    CHECK(docs_testing_simulation::keeps_its_word(seed));
  }
}

TEST_CASE("docs: what was promised is there when the power fails at any operation") {
  for (std::uint64_t point = 0; point < 60; ++point) {
    INFO(point);
    CHECK(docs_testing_faults::keeps_its_word(point));
  }
}

namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

std::string between(const std::string& text, const std::string& open, const std::string& close) {
  const auto from = text.find(open);
  if (from == std::string::npos) return {};
  const auto begin = from + open.size();
  return text.substr(begin, text.find(close, begin) - begin);
}

}  // namespace

TEST_CASE("docs: what a client's network brings twice is put twice") {
  docs_testing_simulation::pile = {};
  CHECK(docs_testing_simulation::put_by_a_client(3) == 6);
}

TEST_CASE("docs: the examples of the pages on testing are tested, word for word") {
  const std::filesystem::path project = CAIRN_SOURCE_DIR;
  std::string tests;
  for (const auto& file : std::filesystem::directory_iterator{project / "tests/testing"}) {
    tests += text_of(file.path());
  }
  int pages = 0;
  for (const auto& page : std::filesystem::directory_iterator{project / "docs"}) {
    const std::string name = page.path().filename().string();
    if (!name.starts_with("testing_")) continue;
    INFO(name);
    const std::string section = between(text_of(page.path()), "\n## Example\n", "\n## ");
    const std::string shown = between(section, "```cpp\n", "```\n");
    CHECK_FALSE(shown.empty());
    CHECK(shown == between(tests, "// docs/" + name + "\n", "// end\n"));
    CHECK(std::count(shown.begin(), shown.end(), '\n') <= 20);
    ++pages;
  }
  CHECK(pages > 0);
}
