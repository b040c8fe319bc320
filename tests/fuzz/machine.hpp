// A whole system in one thread: its seats are stepped in turn, and time passes when nothing else is
// left to do. Nothing in it depends on anything but the store.
#pragma once

#include <algorithm>
#include <cairn/root.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "program.hpp"
#include "store_doors.hpp"

namespace fuzz {

class machine {
 public:
  machine() = default;
  machine(const machine&) = delete;
  machine& operator=(const machine&) = delete;
  ~machine() { process_.reset(); }

  /// Epochs on demand only, and nothing of the real machine.
  [[nodiscard]] cairn::options options_on(cairn::file_store store) {
    cairn::options made;
    made.store = std::move(store);
    made.epoch.every = {};
    made.epoch.messages = 0;
    made.epoch.bytes = 0;
    made.workers = 1;
    made.slow_turn = made.stuck_turn = {};
    made.program_version = "1";
    made.clock = std::make_unique<clock>(now_);
    made.seed = 7;
    made.schedulers = [this](cairn::seats) { return std::make_unique<row>(*this); };
    made.on_event = [](const cairn::event& what) {
      require(what.text.find("broken invariant") == std::string::npos, what.text.c_str());
    };
    return made;
  }

  /// Errors: throws what opening the store throws.
  void start(cairn::options chosen, const cairn::application& app) {
    cairn::detail::registry types;
    fuzzed::all::describe(types);
    process_ = std::make_unique<cairn::detail::program>(std::move(chosen), std::move(types));
    process_->slice = 1;  // what waits at a cut is recorded as in flight
    process_->begin(app, [this](int, std::exception_ptr why) {
      ended_ = true;
      if (why) goes_well([&] { std::rethrow_exception(why); });
    });
  }

  /// Steps every seat so many times at most, or until only time could bring more. Time passes where
  /// that is asked for.
  void run(int rounds, bool see_later) {
    for (; rounds > 0; --rounds) {
      std::chrono::nanoseconds wait{-1};
      bool busy = false;
      for (std::size_t at = 0; at < rows_.size(); ++at) {
        const auto did = rows_[at]->step_all();
        busy = busy || did.busy;
        if (did.wait.count() >= 0 && (wait.count() < 0 || did.wait < wait)) wait = did.wait;
      }
      if (auto why = process_->failure()) {
        goes_well([&] { std::rethrow_exception(why); });
        return;
      }
      if (busy || std::exchange(woken_, false)) continue;
      if (wait.count() < 0 || !see_later) return;
      *now_ += std::max(wait, std::chrono::nanoseconds{1});
    }
  }

  /// An orderly end: a last epoch.
  void finish() {
    process_->request_last_epoch([](const cairn::detail::epoch_end&) {});
    run(200, false);
  }

  [[nodiscard]] bool ended() const noexcept { return ended_; }

 private:
  struct row final : cairn::scheduler {
    explicit row(machine& owner) : of{owner} { of.rows_.push_back(this); }
    ~row() override { std::erase(of.rows_, this); }
    void start(unsigned workers, step_function call) override {
      count = workers;
      step = std::move(call);
    }
    void wake(unsigned) noexcept override { of.woken_ = true; }
    void stop() override { count = 0; }

    [[nodiscard]] cairn::step_outcome step_all() const {
      cairn::step_outcome all;
      for (unsigned at = 0; at < count; ++at) {
        const auto did = step(at);
        all.busy = all.busy || did.busy;
        if (did.wait.count() >= 0) all.wait = did.wait;
      }
      return all;
    }

    machine& of;
    unsigned count = 0;
    step_function step{};
  };

  struct clock final : cairn::clock {
    explicit clock(std::shared_ptr<const std::chrono::nanoseconds> shared)
        : now{std::move(shared)} {}
    [[nodiscard]] std::chrono::nanoseconds steady() const override { return *now; }
    [[nodiscard]] std::chrono::system_clock::time_point wall() const override {
      return std::chrono::system_clock::time_point{*now};
    }
    std::shared_ptr<const std::chrono::nanoseconds> now;
  };

  std::vector<row*> rows_{};
  bool woken_ = false;
  bool ended_ = false;
  std::shared_ptr<std::chrono::nanoseconds> now_ =
      std::make_shared<std::chrono::nanoseconds>(std::chrono::hours{24 * 365});
  std::unique_ptr<cairn::detail::program> process_{};
};

/// A program begins from a snapshot, goes on, commits, and begins once more.
[[nodiscard]] inline bool try_payloads(const input& from) {
  const auto disk = disk_of(payload_files(from));
  for (int life = 0; life < (from.has(go_on) ? 2 : 1); ++life) {
    machine on;
    if (!goes_well([&] { on.start(on.options_on(store_on(disk)), &fuzzed::later_life); }))
      return false;
    on.run(400, from.has(see_later));
    if (from.has(go_on)) on.finish();
  }
  return true;
}

}  // namespace fuzz
