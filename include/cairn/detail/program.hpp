// An engine with a root task, and those who wait for its epochs.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../actor.hpp"
#include "../supervisor.hpp"
#include "../task.hpp"
#include "journal_port.hpp"
#include "rollback_engine.hpp"
#include "waking.hpp"

namespace cairn {

class root;

/// What a program runs as its root task. Its result is the program's exit code.
using application = std::function<task<int>(root&)>;

namespace detail {

class program;

struct begin_root {};

/// The actor behind the root task. It keeps nothing: after a crash the program begins again, and
/// finds its actors as they were.
struct root_actor {
  using protocol = cairn::protocol<begin_root>;
  using persistence = ephemeral;
  program* of = nullptr;

  task<> on(begin_root, context<root_actor>& self);  // see root.hpp
};

}  // namespace detail

template <>
inline constexpr std::string_view type_name<detail::root_actor> = "cairn.root";
template <>
inline constexpr std::string_view type_name<detail::begin_root> = "cairn.begin";

namespace detail {

/// An engine with a root task, and those who wait for its epochs.
class program : public rollback_engine {
 public:
  program(options chosen, registry known)
      : rollback_engine{std::move(chosen), with_root(std::move(known))} {
    letters.most = this->chosen().dead_letters;
    max_retained = this->chosen().max_retained;
    if (this->chosen().other_version) {
      on_difference = [&by = this->chosen()](recorded_handler what) {
        what.recorded = what.present = by.program_version;
        return by.other_version(what);
      };
    }
    on_epoch_end([this](const epoch_end& end) { epoch_ended(end); });
    make_root();
  }
  ~program() override { halt(); }

  using finish_handler = std::function<void(int, std::exception_ptr)>;

  /// Starts the workers and, on them, the root task. `finished` is told once, by a worker.
  void begin(application app, finish_handler finished) {
    app_ = std::move(app);
    finished_ = std::move(finished);
    start();
    send_from_outside(first_word());
  }

  [[nodiscard]] const application& app() noexcept {
    begun_ = true;
    return app_;
  }
  void finish(int code, std::exception_ptr why) {
    leader().rollback().end();
    // Nobody will spawn them any more: what waits for them becomes dead letters.
    lost.forget_if([](const address&) { return true; });
    for (const auto& each : workers) wake(*each);
    runs().go_on();  // one may have been waited for
    finished_(code, std::move(why));
  }

  // Root's turns, on the first worker.

  void await_commit(const cell& of, std::uint64_t number) {
    waiting_.push_back({of.at, number, {}});
    leader().request();
  }
  /// The same; then the writer does `verb`, between epochs.
  void await_verb(const cell& of, std::uint64_t number,
                  std::function<void(any_store&, epoch)> verb) {
    waiting_.push_back({of.at, number, std::move(verb)});
    leader().request();
  }
  /// Answered where the rollback that it asks for is refused.
  void await_rollback(std::uint64_t number) {
    rollback_waiters_.push_back(number);
    roll_back("the program asked for it");
  }
  void await_stop(std::uint64_t number) {
    mind_stop();
    stop_waiters_.push_back(number);
  }
  /// Answered once all pause, or shall not any more.
  void await_pause(std::uint64_t number) {
    pauses().request(true);
    pause_waiters_.push_back(number);
  }
  /// The root task looks whether it is to end.
  void mind_stop() noexcept {
    minds_stop_.store(true, std::memory_order_relaxed);  // a flag that says no more than itself
  }

  void wake_below(cell& top) override {
    if (std::exchange(top.rest().to_wake, true)) return;
    cell& above = top_of(top);
    if (is_supervisor(above.type)) waking_at(above).latecomers.push_back(top.self());
    declared_.push_back({top.self(), above.self()});
  }

  // Any thread.

  [[nodiscard]] bool stop_requested() const noexcept {
    return stop_requested_.load(std::memory_order_acquire);  // pairs with request_stop()
  }
  /// Whether a root task that is asked to end may be expected to.
  [[nodiscard]] bool minds_stop() const noexcept {
    return minds_stop_.load(std::memory_order_relaxed);  // as above
  }
  /// Before it begins: called by the first worker after the root task's first turn.
  void on_started(std::function<void()> call) { on_started_ = std::move(call); }
  void request_stop() noexcept {
    stop_requested_.store(true, std::memory_order_release);  // pairs with the loads
    wake(*workers.front());
  }
  /// Tells `done` once an epoch that covers everything sent until now has ended. Handlers have
  /// `options::rest` to end before it, and `rest` at most.
  void request_last_epoch(std::function<void(const epoch_end&)> done,
                          std::chrono::nanoseconds rest = std::chrono::nanoseconds::max()) {
    {
      const std::lock_guard lock{outside_guard_};
      outside_.push_back({epoch{now_epoch.load(std::memory_order_seq_cst)}, std::move(done)});
    }
    leader().announce_last();
    leader().request_at_rest(std::min(bounded(chosen().rest), rest));
  }

 private:
  struct waiter {
    epoch target{};
    std::uint64_t number = 0;
    std::function<void(any_store&, epoch)> verb{};
  };
  struct outside_waiter {
    epoch target{};
    std::function<void(const epoch_end&)> done{};
  };

  /// The restored supervisors are its children already.
  void make_root() {
    cell& top = *cells.at(1);
    (void)top.rest();
    auto more = std::move(top.more);  // the restored supervisors
    const auto number = top.next_number;
    static_cast<cell_body&>(top) = cell_body{};
    top.next_number = number;
    top.more = std::move(more);
    top.type = &types.actors.at(type_hash<root_actor>);
    if (top.owner == nullptr) top.owner = this;  // threads outside may read it
    top.policy = default_supervision;
    top.pinned = true;
    top.at = workers.front()->seen;
    top.home.store(workers.front().get(), std::memory_order_relaxed);  // as before
    make_incarnation<root_actor>(top, this);
  }

