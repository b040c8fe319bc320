// The root task: where a program declares its supervisors and says when its work is durable.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actor.hpp"
#include "clone.hpp"
#include "detail/engine.hpp"
#include "detail/journal_port.hpp"
#include "detail/letter_door.hpp"
#include "detail/waking.hpp"
#include "supervisor.hpp"
#include "task.hpp"

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

  inline task<> on(begin_root, context<root_actor>& self);
};

}  // namespace detail

template <>
inline constexpr std::string_view type_name<detail::root_actor> = "cairn.root";
template <>
inline constexpr std::string_view type_name<detail::begin_root> = "cairn.begin";

namespace detail {

/// An engine with a root task, and those who wait for its epochs.
class program : public engine {
 public:
  program(options chosen, registry known) : engine{std::move(chosen), with_root(std::move(known))} {
    letters.most = this->chosen().dead_letters;
    on_epoch_end([this](const epoch_end& end) { epoch_ended(end); });
    cell& top = *cells.at(1);
    (void)top.rest();
    auto more = std::move(top.more);  // the restored supervisors
    const auto number = top.next_number;
    static_cast<cell_body&>(top) = cell_body{};
    top.next_number = number;
    top.more = std::move(more);
    top.type = &types.actors.at(type_hash<root_actor>);
    top.owner = this;
    top.policy = default_supervision;
    top.pinned = true;
    top.at = workers.front()->seen;
    top.home.store(workers.front().get(), std::memory_order_relaxed);  // as before
    make_incarnation<root_actor>(top, this);
  }
  ~program() override { halt(); }

  using finish_handler = std::function<void(int, std::exception_ptr)>;

  /// Starts the workers and, on them, the root task. `finished` is told once, by a worker.
  void begin(application app, finish_handler finished) {
    app_ = std::move(app);
    finished_ = std::move(finished);
    start();
    auto word = make_envelope(begin_root{});
    word->to = cells.at(1);
    word->target = actor_id{1};
    send_from_outside(std::move(word));
  }

  [[nodiscard]] const application& app() noexcept {
    begun_ = true;
    return app_;
  }
  void finish(int code, std::exception_ptr why) { finished_(code, std::move(why)); }

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
  void await_stop(std::uint64_t number) {
    mind_stop();
    stop_waiters_.push_back(number);
  }
  /// The root task looks whether it is to end.
  void mind_stop() noexcept {
    minds_stop_.store(true, std::memory_order_relaxed);  // a flag that says no more than itself
  }

