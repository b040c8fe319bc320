#include <cairn/detail/run_queue.hpp>

#include <algorithm>
#include <memory>

#include <cairn/system.hpp>

#include "../catch.hpp"

namespace queueing {

/// Steps when the test says so, and writes down who is called.
struct by_hand final : cairn::scheduler {
  struct notes {
    unsigned seats = 0;
    std::vector<unsigned> woken{};
    step_function step{};
  };
  explicit by_hand(notes& into) : into_{into} {}
  void start(unsigned seats, step_function step) override {
    into_.seats = seats;
    into_.step = std::move(step);
  }
  void wake(unsigned seat) noexcept override { into_.woken.push_back(seat); }
  void stop() override {}

 private:
  notes& into_;
};

TEST_CASE("work is under way in as many seats as there are, and what comes then waits") {
  const unsigned count = GENERATE(1U, 4U, 6U);
  by_hand::notes seen;
  cairn::detail::run_queue all{count};
  all.start(std::make_unique<by_hand>(seen), {});
  CHECK(seen.seats == count);
  unsigned done = 0;
  for (unsigned at = 0; at < count + 2; ++at) {
    cairn::detail::outside_run work;
    work.work = [] { return cairn::detail::make_envelope(cairn::detail::unit{}); };
    all.post({}, std::move(work), [&](cairn::detail::envelope_ptr) { ++done; });
  }
  std::vector<unsigned> each(count);
  for (unsigned at = 0; at < count; ++at) each[at] = at;
  CHECK(seen.woken == each);
  CHECK(done == 0);
  while (seen.step(count - 1).busy) continue;  // one seat goes on with what waits
  CHECK(done == count + 2);
  all.stop();
}

TEST_CASE("what a function owns that is dropped before it begins may post when it goes") {
  const bool whole = GENERATE(false, true);  // the queue ends, or a rollback drops what waits
  by_hand::notes seen;
  cairn::detail::run_queue all{1};
  all.start(std::make_unique<by_hand>(seen), {});
  int gone = 0;
  const auto post_again = [&](int*) {
    ++gone;
    all.post({}, {}, {});
  };
  cairn::detail::outside_run work;
  work.work = [owned = std::shared_ptr<int>{nullptr, post_again}] {
    return cairn::detail::make_envelope(cairn::detail::unit{});
  };
  all.post({}, std::move(work), {});
  CHECK(gone == 0);
  whole ? all.stop() : all.drop_waiting();
  CHECK(gone == 1);
}

struct idle {
  using protocol = cairn::protocol<>;
  void serialize(auto&) {}
};

TEST_CASE("a number of threads for runs that nobody means is refused with the option's name") {
  const auto with = [](unsigned threads) {
    cairn::options chosen;
    chosen.workers = 1;
    chosen.run_threads = threads;
    const cairn::system<cairn::actors<idle>> made{std::move(chosen)};
  };
  CHECK_THROWS_WITH(with(0), Catch::Contains("options::run_threads") && Catch::Contains("not 0"));
  CHECK_THROWS_WITH(with(1025), Catch::Contains("from 1 to 1024, not 1025"));
  CHECK_NOTHROW(with(1024));  // nothing has started yet
}

TEST_CASE("a system starts as many threads for runs as its options say") {
  std::atomic<unsigned> seats{0};
  struct counting final : cairn::scheduler {
    explicit counting(std::atomic<unsigned>& into) : into_{into} {}
    void start(unsigned count, step_function step) override {
      into_.store(count, std::memory_order_relaxed);  // read when the system has ended
      real_.start(count, std::move(step));
    }
    void wake(unsigned seat) noexcept override { real_.wake(seat); }
    void stop() override { real_.stop(); }
    std::atomic<unsigned>& into_;
    cairn::thread_scheduler real_{};
  };
  cairn::options chosen;
  chosen.workers = 1;
  chosen.run_threads = 7;
  chosen.schedulers = [&](cairn::seats of) -> std::unique_ptr<cairn::scheduler> {
    if (of == cairn::seats::runs) return std::make_unique<counting>(seats);
    return std::make_unique<cairn::thread_scheduler>();
  };
  cairn::system<cairn::actors<idle>> made{std::move(chosen)};
  made.start([](cairn::root&) -> cairn::task<int> { co_return 0; });
  made.wait();
  CHECK(made.stop().committed);
  CHECK(seats.load(std::memory_order_relaxed) == 7);
}

}  // namespace queueing
