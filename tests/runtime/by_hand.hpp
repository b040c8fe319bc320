// Systems whose steps a test takes by hand, and two actors that talk in them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "fixture.hpp"

namespace played {

using namespace std::chrono_literals;

/// Steps when the test says so.
struct by_hand {
  std::map<cairn::seats, cairn::scheduler::step_function> steps{};
  unsigned workers = 0;
  std::mutex guard{};  ///< of what follows: a journal's thread wakes, too
  int wakes = 0;
  std::vector<unsigned> woken{};  ///< workers

  struct seat final : cairn::scheduler {
    seat(by_hand& all, cairn::seats of) : all_{all}, of_{of} {}
    void start(unsigned count, step_function step) override {
      if (of_ == cairn::seats::workers) all_.workers = count;
      all_.steps[of_] = std::move(step);
    }
    void wake(unsigned which) noexcept override {
      const std::lock_guard lock{all_.guard};
      ++all_.wakes;
      if (of_ == cairn::seats::workers) all_.woken.push_back(which);
    }
    void stop() override {}
    by_hand& all_;
    cairn::seats of_;
  };
  void step(unsigned worker, int times = 1) {
    for (; times > 0; --times) (void)steps.at(cairn::seats::workers)(worker);
  }
  void until_quiet() {
    for (int times = 0; times < 100; ++times) {
      for (unsigned at = 0; at < workers; ++at) step(at);
      (void)steps.at(cairn::seats::writer)(0);
    }
  }
};

struct begin {};
struct word {};
struct go {};
struct look {};
struct listener;
struct meet {
  cairn::ref<listener> whom{};
  void serialize(auto& ar) { ar(whom); }
};

struct listener {
  using protocol = cairn::protocol<begin, word, look>;
  int heard = 0;
  void serialize(auto& ar) { ar(heard); }
  cairn::task<void> on(begin, cairn::context<listener>& self) { co_await self.sleep(1h); }
  void on(word) { ++heard; }
  int on(look) { return heard; }
};
struct speaker {
  using protocol = cairn::protocol<meet, go, look>;
  cairn::ref<listener> whom{};
  int said = 0;
  void serialize(auto& ar) { ar(whom, said); }
  void on(meet what) { whom = what.whom; }
  void on(go) {
    ++said;
    whom.tell<word>();
  }
  int on(look) { return said; }
};

}  // namespace played
