// A snapshot of many actors is taken by several threads, and comes out as from one.
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "fixture.hpp"

namespace crews {

using namespace std::chrono_literals;
using fixture::bench;

/// What is seen of the threads that read states.
struct readers {
  std::mutex guard{};
  std::set<std::thread::id> threads{};
  std::set<int> refused{};  ///< whose state cannot be read
  std::atomic<int> inside{0};
  std::atomic<bool> met{false};  ///< two of them were here at once

  void look(int number) {
    struct visit {
      readers& of;
      explicit visit(readers& all) : of{all} {
        if (of.inside.fetch_add(1) != 0) of.met = true;
      }
      ~visit() { of.inside.fetch_sub(1); }
    } const here{*this};
    std::this_thread::yield();
    const std::lock_guard lock{guard};
    threads.insert(std::this_thread::get_id());
    if (refused.contains(number)) throw std::runtime_error{"as planned"};
  }
};
readers seen;

struct add {
  int what = 0;
  void serialize(auto& archive) { archive(what); }
};
struct heavy {
  std::string text{};
  void serialize(auto& archive) { archive(text); }
};
struct total {};
struct member {
  using protocol = cairn::protocol<add, heavy, total>;
  int number = 0;
  std::string weight = std::string(1024, 'x');  // several batches in all
  std::int64_t sum = 0;

  void save(auto& archive) const { archive(number, weight, sum); }
  void load(auto& archive) {
    archive(number, weight, sum);
    seen.look(number);
  }
  cairn::task<> on(add a, cairn::context<member>& self) {
    if (a.what < 0) co_await self.sleep(std::chrono::hours{1});
    sum += a.what;
  }
  void on(heavy h) { sum += static_cast<std::int64_t>(h.text.size()); }
  std::int64_t on(total) const { return sum; }
};
using all = cairn::actors<member>;

constexpr int members = 2000;

cairn::ref<member> spawn(const cairn::supervisor& top, int at) {
  return top.spawn<member>("member " + std::to_string(at), at);
}

constexpr int heavy_ones = 300;
constexpr std::int64_t heaviness = 2048;  // they are more than a batch

/// Every seventh has a handler that sleeps, every second of those a message that waits for it. One
/// in the middle has many of them.
cairn::task<int> fill(cairn::root& root) {
  auto top = root.supervise("top");
  for (int at = 0; at < members; ++at) {
    auto one = spawn(top, at);
    one.tell<add>(at);
    if (at % 7 == 0) one.tell<add>(-1);
    if (at % 14 == 0) one.tell<add>(100'000);
    for (int more = 0; at == members / 2 - 6 && more < heavy_ones; ++more) {
      one.tell<heavy>(std::string(heaviness, 'h'));
    }
  }
  co_await root.sleep(0s);
  co_await root.checkpoint();
  co_return 0;
}

cairn::task<int> look(cairn::root& root, const fixture::hand_clock* clock) {
  clock->advance(2h);
  auto top = root.supervise("top");
  int wrong = 0;
  for (int at = 0; at < members; ++at) {
    auto one = spawn(top, at);
    const auto sum = co_await one.ask<total>();
    std::int64_t expected = at - (at % 7 == 0 ? 1 : 0) + (at % 14 == 0 ? 100'000 : 0);
    if (at == members / 2 - 6) expected += heavy_ones * heaviness;
    if (sum != expected) ++wrong;
  }
  CHECK(wrong == 0);
  co_return 0;
}

struct crew {
  crew() {
    seen.refused.clear();
    fixture::crash<all>(on, &fill);
    seen.threads.clear();
  }
  /// The same snapshot for each life.
  [[nodiscard]] cairn::options options(unsigned workers) {
    auto chosen = on.options();
    chosen.store = cairn::memory_store{on.store};
    chosen.workers = workers;
    return chosen;
  }
  bench on{};
};

TEST_CASE("a snapshot of many actors is taken by several threads") {
  crew of;
  fixture::outcome before;
  for (const unsigned workers : {1U, 2U, 4U}) {
    {
      seen.threads.clear();
      seen.met = false;
      const cairn::system<all> read{of.options(workers)};
      CHECK(seen.threads.size() > 1);
      CHECK(!(seen.met && workers == 1));  // nothing of the program runs on two threads at once
    }
    const auto found = fixture::crash<all>(
        of.options(workers), [&](cairn::root& root) { return look(root, &of.on.clock); });
    CHECK(found.restored.actors == members + 1);
    if (workers == 1) before = found;
    CHECK(found.restored.messages == before.restored.messages);
    CHECK(found.restored.timers == before.restored.timers);
    CHECK(found.restored.suspended_handlers == before.restored.suspended_handlers);
  }
  CHECK(before.restored.suspended_handlers == (members + 6) / 7);
  CHECK(before.restored.timers == (members + 6) / 7);
}

TEST_CASE("who cannot be taken is named, the first of them, whoever takes it") {
  crew of;
  seen.refused = {300, 1500, 1999};
  for (const unsigned workers : {1U, 4U}) {
    try {
      const cairn::system<all> running{of.options(workers)};
      FAIL("a state that cannot be read");
    } catch (const cairn::error& why) {
      CHECK(std::string{why.what()}.find("member 300 ") != std::string::npos);
      CHECK(std::string{why.what()}.find("as planned") != std::string::npos);
    }
  }
  seen.refused.clear();
  CHECK(cairn::system<all>{of.options(4)}.restored());
}

}  // namespace crews
