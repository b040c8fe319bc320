// A snapshot whose sums of values were made by another version of cairn.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "fixture.hpp"

namespace other_sums {

using fixture::bench;
using namespace std::chrono_literals;

struct word {
  std::string text{};
  void serialize(auto& ar) { ar(text); }
};
struct look {};
struct hold_on {};

struct sink {
  using protocol = cairn::protocol<word, look>;
  std::string heard{};
  void serialize(auto& ar) { ar(heard); }
  void on(word what) { heard += what.text; }
  std::string on(look) const { return heard; }
};
std::string says = "a";
struct doer {
  using protocol = cairn::protocol<hold_on>;
  cairn::ref<sink> to{};
  void serialize(auto& ar) { ar(to); }
  cairn::task<> on(hold_on, cairn::context<doer>& self) {
    to.tell<word>(says);
    co_await self.sleep(1h);
  }
};

/// Reads what another version has written: in the one turn that has ended, with one effect, stands
/// how its sums are made.
struct others_store : cairn::memory_store {
  std::uint8_t made_as = 0;
  int turns = 0;

  explicit others_store(const cairn::memory_store& of, std::uint8_t how)
      : cairn::memory_store{of}, made_as{how} {}
  void read(cairn::epoch n, const cairn::record_visitor& visit) {
    cairn::memory_store::read(n, [&](const cairn::record_view& record) {
      std::vector<std::byte> bytes{record.payload.begin(), record.payload.end()};
      for (std::size_t at = 0; at + entry_bytes <= bytes.size(); ++at) {
        if (!is_turn(&bytes[at])) continue;
        bytes[at + 1] = std::byte{made_as};
        ++turns;
      }
      cairn::record_view changed = record;
      changed.payload = bytes;
      visit(changed);
    });
    CHECK(turns == 1);
  }

  static constexpr std::size_t entry_bytes = 2 + 8 + 8 + 4 + 8 + 20 + 4 + 8;
  static bool is_turn(const std::byte* at) {
    std::uint32_t effects = 0;
    std::memcpy(&effects, at + 18, sizeof effects);
    std::uint32_t length = 0;
    std::memcpy(&length, at + 50, sizeof length);
    const bool nobody_waits =
        std::all_of(at + 30, at + 50, [](std::byte each) { return each == std::byte{0}; });
    return at[0] == std::byte{3} && at[1] == std::byte{0} && effects == 1 && nobody_waits &&
           length == sizeof(std::uint64_t);
  }
};

/// Why the next process does not begin, whose handler says something else.
std::string refused(std::uint8_t made_as) {
  bench on;
  const auto life = [](cairn::root& root) -> cairn::task<int> {
    auto top = root.supervise("top");
    auto to = top.spawn<sink>("to");
    auto it = top.spawn<doer>("it", doer{.to = to});
    if (!root.restored()) it.tell<hold_on>();
    while ((co_await to.ask<look>()).empty()) {
    }
    co_await root.checkpoint();
    co_return 0;
  };
  says = "a";
  fixture::crash<cairn::actors<sink, doer>>(on, life);
  says = "b";
  auto chosen = on.options();
  chosen.store = others_store{on.store, made_as};
  cairn::system<cairn::actors<sink, doer>> running{std::move(chosen)};
  running.start(life);
  running.wait();
  fixture::outcome how;
  fixture::note_failure(running, how);
  return how.text;
}

TEST_CASE("sums of values that another version of cairn has made otherwise are not compared") {
  CHECK(refused(cairn::detail::sums_made_as).find("of other values") != std::string::npos);
  CHECK(refused(cairn::detail::sums_made_as + 1).empty());
}

}  // namespace other_sums