  void wake_below(cell& top) override {
    worker& first = *workers.front();
    wake_restored(turns_of(first).mail(), first, top);
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
    leader().request_at_rest(std::min<std::chrono::nanoseconds>(chosen().rest, rest));
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

  static registry with_root(registry known) {
    register_own(known);
    register_actor<root_actor>(known);
    register_actor<journal_port>(known);
    register_actor<letter_keeper>(known);
    return known;
  }

  void tend(worker&) override {
    if (!told_undeclared_ && begun_) {
      tell_undeclared();
      if (on_started_) on_started_();
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
    for (const auto& [name, each] : top.more->children) {
      if (!each.restored) {
        if (is_supervisor(each.type)) tell_undeclared_below(*each.where.where);
        continue;
      }
      if (top.slot_index != 1 && !is_supervisor(each.type)) continue;  // awake with its parent
      event what;
      what.kind = event_kind::undeclared;
      what.actor = each.where.id;
      what.name = name;
      what.text = "restored, but the program has not declared it; it is kept as it is";
      report(what);
    }
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
  std::atomic<bool> stop_requested_{false};
  std::atomic<bool> minds_stop_{false};
  std::function<void()> on_started_{};
  std::mutex outside_guard_{};
  std::vector<outside_waiter> outside_{};
};

}  // namespace detail

/// Asks for a snapshot without suspended handlers.
struct at_rest_t {};
inline constexpr at_rest_t at_rest{};

/// What the root task is given. Lives as long as the task; used within its turns.
class root : public detail::letter_door {
 public:
  /// For cairn itself.
  root(detail::cell& self, detail::program& of) noexcept : letter_door{self}, of_{&of} {}

  /// Whether the store gave back a snapshot: the program's actors are there already.
  [[nodiscard]] bool restored() const noexcept { return of_->was_restored(); }
  /// What it held.
  [[nodiscard]] const detail::restored_counts& restored_counts() const noexcept {
    return of_->restored();
  }

  /// Declares a supervisor. Where the store knows it, its actors begin to run again.
  ///
  /// Errors: throws `errc::name_taken`, `errc::bad_name`.
  supervisor supervise(std::string_view name, supervisor_options options = {}) {
    return supervisor{
        detail::declare_supervisor(mine("supervise()"), *self_, name, std::move(options))};
  }

  /// Waits until everything that this task has done is committed. Throws `ask_error` where that
  /// epoch is abandoned.
  [[nodiscard]] asking<void> checkpoint() {
    detail::turn& here = mine("checkpoint()");
    const auto number = detail::open_slot(here, {}, "checkpoint");
    of_->await_commit(*self_, number);
    return asking<void>{detail::awaited_slot{self_, number}};
  }

  /// A checkpoint that is kept under a name until `remove_savepoint`. Throws
  /// `ask_error{errc::name_taken}` where there is one of that name.
  [[nodiscard]] asking<void> savepoint(std::string name) { return keep(std::move(name)); }
  /// The same, after intake has stopped and no handler is suspended any more, so that another
  /// version of the program can resume from it. Handlers that do not end within `options::rest`
  /// are named by an event, and suspended in the snapshot.
  [[nodiscard]] asking<void> savepoint(std::string name, at_rest_t) {
    auto kept = keep(std::move(name));
    of_->leader().request_at_rest(of_->chosen().rest);
    return kept;
  }
  /// Throws `ask_error{errc::not_found}` where there is none of that name.
  [[nodiscard]] asking<void> remove_savepoint(std::string name) {
    return with_store("remove_savepoint", [name = std::move(name)](any_store& kept, cairn::epoch) {
      kept.remove(name);
    });
  }

  /// Copies a savepoint, or where `name` is empty a checkpoint, into a new store, from where
  /// another system can go on. Epochs wait for it. Errors: see `cairn::clone`, as `ask_error`.
  [[nodiscard]] asking<void> clone(std::string name, any_store to) {
    return with_store("clone", detail::copying(std::move(name), std::move(to)));
  }

  /// Whether the program has been asked to end (SIGTERM, `system::stop`).
  [[nodiscard]] bool stop_requested() const noexcept {
    of_->mind_stop();
    return of_->stop_requested();
  }
  /// Waits until it is: how a service's root task spends its life.
  [[nodiscard]] asking<void> until_stopped() {
    const auto number = detail::open_slot(mine("until_stopped()"), {}, "until_stopped");
    of_->await_stop(number);
    return asking<void>{detail::awaited_slot{self_, number}};
  }

  /// Stops the actor at this path, such as "bank/alice".
  void stop_path(std::string path) {
    mine("stop_path()")
        .send(detail::make_control(detail::control::stop_path, {}, std::move(path)), self_->self());
  }
  /// Lets a suspended actor go on.
  template <class A>
  void resume(const cairn::ref<A>& whom) {
    mine("resume()").send(detail::make_control(detail::control::resume, {}, {}), whom.where());
  }

 private:
  [[nodiscard]] asking<void> keep(std::string name) {
    return with_store("savepoint", [name = std::move(name)](any_store& kept, cairn::epoch number) {
      kept.keep(number, name);
    });
  }
  [[nodiscard]] asking<void> with_store(std::string_view what,
                                        std::function<void(any_store&, cairn::epoch)> verb) {
    detail::turn& here = mine("a savepoint");
    const auto number = detail::open_slot(here, {}, what);
    of_->await_verb(*self_, number, std::move(verb));
    return asking<void>{detail::awaited_slot{self_, number}};
  }

  detail::program* of_;
};

inline task<> detail::root_actor::on(begin_root, context<root_actor>& self) {
  root top{self.where(), *of};
  int code = 1;
  std::exception_ptr thrown;
  try {
    code = co_await of->app()(top);
  } catch (...) {
    thrown = std::current_exception();
  }
  of->finish(code, thrown);
}

}  // namespace cairn