  [[nodiscard]] envelope_ptr first_word() {
    auto word = make_envelope(begin_root{});
    word->to = cells.at(1);
    word->target = actor_id{1};
    return word;
  }

  /// Those who waited for epochs of what is undone were of the root task.
  void begin_anew() final {
    waiting_.clear();
    stop_waiters_.clear();
    pause_waiters_.clear();
    rollback_waiters_.clear();
    declared_.clear();
    make_root();
    auto word = first_word();
    word->sent = workers.front()->seen;
    turns_of(*workers.front()).mail().send(std::move(word));
  }

  void go_on_without(const std::string& why) final {
    for (const auto number : std::exchange(rollback_waiters_, {}))
      reply_to_root(number, errc::io, why);
  }

  static registry with_root(registry known) {
    register_own(known);
    register_actor<root_actor>(known);
    register_actor<journal_port>(known);
    register_actor<letter_keeper>(known);
    return known;
  }

  void tend(worker& first) override {
    if (!declared_.empty()) {
      wake_declared(turns_of(first).mail(), first, first_new_id, std::exchange(declared_, {}));
    }
    if (!told_undeclared_ && begun_) {
      tell_undeclared();
      if (on_started_) on_started_();
    }
    if (!pause_waiters_.empty() && pauses().is_settled()) {
      for (const auto number : std::exchange(pause_waiters_, {}))
        reply_to_root(number, errc::ok, "");
    }
    if (stop_waiters_.empty() || !stop_requested()) return;
    for (const auto number : std::exchange(stop_waiters_, {})) reply_to_root(number, errc::ok, "");
  }

  /// After the root task's first turn: what it has not declared is kept and stays dormant.
  void tell_undeclared() {
    told_undeclared_ = true;
    tell_undeclared_below(*cells.at(1));
  }
  void tell_undeclared_below(const cell& top) {
    if (!top.more) return;
    top.more->children.for_each([&](const std::string& name, const child& each) {
      if (!each.restored) {
        if (is_supervisor(each.type)) tell_undeclared_below(*each.where.where);
        return;
      }
      if (top.slot_index != 1 && !is_supervisor(each.type)) return;  // awake with its parent
      event what;
      what.kind = event_kind::undeclared;
      what.actor = each.where.id;
      what.name = name;
      what.text = "restored, but the program has not declared it; it is kept as it is";
      report(what);
    });
  }

  void epoch_ended(const epoch_end& end) {
    if (end.committed) board().note_commit(end.number, leader().last_cost());
    std::vector<waiter> later;
    for (auto& each : std::exchange(waiting_, {})) {
      if (each.target > end.number) {
        later.push_back(std::move(each));
      } else if (!end.committed) {
        reply_to_root(each.number, errc::io,
                      "epoch " + std::to_string(raw(end.number)) + " was abandoned: " + end.text);
      } else if (!each.verb) {
        reply_to_root(each.number, errc::ok, "");
      } else {
        call_store(each, end.number);
      }
    }
    for (auto& each : later) waiting_.push_back(std::move(each));
    std::vector<outside_waiter> told;
    {
      const std::lock_guard lock{outside_guard_};
      for (std::size_t at = 0; at < outside_.size();) {
        // An epoch that had begun before the end was announced does not stand for it: its handlers
        // had no time to end.
        if (outside_[at].target > end.number || !end.last) {
          ++at;
          continue;
        }
        told.push_back(std::move(outside_[at]));
        outside_.erase(outside_.begin() + static_cast<std::ptrdiff_t>(at));
      }
      if (!outside_.empty()) leader().request();
    }
    if (!waiting_.empty()) leader().request();
    for (const auto& each : told) each.done(end);
  }

  /// By the writer, between epochs; the answer comes from outside.
  void call_store(const waiter& of, epoch number) {
    writer().call([this, verb = of.verb, number, await = of.number](any_store& kept) {
      auto reply = make_envelope(unit{});
      try {
        verb(kept, number);
      } catch (const error& why) {
        reply = make_envelope(std::string{why.what()});
        reply->code = why.code();
      } catch (...) {  // of a store of the user's own
        reply = make_envelope(text_of_caught());
        reply->code = errc::io;
      }
      reply->kind = envelope_kind::reply;
      reply->answer.number = await;
      reply->to = cells.at(1);
      reply->target = actor_id{1};
      send_from_outside(std::move(reply));
    });
  }

  void reply_to_root(std::uint64_t number, errc code, std::string text) {
    auto reply = code == errc::ok ? make_envelope(unit{}) : make_envelope(std::move(text));
    reply->kind = envelope_kind::reply;
    reply->code = code;
    reply->answer.number = number;
    reply->to = cells.at(1);
    reply->target = actor_id{1};
    reply->sent = workers.front()->seen;
    turns_of(*workers.front()).mail().send(std::move(reply));
  }

  application app_{};
  finish_handler finished_{};
  bool begun_ = false;  ///< the first worker's, as what follows
  bool told_undeclared_ = false;
  std::vector<waiter> waiting_{};
  std::vector<std::uint64_t> stop_waiters_{};
  std::vector<std::uint64_t> pause_waiters_{};
  std::vector<std::uint64_t> rollback_waiters_{};
  std::vector<declared_actor> declared_{};  ///< to be woken after the root task's turn
  std::atomic<bool> stop_requested_{false};
  std::atomic<bool> minds_stop_{false};
  std::function<void()> on_started_{};
  std::mutex outside_guard_{};
  std::vector<outside_waiter> outside_{};
};

}  // namespace detail

}  // namespace cairn
