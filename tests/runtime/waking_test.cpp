// Restored actors that are woken while others send to them.
#include <cairn/asio.hpp>

#include <asio/use_future.hpp>
#include <cairn/memory_store.hpp>

#include <future>
#include <string>
#include <vector>

#include "fixture.hpp"

namespace waking {

struct add {};
struct total {};
struct counter {
  using protocol = cairn::protocol<add, total>;
  int sum = 0;
  void serialize(auto& archive) { archive(sum); }
  void on(add) { ++sum; }
  int on(total) { return sum; }
};
using counters = std::vector<cairn::ref<counter>>;
using counting = cairn::actors<counter>;

constexpr int many = 4;
constexpr int often = 20;
std::promise<counters> known;

cairn::task<int> declare(cairn::root& root) {
  const auto above = root.supervise("above");
  counters all;
  for (int at = 0; at < many; ++at) all.push_back(above.spawn<counter>(std::to_string(at)));
  known.set_value(std::move(all));
  co_await root.until_stopped();
  co_return 0;
}

/// They are told by a thread outside, over and over, while they are being woken.
int run_once(cairn::memory_store kept) {
  cairn::options chosen;
  chosen.workers = 2;
  chosen.store = std::move(kept);
  chosen.on_event = [](const cairn::event&) {};
  cairn::system<counting> all{std::move(chosen)};
  known = {};
  auto found = known.get_future();
  all.start(declare);
  const counters told = found.get();
  for (int at = 0; at < often; ++at) {
    for (const auto& each : told) each.tell<add>();
  }
  int sum = 0;
  for (const auto& each : told) sum += cairn::async_ask<total>(each, asio::use_future).get();
  all.request_stop();
  all.wait();
  CHECK(all.stop().committed);
  return sum;
}

TEST_CASE("restored actors are woken while others send to them") {
  const cairn::memory_store kept;
  for (int run = 1; run <= 100; ++run) CHECK(run_once(kept) == run * many * often);
}

}  // namespace waking
