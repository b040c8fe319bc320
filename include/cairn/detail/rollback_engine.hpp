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
    leader().rollback().prepare([this] { return is_quiet(); }, bounded(this->chosen().rollback),
                                [this] { writer().call([this](any_store&) { undo_or_fail(); }); });
  }

  void roll_back(const std::string& why) override {
    {
      const std::lock_guard lock{why_guard_};
      if (!asked_) asked_ = {why, steady_now()};
      leader().rollback().request();
    }
    wake(*workers.front());
  }

 protected:
  /// The root task begins anew. No worker runs.
  virtual void begin_anew() = 0;
  /// It goes on as it was: what it has asked for is not to be had. No worker runs.
  virtual void go_on_without(const std::string& why) = 0;

 private:
  /// Whoever will be refused waits for nothing.
  [[nodiscard]] bool is_quiet() {
    return !is_retained(*this) || runs().hold([this] { wake(*workers.front()); });
  }

  void undo_or_fail() {
    try {
      const std::string why_not = reason_against();
      why_not.empty() ? undo() : refuse(why_not);
      runs().go_on();
    } catch (...) {  // the store does not give the snapshot back
      fail(std::current_exception());
      return;
    }
    leader().rollback().undone();
    wake(*workers.front());
  }

  /// Empty: there is none.
  [[nodiscard]] std::string reason_against() {
    if (!is_retained(*this)) {
      return "not all that came from outside since the latest snapshot was kept";
    }
    if (!leader().rollback().is_late()) return {};
    std::string text = "functions of self.run have not ended ";
    text += leader().rollback().is_last()
                ? "before the last epoch"
                : "within " + std::to_string(chosen().rollback.count()) + " ms";
    for (const auto& each : runs().under_way()) {
      const cell& by = *each.by.where;  // no worker runs
      text += (by.is(each.by.id) ? ", of " + world::label(by) : ", of an actor that is gone") +
              " \"" + each.name + "\"";
    }
    return text;
  }

  /// On the writer's thread, which has the store, while every worker stands still. What has not
  /// begun outside is begun again by who wants it then.
  void undo() {
    runs().drop_waiting();
    const scoped_current<worker> scope{current_worker, workers.front().get()};
    const auto [to, again] = undo_all(*this);
    const auto ids = next_id.load(std::memory_order_relaxed);  // no worker runs
    restorer from{*this};
    if (raw(to) != 0) from.read(store(), to, chosen().program_version, chosen().other_version);
    // No id is given again: somebody outside may know it.
    next_id.store(std::max(ids, next_id.load(std::memory_order_relaxed)),
                  std::memory_order_relaxed);
    lost.forget_if([](const address& who) { return who.where->is(who.id); });
    from.settle();
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

  /// Nobody goes back: where it was for an actor's sake, that one is suspended already.
  void refuse(const std::string& why_not) {
    sometimes("rollback refused");
    const scoped_current<worker> scope{current_worker, workers.front().get()};
    event what;
    what.kind = event_kind::no_rollback;
    what.at = epoch{now_epoch.load(std::memory_order_relaxed)};  // no worker runs
    what.text = "not rolled back: " + why_not + "; " + take_wish().why;
    report(what);
    go_on_without(what.text);
  }

  /// The first wish for the next rollback. Those that came after it are granted with it.
  struct wish {
    std::string why{};
    std::chrono::nanoseconds at{};
  };
  [[nodiscard]] wish take_wish() {
    const std::lock_guard lock{why_guard_};
    leader().rollback().forget();
    return std::exchange(asked_, {}).value_or(wish{{}, steady_now()});
  }

  std::mutex why_guard_{};
  std::optional<wish> asked_{};
};

}  // namespace cairn::detail
