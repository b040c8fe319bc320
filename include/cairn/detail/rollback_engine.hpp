// An engine that goes back to its latest committed snapshot while it runs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "engine.hpp"
#include "restore.hpp"
#include "rolling_back.hpp"

namespace cairn::detail {

class rollback_engine : public engine {
 public:
  rollback_engine(options chosen, registry known) : engine{std::move(chosen), std::move(known)} {
    leader().rollback().prepare([this] { return runs().quiet([this] { wake(*workers.front()); }); },
                                [this] { writer().call([this](any_store&) { undo_or_fail(); }); });
  }

  void roll_back(const std::string& why) override {
    {
      const std::lock_guard lock{why_guard_};
      if (!asked_) asked_ = {why, steady_now()};
    }
    leader().rollback().request();
    wake(*workers.front());
  }

 protected:
  /// The root task begins anew. No worker runs.
  virtual void begin_anew() = 0;
  /// It goes on as it was: what it has asked for is not to be had. No worker runs.
  virtual void go_on_without(const std::string& why) = 0;

 private:
  void undo_or_fail() {
    try {
      is_retained(*this) ? undo() : refuse();
    } catch (...) {  // the store does not give the snapshot back
      fail(std::current_exception());
      return;
    }
    leader().rollback().undone();
    wake(*workers.front());
  }

  /// On the writer's thread, which has the store, while every worker stands still.
  void undo() {
    const scoped_current<worker> scope{current_worker, workers.front().get()};
    const auto [to, again] = undo_all(*this);
    const auto ids = next_id.load(std::memory_order_relaxed);  // no worker runs
    restorer from{*this};
    if (raw(to) != 0) from.read(store(), to, chosen().program_version, chosen().other_version);
    // No id is given again: somebody outside may know it.
    next_id.store(std::max(ids, next_id.load(std::memory_order_relaxed)),
                  std::memory_order_relaxed);
    lost.forget_if([](const address& who) { return who.where->is(who.id); });
    from.settle(epoch{now_epoch.load(std::memory_order_relaxed)});  // no worker runs
    stand_on(to, from.counts());
    beside.renew();
    tell_of_rollback(to, again);
    begin_anew();
  }

  void tell_of_rollback(epoch to, std::uint64_t again) {
    event what;
    what.kind = event_kind::rolled_back;
    what.at = to;
    what.messages = again;
    const wish asked = take_wish();
    what.text = asked.why;
    what.cost.whole = steady_now() - asked.at;
    report(what);
  }

  /// What came from outside and was accepted would be lost. Nobody goes back: where it was for an
  /// actor's sake, that one is suspended already.
  void refuse() {
    sometimes("rollback refused");
    const scoped_current<worker> scope{current_worker, workers.front().get()};
    event what;
    what.kind = event_kind::no_rollback;
    what.at = epoch{now_epoch.load(std::memory_order_relaxed)};  // no worker runs
    what.text =
        "not rolled back: not all that came from outside since the latest snapshot was kept; " +
        take_wish().why;
    report(what);
    go_on_without(what.text);
  }

  /// The first wish for the next rollback.
  struct wish {
    std::string why{};
    std::chrono::nanoseconds at{};
  };
  [[nodiscard]] wish take_wish() {
    const std::lock_guard lock{why_guard_};
    return std::exchange(asked_, {}).value_or(wish{{}, steady_now()});
  }

  std::mutex why_guard_{};
  std::optional<wish> asked_{};
};

}  // namespace cairn::detail
