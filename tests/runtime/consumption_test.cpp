// Epochs that are due by how much has been consumed.
#include <optional>

#include "by_hand.hpp"

namespace consuming {

using namespace played;

struct add {};
struct counter {
  using protocol = cairn::protocol<add>;
  int added = 0;
  void serialize(auto& ar) { ar(added); }
  void on(add) { ++added; }
};
using actors = cairn::actors<counter>;

/// A worker looks at the figures of all only every hundred messages, or at rest.
constexpr std::uint64_t bound = 6400;

struct stage {
  explicit stage(fixture::bench& bench, std::chrono::nanoseconds pause = {}) : on{bench} {
    auto chosen = on.options();
    chosen.epoch.min_pause = pause;
    chosen.epoch.messages = bound;
    chosen.schedulers = [this](cairn::seats of) {
      return std::make_unique<by_hand::seat>(hand, of);
    };
    running.emplace(std::move(chosen));
    running->start([this](cairn::root& root) -> cairn::task<int> {
      whom = root.supervise("top").spawn<counter>("c");
      co_return 0;
    });
    hand.until_quiet();
    const auto& figures = running->inner().workers.front()->counters;
    sent = figures.messages.load(std::memory_order_relaxed);  // nobody runs
  }
  ~stage() { running->inner().halt(); }

  /// Until so many messages have been consumed in all.
  void consume(std::uint64_t until) {
    for (; sent < until; ++sent) {
      whom.tell<add>();
      if (sent % 1000 == 0) hand.until_quiet();
    }
    hand.until_quiet();
  }
  [[nodiscard]] std::size_t committed() const {
    return on.told.count(cairn::event_kind::committed);
  }

  fixture::bench& on;
  by_hand hand{};
  std::optional<cairn::system<actors>> running{};
  cairn::ref<counter> whom{};
  std::uint64_t sent = 0;
};

TEST_CASE("an epoch is due with the very message that its bound says") {
  fixture::bench on;
  stage of{on};
  of.consume(bound - 1);
  CHECK(of.committed() == 0);
  of.consume(bound);
  CHECK(of.committed() == 1);
  of.consume(2 * bound - 1);  // counted from the flip
  CHECK(of.committed() == 1);
  of.consume(2 * bound);
  CHECK(of.committed() == 2);
}

TEST_CASE("a bound that was reached while its epoch had to wait is not forgotten") {
  fixture::bench on;
  stage of{on, 1min};
  of.consume(bound);
  REQUIRE(of.committed() == 1);
  of.consume(3 * bound);
  CHECK(of.committed() == 1);
  on.clock.advance(2min);
  of.hand.until_quiet();
  CHECK(of.committed() == 2);
  CHECK_FALSE(of.running->inner().leader().consumed().is_reached());
}

}  // namespace consuming
