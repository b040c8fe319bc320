// What an epoch costs follows what has changed, not what there is.
#include "fixture.hpp"

namespace scale {

using cairn::event_kind;

#ifdef CAIRN_FEW
constexpr int idle = 200'000;
#else
constexpr int idle = 1'000'000;
#endif
constexpr int busy = 100;

struct more {};
struct raise {
  int from = 0;
  int to = 0;
  void serialize(auto& ar) { ar(from, to); }
};
struct one {
  using protocol = cairn::protocol<more>;
  std::int64_t count = 0;
  void serialize(auto& ar) { ar(count); }
  void on(more) { ++count; }
};
struct crowd {
  using protocol = cairn::protocol<raise>;
  int made = 0;
  void serialize(auto& ar) { ar(made); }
  void on(raise what, cairn::context<crowd>& self) {
    for (int at = what.from; at < what.to; ++at) (void)self.spawn<one>("");
    made = what.to;
  }
};
using all = cairn::actors<one, crowd>;

cairn::task<int> live(cairn::root& root) {
  auto top = root.supervise("top");
  std::vector<cairn::ref<one>> few;
  for (int at = 0; at < busy; ++at) few.push_back(top.spawn<one>("busy" + std::to_string(at)));
  for (int group = 0; group < 100; ++group) {
    co_await top.spawn<crowd>("crowd" + std::to_string(group)).ask<raise>(0, idle / 100);
  }
  co_await root.checkpoint();
  for (int round = 0; round < 3; ++round) {
    for (const auto& each : few) each.tell<more>();
    co_await root.checkpoint();
  }
  co_return 0;
}

TEST_CASE("of many idle persistent actors and 100 busy ones, an epoch's cost follows the 100") {
  fixture::bench on;
  fixture::crash<all>(on, live);
  const auto epochs = on.told.of(event_kind::committed);
  REQUIRE(epochs.size() == 4);
  CHECK(epochs[0].what.cost.records >= idle + busy);
  for (std::size_t at = 1; at < epochs.size(); ++at) {
    const auto& cost = epochs[at].what.cost;
    INFO("epoch " << at << ": " << cost.visited << " visited, " << cost.records << " records, "
                  << cost.bytes << " bytes");
    // The busy ones, and the root, whose own turns are no record.
    CHECK(cost.visited >= busy);
    CHECK(cost.visited <= busy + 2);
    CHECK(cost.records == busy);
    CHECK(cost.bytes <= 1024 * busy);
  }
}

}  // namespace scale
