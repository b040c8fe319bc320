// What a supervisor does about its children's failures.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "context.hpp"

namespace cairn {

/// Who is restarted when one child fails, as in Erlang/OTP.
enum class restart_strategy : std::uint8_t { one_for_one };

/// Only the child that failed.
inline constexpr restart_strategy one_for_one = restart_strategy::one_for_one;

/// More than `restarts` within `within` suspend the child.
struct restart_intensity {
  std::uint32_t restarts = 3;
  std::chrono::nanoseconds within = std::chrono::seconds{5};
};

/// What is done about a handler that throws. In each case the failing turn has had no effect.
enum class decision : std::uint8_t {
  restart,  ///< back to before the turn, which is tried again, and then given up
  resume,   ///< its message is given up at once; it does not count as a restart
  stop,     ///< the message is given up, and the actor retired with its state
  suspend,  ///< state and mailbox are kept, the message in front; handles nothing until resumed
};
inline constexpr decision restart = decision::restart;
inline constexpr decision resume = decision::resume;
inline constexpr decision stop = decision::stop;
inline constexpr decision suspend = decision::suspend;

namespace detail {

/// Whether this is an `E`.
template <class E>
[[nodiscard]] bool is_thrown(const std::exception_ptr& what) {
  try {
    std::rethrow_exception(what);
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

struct exception_rule {
  bool (*fits)(const std::exception_ptr& thrown) = nullptr;
  decision then = decision::restart;
};

struct supervision {
  restart_strategy strategy = one_for_one;
  restart_intensity intensity{};
  /// How often a failing turn is tried again before its message is given up.
  std::uint32_t attempts = 1;
  /// Made by `on`. Of the program, not of the store: each run declares them.
  std::vector<exception_rule> rules{};

  /// The same with a rule for handlers that throw an `E`, or what derives from it. The first rule
  /// that fits counts; where none does it is `restart`.
  template <class E>
  [[nodiscard]] supervision on(decision then) const {
    supervision more = *this;
    more.rules.push_back({&is_thrown<E>, then});
    return more;
  }
  [[nodiscard]] decision decide(const std::exception_ptr& thrown) const {
    for (const exception_rule& each : rules) {
      if (each.fits(thrown)) return each.then;
    }
    return decision::restart;
  }

  void save(auto& archive) const {
    archive(static_cast<std::uint8_t>(strategy), intensity.restarts,
            static_cast<std::int64_t>(intensity.within.count()), attempts);
  }
  void load(auto& archive) {
    std::uint8_t kind = 0;
    std::int64_t within = 0;
    archive(kind, intensity.restarts, within, attempts);
    strategy = restart_strategy{kind};
    intensity.within = std::chrono::nanoseconds{within};
  }
};

/// What actors that ordinary actors spawn are supervised by.
inline const auto default_supervision = std::make_shared<const supervision>();

/// The actor behind a supervisor. Its children are the cell's; it handles nothing itself.
struct supervisor_actor {
  using protocol = cairn::protocol<>;
  std::shared_ptr<const supervision> options = default_supervision;

  void save(auto& archive) const { archive(*options); }
  void load(auto& archive) {
    supervision read;
    archive(read);
    options = std::make_shared<const supervision>(read);
  }
};

}  // namespace detail

template <>
inline constexpr std::string_view type_name<detail::supervisor_actor> = "cairn.supervisor";

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
    detail::turn& here = detail::turn_here("supervisor::spawn()");
    if (self_.where().where == nullptr || self_.where().where->parent.where != here.self) {
      throw error{errc::misuse, "a supervisor is used outside of the root task"};
    }
    if (!self_.where().where->is(self_.id()) || self_.where().where->stopped) {
      throw error{errc::stopped, "the supervisor is stopped"};
    }
    return detail::spawn<C>(here, *self_.where().where, name, std::forward<Args>(args)...);
  }

  [[nodiscard]] actor_id id() const noexcept { return self_.id(); }

 private:
  cairn::ref<detail::supervisor_actor> self_{};
};

}  // namespace cairn
