// The root task: where a program declares its supervisors and says when its work is durable.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "clone.hpp"
#include "detail/letter_door.hpp"
#include "detail/program.hpp"
#include "supervisor.hpp"
#include "task.hpp"

namespace cairn {

/// Asks for a snapshot without suspended handlers.
struct at_rest_t {
  /// How long handlers have to end: instead of `options::rest`, which is for the program's end too.
  std::optional<std::chrono::nanoseconds> deadline{};
};
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

  /// Goes back to the latest committed snapshot, and begins the root task anew; does not return.
  /// What came from outside since then is delivered again. Where nothing was committed all begins
  /// anew. Throws `ask_error` where not all of it was kept: then nothing goes back.
  [[nodiscard]] asking<void> rollback() {
    const auto number = detail::open_slot(mine("rollback()"), {}, "rollback");
    of_->await_rollback(number);
    return asking<void>{detail::awaited_slot{self_, number}};
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
  /// version of the program can resume from it. Handlers that do not end within `options::rest`,
  /// or the deadline that is given here, are named by an event, and suspended in the snapshot.
  [[nodiscard]] asking<void> savepoint(std::string name, at_rest_t how) {
    auto kept = keep(std::move(name));
    of_->leader().request_at_rest(how.deadline.value_or(detail::bounded(of_->chosen().rest)));
    return kept;
  }
  /// Throws `ask_error{errc::not_found}` where there is none of that name.
  [[nodiscard]] asking<void> remove_savepoint(std::string name) {
    return with_store("remove_savepoint",
                      [of = of_, name = std::move(name)](any_store& kept, cairn::epoch) {
                        kept.remove(name);
                        tell(*of, {.kind = event_kind::savepoint_removed, .name = name});
                      });
  }

  /// Copies a savepoint, or where `name` is empty a checkpoint, into a new store, from where
  /// another system can go on. Epochs wait for it. Errors: see `cairn::clone`, as `ask_error`.
  [[nodiscard]] asking<void> clone(std::string name, any_store to) {
    const std::string into = "into " + to.describe();
    return with_store("clone", [of = of_, name, into, copy = detail::copying(name, std::move(to))](
                                   any_store& from, cairn::epoch last) {
      const auto began = of->steady_now();
      const cairn::epoch number = copy(from, last);
      tell(*of, {.kind = event_kind::cloned,
                 .at = number,
                 .name = name,
                 .text = into,
                 .cost = {.whole = of->steady_now() - began}});
    });
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

  /// Pauses all actors but this task: turns that run end, and then nobody handles anything until
  /// `resume()`. Goes on once that is so. See `system::pause`.
  [[nodiscard]] asking<void> pause() {
    const auto number = detail::open_slot(mine("pause()"), {}, "pause");
    of_->await_pause(number);
    return asking<void>{detail::awaited_slot{self_, number}};
  }
  /// All actors go on.
  void resume() {
    (void)mine("resume()");
    of_->pauses().request(false);
  }

  /// Stops the actor at this path, such as "bank/alice".
  void stop_path(std::string path) {
    mine("stop_path()")
        .send(detail::make_control(detail::control::stop_path, {}, std::move(path)), self_->self());
  }
  /// Lets a suspended actor go on.
  template <class A>
  void resume(const cairn::ref<A>& whom) {
    detail::turn& here = mine("resume()");
    detail::require(whom.where());
    here.send(detail::make_control(detail::control::resume, {}, {}), whom.where());
  }

 private:
  [[nodiscard]] asking<void> keep(std::string name) {
    return with_store("savepoint",
                      [of = of_, name = std::move(name)](any_store& kept, cairn::epoch number) {
                        kept.keep(number, name);
                        tell(*of, {.kind = event_kind::savepoint, .at = number, .name = name});
                      });
  }
  /// On the writer's thread.
  static void tell(detail::program& of, const event& what) { of.report(what); }
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
