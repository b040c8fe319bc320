// What a supervisor does about its children's failures, and a program's door to it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "context.hpp"
#include "detail/declaring.hpp"

namespace cairn {

inline constexpr decision restart = decision::restart;
inline constexpr decision resume = decision::resume;
inline constexpr decision stop = decision::stop;
inline constexpr decision suspend = decision::suspend;
inline constexpr decision escalate = decision::escalate;
inline constexpr decision rollback = decision::rollback;

using supervisor_options = detail::supervision;

/// A door to a supervisor. Used by the root task, within its turns.
class supervisor {
 public:
  supervisor() = default;
  /// For cairn itself.
  explicit supervisor(cairn::ref<detail::supervisor_actor> self) noexcept : self_{self} {}

  /// The child of this name: the one that the store gave back, or else a new one, whose first
  /// state is built in place from `args`.
  ///
  /// Errors: throws `errc::name_taken` where this run of the program has spawned it already or the
  /// stored one is of another type, `errc::bad_name`, `errc::unknown_type`.
  template <class C, class... Args>
  cairn::ref<C> spawn(std::string_view name, Args&&... args) const {
    detail::turn& here = open("supervisor::spawn()");
    const auto made =
        detail::spawn<C>(here, *self_.where().where, name, std::forward<Args>(args)...);
    detail::settle_child(here, *self_.where().where, name, made.where(), declared_);
    return made;
  }

  /// The same door, whose `spawn` says this of the child.
  [[nodiscard]] supervisor with(child_options declared) const {
    supervisor other = *this;
    other.declared_ = declared;
    return other;
  }

  /// A supervisor under this one: the one that the store gave back, whose actors begin to run
  /// again, or else a new one. Where it escalates, this one decides. Of what `with` has said the
  /// time to stop in counts: it has to do for all that is below. Without it there is no bound, as
  /// those below have their own.
  ///
  /// Errors: as of `spawn`.
  supervisor supervise(std::string_view name, supervisor_options options = {}) const {
    detail::cell& here = *self_.where().where;
    const auto made =
        detail::declare_supervisor(open("supervisor::supervise()"), here, name, std::move(options));
    const auto time = declared_ ? declared_->shutdown : detail::as_long_as_it_takes;
    detail::declare_shutdown(here, name, made.where(), time);
    return supervisor{made};
  }

  /// Lets what is suspended below it go on, and forgets how often it was restarted.
  void resume() const {
    open("supervisor::resume()").send(detail::make_note(detail::resume_all{}), self_.where());
  }
  /// Stops its children, the youngest first, each with its time, and then itself.
  void stop() const {
    open("supervisor::stop()")
        .send(detail::make_control(detail::control::stop, {}, "stopped"), self_.where());
  }

  [[nodiscard]] actor_id id() const noexcept { return self_.id(); }

 private:
  [[nodiscard]] detail::turn& open(const char* what) const {
    detail::turn& here = detail::turn_here(what);
    if (self_.where().where == nullptr || here.self->slot_index != 1) {
      throw error{errc::misuse, "a supervisor is used outside of the root task"};
    }
    if (!self_.where().where->is(self_.id()) || self_.where().where->stopped) {
      throw error{errc::stopped, "the supervisor is stopped"};
    }
    return here;
  }

  cairn::ref<detail::supervisor_actor> self_{};
  std::optional<child_options> declared_{};
};

}  // namespace cairn
