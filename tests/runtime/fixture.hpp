// What the tests of the running system share: events gathered, a clock moved by hand, systems that
// end orderly or as in a crash.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <cairn/system.hpp>

#include "../catch.hpp"

namespace fixture {

/// Everything a system has told its subscriber. Any thread.
class events {
 public:
  struct entry {
    cairn::event what{};
    cairn::dead_letter letter{};
  };

  void add(const cairn::event& what) {
    const std::lock_guard lock{guard_};
    entries_.push_back({what, what.letter != nullptr ? *what.letter : cairn::dead_letter{}});
    entries_.back().what.letter = nullptr;
  }
  [[nodiscard]] std::vector<entry> of(cairn::event_kind kind, const std::string& name = {}) const {
    const std::lock_guard lock{guard_};
    std::vector<entry> found;
    for (const auto& each : entries_) {
      if (each.what.kind == kind && (name.empty() || each.what.name == name)) {
        found.push_back(each);
      }
    }
    return found;
  }
  [[nodiscard]] std::size_t count(cairn::event_kind kind, const std::string& name = {}) const {
    return of(kind, name).size();
  }
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock{guard_};
    std::string all;
    for (const auto& each : entries_) {
      all += std::string{to_string(each.what.kind)} + " " + each.what.name + " " + each.what.text +
             "\n";
    }
    return all;
  }

 private:
  mutable std::mutex guard_;
  std::vector<entry> entries_;
};

/// Time that passes when a test says so. Copies share it.
class hand_clock {
 public:
  void advance(std::chrono::nanoseconds by) const {
    now_->fetch_add(by.count(), std::memory_order_relaxed);  // a figure, nothing is ordered by it
  }
  [[nodiscard]] std::unique_ptr<const cairn::clock> handle() const {
    return std::make_unique<model>(now_);
  }

 private:
  struct model final : cairn::clock {
    explicit model(std::shared_ptr<std::atomic<std::int64_t>> now) : now_{std::move(now)} {}
    [[nodiscard]] std::chrono::nanoseconds steady() const override {
      return std::chrono::nanoseconds{now_->load(std::memory_order_relaxed)};  // as above
    }
    [[nodiscard]] std::chrono::system_clock::time_point wall() const override {
      return std::chrono::system_clock::time_point{
          std::chrono::duration_cast<std::chrono::system_clock::duration>(steady())};
    }
    std::shared_ptr<std::atomic<std::int64_t>> now_;
  };
  std::shared_ptr<std::atomic<std::int64_t>> now_ =
      std::make_shared<std::atomic<std::int64_t>>(std::int64_t{1} << 40U);
};

/// Planned failures: the value and how often it still throws. Any thread.
class faults {
 public:
  void plan(int value, int times) {
    const std::lock_guard lock{guard_};
    left_[value] = times;
  }
  void clear() {
    const std::lock_guard lock{guard_};
    left_.clear();
  }
  void check(int value) {
    const std::lock_guard lock{guard_};
    const auto found = left_.find(value);
    if (found == left_.end() || found->second == 0) return;
    --found->second;
    throw std::runtime_error{"fault " + std::to_string(value)};
  }

 private:
  std::mutex guard_;
  std::map<int, int> left_;
};

/// All that is ready has had its turns.
inline cairn::task<> come_to_rest(cairn::root& root) {
  for (int at = 0; at < 60; ++at) co_await root.sleep(std::chrono::nanoseconds{0});
}

/// One test's world: its store outlives its systems.
struct bench {
  cairn::memory_store store{};
  events told{};
  hand_clock clock{};
  unsigned workers = 1;
  std::string version = "1";

  /// Epochs on demand only, time by hand only, nothing to standard error.
  [[nodiscard]] cairn::options options() {
    cairn::options made;
    made.store = store;
    made.epoch.every = {};
    made.epoch.messages = 0;
    made.epoch.bytes = 0;
    made.workers = workers;
    made.ask_timeout = std::chrono::hours{1000};
    made.program_version = version;
    made.clock = clock.handle();
    made.seed = 7;
    made.on_event = [this](const cairn::event& what) { told.add(what); };
    return made;
  }
};

struct outcome {
  int code = -1;
  std::string text{};
  cairn::detail::restored_counts restored{};
};

/// Why a system could not go on, if it could not.
template <class System>
void note_failure(System& running, outcome& how) {
  try {
    if (auto why = running.inner().failure()) std::rethrow_exception(why);
  } catch (const std::exception& why) {
    how.text += std::string{" the system failed: "} + why.what();
    how.code = -2;
  }
}

inline cairn::task<int> watched(const cairn::application* app, cairn::root* top, outcome* how) {
  try {
    how->code = co_await (*app)(*top);
  } catch (const std::exception& why) {
    how->text = why.what();
  }
  co_return how->code;
}

/// Runs the program and ends like a crash: nothing after its last commit is kept.
template <class Actors>
outcome crash(cairn::options chosen, const cairn::application& app) {
  outcome how;
  {
    cairn::system<Actors> running{std::move(chosen)};
    how.restored = running.restored_counts();
    running.start([&](cairn::root& top) { return watched(&app, &top, &how); });
    running.wait();
    note_failure(running, how);
  }
  INFO(how.text);
  REQUIRE(how.code == 0);
  return how;
}
template <class Actors>
outcome crash(bench& on, const cairn::application& app) {
  return crash<Actors>(on.options(), app);
}

/// Runs the program to its orderly end.
template <class Actors>
outcome finish(cairn::options chosen, const cairn::application& app) {
  outcome how;
  cairn::system<Actors> running{std::move(chosen)};
  how.restored = running.restored_counts();
  running.start([&](cairn::root& top) { return watched(&app, &top, &how); });
  running.wait();
  note_failure(running, how);
  INFO(how.text);
  REQUIRE(how.code == 0);
  const cairn::ended end = running.stop();
  INFO(end.text);
  REQUIRE(end.committed);
  return how;
}
template <class Actors>
outcome finish(bench& on, const cairn::application& app) {
  return finish<Actors>(on.options(), app);
}

}  // namespace fixture
